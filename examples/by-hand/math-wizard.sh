#!/bin/sh
# The Math Wizard: each endpoint, the three identities of a job, and what its design promises when containers die.
. "$(dirname "$0")/expect.sh"

step "The dashboard"
ask --preset math-wizard -- -i http://localhost/
has '200 OK' 'text/html' '<form>' 'Distributed Math Wizard'

step "Round robin: another container each time"
ask -- http://localhost/whoami
first=$answer
ask -- http://localhost/whoami
[ "$answer" != "$first" ] || exit 1

step "Synchronous"
ask -- 'http://localhost/add?a=2&b=3'
has '"result":5'

step "The store can be reached"
ask -- http://localhost/valkey_test
has '"reply":"PONG"'

step "Asynchronous: 202 at once, then poll"
ask -- -i -X POST http://localhost/task -d '{"a":2,"b":40}'
has '202 Accepted' '"status":"PENDING"' '"task_id":"'
id=${answer##*\"task_id\":\"}
id=${id%%\"*}
ask -- "http://localhost/tasks/$id/status"
has '"initiated_by":"c-0' '"checked_by":"c-0'
ask --wait 5s -- "http://localhost/tasks/$id/status"
has '"status":"COMPLETED"' '"handled_by":"c-0' '"result":42'

step "Any container serves any poll, and the state survives the death of all of them"
ask --faults crash:c-01,crash:c-02,crash:c-03 --wait 1s -- -i "http://localhost/tasks/$id/status"
has '502 Bad Gateway'
ask --faults restart:c-01 --wait 12s -- "http://localhost/tasks/$id/status"
has '"status":"COMPLETED"' '"checked_by":"c-01"'

step "A job that was popped by a worker that dies is lost; with LMOVE the reaper puts it back"
try glasshive run --preset lost-job --for 30s
has '1 lost'
try glasshive run --preset lmove-cure --for 30s
has '0 lost' 'put back by a reaper'

step "Graceful shutdown finishes the job in hand; scaling down does so for whole containers"
try glasshive run --preset math-wizard --faults '' --set scale-to=1 --set scale-at=10s --for 40s
has '0 lost'

step "Scaling up: new containers do jobs at once, and the gateway sees them when it looks again"
try glasshive run --preset math-wizard --faults start:c-04@5s,restart:gateway@20s --for 40s
has 'c-04 took'

step "Scaling while it runs, as an act: two more containers work on what waits, and leave again with nothing lost"
fresh
ask --preset math-wizard --faults scale:containers=5 --wait 1s -- http://localhost/whoami
has '"container_id":"c-0'
ask --faults scale:containers=1 --wait 20s -- http://localhost/whoami
has 'c-01'
try glasshive run --preset math-wizard --faults scale:containers@5s..25s=5 --for 40s
has '0 lost' 'c-05 took'
try glasshive run --preset math-wizard --faults scale:containers@5s=51
has 'a whole number from 1 to 50'

step "Retries, and a dead letter that is put back"
fresh
ask --preset math-wizard --set fail=1 -- -s -o /dev/null -X POST http://localhost/task -d '{"a":1,"b":2}'
ask --wait 20s -- http://localhost/dead
has '"count":1' '"error":"failed 3 times"'
id=${answer##*\"task_id\":\"}
id=${id%%\"*}
ask -- -X POST "http://localhost/dead/$id/retry"
has '"status":"PENDING"'
ask --wait 10s -- "http://localhost/tasks/$id/status"
has '"status":"FAILED"'

step "Backpressure and rate limiting"
try glasshive run --preset backpressure-staircase --for 75s
has 'for the queue'
try glasshive run --preset math-wizard --set rate=2 --set burst=1 --for 20s
has 'for the rate'

step "The store is away: a structured error, and all is well when it is back"
fresh
ask --preset math-wizard --faults crash:valkey --wait 100ms -- -i http://localhost/valkey_test
has '503 Service Unavailable' '"code":"valkey_unavailable"'
ask --faults restart:valkey --wait 2s -- http://localhost/valkey_test
has '"reply":"PONG"'
