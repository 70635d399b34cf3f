#!/bin/sh
# The oracle over HTTP: the README's manual tests word for word, and what the design says of failures.
. "$(dirname "$0")/expect.sh"

step "Register a worker"
ask --set fail=0 --set timeout=3s -- -X POST http://localhost:8080/register \
    -H 'Content-Type: application/json' \
    -d '{"id":"worker-1","endpoint":"http://localhost:8081"}'
has '{"status":"registered","message":"Worker worker-1 successfully registered"}'

step "Submit an oracle request"
ask -- -X POST http://localhost:8080/request \
    -H 'Content-Type: application/json' \
    -d '{"query":"BTC/USD"}'
has '"request_id":"req-00001"' '"final_value":' '"worker_id":"w-01"' '"registered_as":"worker-1"' '"response_time":"' \
    '"reliability_note":"All workers responded successfully"'

step "Check a worker's health"
ask -- http://localhost:8081/health
has '"status":"ok"'

step "A worker does a task by itself"
ask -- -X POST http://localhost:8081/task -d '{"id":"req-12345","query":"BTC/USD"}'
has '"worker_id":"w-01"' '"request_id":"req-12345"' '"reliable":true'

step "A worker that fails is left out"
ask --faults crash:w-04 -- http://localhost:8080/request -d '{"query":"BTC/USD"}'
has '12 of 13 workers responded: 1 failed, 0 late' 'connection refused'

step "Stale workers are cleaned up: the dead one, and the one registered by hand, which sends no heartbeats"
ask --wait 17s -- http://localhost:8080/workers
has '"id":"w-03"'
case $answer in *w-04* | *worker-1*) exit 1 ;; esac

step "One that comes back registers again"
ask --faults restart:w-04 --wait 1s -- http://localhost:8080/workers
has '"id":"w-04"'

step "One that is shut down gracefully deregisters; by hand it is put out until it starts again"
ask --faults stop:w-05 --wait 3s -- -X POST http://localhost:8080/deregister -d '{"id":"w-06"}'
has 'Worker w-06 successfully deregistered'
ask --wait 6s -- -i http://localhost:8080/heartbeat -d '{"id":"w-06"}'
has '410 Gone'
ask --faults restart:w-06 --wait 1s -- http://localhost:8080/request -d '{"query":"ETH/USD"}'
has 'All workers responded successfully' '"worker_id":"w-06"'

step "A new worker joins at runtime"
ask --faults start:w-13 --wait 1s -- http://localhost:8080/request -d '{"query":"BTC/USD"}'
has '"worker_id":"w-13"'

step "When most workers fail the partial result comes with a warning; when all do, a structured error"
fresh
ask --set workers=3 --set fail=0 --set timeout=3s --faults crash:w-01,crash:w-02 -- http://localhost:8080/request -d '{"query":"BTC/USD"}'
has 'Warning: partial result, only 1 of 3 workers responded'
ask --faults crash:w-03 -- -i http://localhost:8080/request -d '{"query":"BTC/USD"}'
has '503 Service Unavailable' '"code":"all_workers_failed"'
ask --wait 20s -- -i http://localhost:8080/request -d '{"query":"BTC/USD"}'
has '"code":"no_workers"'

step "A timeout keeps slow workers from holding up a request"
fresh
ask --set fail=0 --set workers=4 --faults slow:w-02=100 -- http://localhost:8080/request -d '{"query":"BTC/USD"}'
has 'no answer within 1.5s'

step "Idle workers without heartbeats are dropped: the trap"
fresh
ask --set heartbeat=0 --wait 20s -- -i http://localhost:8080/request -d '{"query":"BTC/USD"}'
has '"code":"no_workers"'

step "Average by default; median; majority vote, which finds none among real values"
for strategy in average median majority; do
    try glasshive run --preset all-well --set strategy="$strategy" --for 4s
    has 'result' 'All workers responded successfully'
done
has 'no majority'

step "The demo: a client asks, and prints the breakdown by worker"
try glasshive run --preset oracle-http --for 12s
has 'w-01' 'w-12' 'result'
