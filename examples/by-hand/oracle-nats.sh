#!/bin/sh
# The oracle over NATS: the README's manual tests, and every trouble that its troubleshooting names.
. "$(dirname "$0")/expect.sh"
request='http://localhost:8080/request'

step "Submit an oracle request: the interface of the oracle over HTTP, unchanged"
ask --preset oracle-nats --set fail=0 --set timeout=3s -- -X POST $request \
    -H 'Content-Type: application/json' \
    -d '{"query":"BTC/USD"}'
has '"request_id":"req-00001"' '"reliability_note":"All workers responded successfully"'

step "Check the coordinator's health"
ask -- http://localhost:8080/health
has '"status":"ok"' '"workers":12' '"connected":true'

step "Check the NATS server's status"
ask -- http://localhost:8222/varz
has '"version":"2.9.10"' '"connections":13'
ask -- http://localhost:8222/connz
has '"num_connections":13'
ask -- http://localhost:8222/subsz
has '"num_subscriptions":'
ask -- http://localhost:8222/healthz
has '"status":"ok"'

step "Nobody registers over HTTP"
ask -- -i http://localhost:8080/register -d '{"id":"x","endpoint":"http://localhost:8081"}'
has '404 Not Found'

step "NATS connection issues: the broker is gone"
ask --faults crash:nats --wait 500ms -- -i $request -d '{"query":"BTC/USD"}'
has '503 Service Unavailable' 'nats: no servers available for connection'
ask -- http://localhost:8080/health
has '"connected":false'
ask -- http://localhost:8222/varz
has 'connection refused'

step "A coordinator that starts without it"
ask --faults restart:coordinator --wait 1s -- $request -d '{"query":"BTC/USD"}'
has 'Failed to connect to NATS: no servers available for connection'

step "Start NATS: everybody comes back by itself"
ask --faults restart:nats --wait 5s -- $request -d '{"query":"BTC/USD"}'
has 'All workers responded successfully'

step "Workers come and go without a change to anything"
ask --faults start:w-13 --wait 1s -- $request -d '{"query":"BTC/USD"}'
has '"worker_id":"w-13"'
ask --faults stop:w-13,stop:w-12 --wait 4s -- http://localhost:8080/health
has '"workers":11'

step "A worker that does not process tasks"
ask --faults crash:w-03 -- $request -d '{"query":"BTC/USD"}'
has '10 of 11 workers responded: 0 failed, 1 late'

step "Rate limit: ten at once, ten a second, and when to come back"
fresh
try glasshive curl --preset oracle-nats --session "$session" --set burst=2 --set rate=0.1 --set timeout=3s -- -s -o /dev/null $request -d '{"query":"BTC/USD"}'
ask -- -s -o /dev/null $request -d '{"query":"BTC/USD"}'
ask -- -i $request -d '{"query":"BTC/USD"}'
has '429 Too Many Requests' 'Retry-After: ' 'rate limit exceeded' '"details":'
ask --wait 10s -- -s -w '%{http_code}' -o /dev/null $request -d '{"query":"BTC/USD"}'
has 200
try glasshive run --preset rate-limit-burst --for 9s
has '20 of the failed got 429'

step "Several addresses for a test of high volume: the bucket is for each"
try glasshive run --preset rate-limit-burst --set clients=3 --set at-once=10 --for 9s
has '30: 30 answered'

step "Clients that back off as Retry-After says"
try glasshive run --preset rate-limit-burst --set back-off=retry-after --for 9s
has '30: 30 answered' '30 times a request was sent again'

step "At most once, and at least once: the same fall of the broker with core NATS and with JetStream"
try glasshive run --preset oracle-nats --for 20s
has 'lost'
try glasshive run --preset oracle-jetstream --for 20s
has 'delivered again'
try glasshive curl --preset oracle-jetstream -- http://localhost:8222/jsz
has '"streams":2'

step "The document's bare protocol: nobody knows how many were asked"
try glasshive curl --preset bare-protocol -- $request -d '{"query":"BTC/USD"}'
has 'how many were asked is not known'

step "The quick test: a broker, a coordinator, two workers, and the demo"
try glasshive run --preset oracle-nats --faults '' --set workers=2 --for 12s
has 'w-01' 'w-02' 'result' '5 answered, 0 failed'
