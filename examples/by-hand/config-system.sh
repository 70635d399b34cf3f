#!/bin/sh
# The configuration system: conditional polling, durable versions, back-off, the trigger, and outages of each service.
. "$(dirname "$0")/expect.sh"
config='http://localhost:8080/config'

step "The controller is the one source of truth, and tags each version"
ask --preset config -- -i $config
has '200 OK' 'ETag: "v1"'

step "Polling with the tag that one has: 304, without a body"
ask -- -i $config -H 'If-None-Match: "v1"'
has '304 Not Modified'

step "A change is a new version; keys that no worker uses are kept"
ask -- -i -X PUT $config -d '{"rate":2,"query":"ETH/USD","feature":{"x":true}}'
has 'ETag: "v2"' '"feature":{"x":true}'

step "Agents fetch it with their next poll, and workers take it from their agent"
ask --wait 10s -- http://localhost:9001/config
has '"version":2' '"feature":{"x":true}'
ask -- http://localhost:9501/version
has '"version":2' '"worker_id":"w-01"' 'ETH/USD'

step "Two authors: the second, who did not know of the first, is refused"
ask -- -i -X PUT $config -H 'If-Match: "v1"' -d '{"rate":3,"query":"SOL/USD"}'
has '412 Precondition Failed' '"code":"version_conflict"'

step "What workers could not use is refused by name"
ask -- -X PUT $config -d '{"query":"SOL/USD"}'
has '"code":"missing_field"' '"field":"rate"'
ask -- -X PUT $config -d '{"rate":0,"query":"SOL/USD"}'
has '"field":"rate"'

step "History and health"
ask -- http://localhost:8080/config/history
has '"version":2' '"version":1'
ask -- http://localhost:8080/health
has '"status":"ok"'

step "The controller is away: agents and workers go on with the last good version"
ask --faults crash:controller --wait 30s -- $config
has 'connection refused'
ask -- http://localhost:9001/config
has '"version":2'
ask -- http://localhost:9501/version
has '"version":2'

step "An agent that starts again meanwhile has it on its disk"
ask --faults restart:a-01 --wait 1s -- http://localhost:9001/config
has '"version":2'

step "It comes back, and versions go on where they were: a version that was answered is durable"
ask --faults restart:controller --wait 20s -- -i -X PUT $config -d '{"rate":4,"query":"SOL/USD"}'
has 'ETag: "v3"'
ask --wait 20s -- http://localhost:9502/version
has '"version":3'

step "The trigger: with Pub/Sub a change is there at once; the data is pulled over HTTP"
fresh
ask --preset lost-trigger -- -s -o /dev/null -X PUT $config -d '{"rate":2,"query":"ETH/USD"}'
ask --wait 500ms -- http://localhost:9001/config
has '"version":2'

step "Without it there is only the poll, and nothing is lost"
ask --faults crash:valkey -- -s -o /dev/null -X PUT $config -d '{"rate":3,"query":"ETH/USD"}'
ask --wait 500ms -- http://localhost:9001/config
has '"version":2'
ask --wait 25s -- http://localhost:9001/config
has '"version":3'

step "Back-off keeps agents that failed from overwhelming the controller; jitter spreads them when it is back"
try glasshive run --preset thundering-herd
has '200'
try glasshive run --preset thundering-herd-cured
has 'herd'
