//! HTTP under random faults: a caller gets one outcome, by its limit, and no answer that nobody gave.

use super::http::ms;
use super::support::for_seeds;
use futures::FutureExt;
use glasshive::kernel::{Ctx, Duration, Instant, Rng, Scope, Sim, Sink};
use glasshive::net::{Effect, LinkModel, Net, NodeId, Rule, Target};
use glasshive::substrate::http::{self, Http, HttpError, Request, Response};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const NODES: u64 = 4;
const REQUESTS: u64 = 60;
const END: Instant = Instant::from_millis(20_000);

/// What became of a request, as its caller saw it.
struct Outcome {
    took: Duration,
    limit: Duration,
    answer: Result<u64, HttpError>,
}

#[derive(Default)]
struct Seen {
    /// How often each request's handler ran to its end, and which stamps it gave out.
    stamps: BTreeMap<u64, Vec<u64>>,
    outcomes: BTreeMap<u64, Vec<Outcome>>,
    stamped: u64,
}

fn authority(node: u64) -> String {
    format!("localhost:{}", 9000 + node)
}

/// Every node serves `/<request>/<work>` and answers with a stamp that is given once.
async fn serve(http: Http, ctx: Ctx, here: String, seen: Rc<RefCell<Seen>>) {
    let handler = move |request: Request| {
        let (ctx, seen) = (ctx.clone(), Rc::clone(&seen));
        async move {
            let mut parts = request.url.path.split('/').skip(1).map(|part| part.parse::<u64>().unwrap());
            let (number, work) = (parts.next().unwrap(), parts.next().unwrap());
            ctx.sleep(ms(work)).await;
            let mut seen = seen.borrow_mut();
            seen.stamped += 1;
            let stamp = seen.stamped;
            seen.stamps.entry(number).or_default().push(stamp);
            Response::json(200, &stamp)
        }
    };
    http.listen(&here).serve(handler).await;
}

fn play(seed: u64) -> (Sim, Rc<RefCell<Seen>>, Net) {
    let mut sim = Sim::new(seed, Sink::Full);
    let (ctx, mut rng) = (sim.ctx(), Rng::new(seed));
    let net = Net::new(&ctx, false);
    let http = Http::new(&net);
    let seen = Rc::new(RefCell::new(Seen::default()));
    let nodes: Vec<NodeId> = (0..NODES).map(|i| net.add_node(&format!("n{i}"))).collect();
    for (i, &node) in (0..).zip(&nodes) {
        http.assign(&authority(i), node);
        let (http, ctx, seen) = (http.clone(), ctx.clone(), Rc::clone(&seen));
        net.set_role(node, move |_| {
            serve(http.clone(), ctx.clone(), authority(i), Rc::clone(&seen)).boxed_local()
        });
        for &other in &nodes[..i as usize] {
            let link = LinkModel {
                loss: [0.0, 0.1][rng.below(2) as usize],
                duplication: [0.0, 0.2][rng.below(2) as usize],
                ..LinkModel::new(ms(rng.below(80)), ms(rng.below(40)))
            };
            net.connect(node, other, link);
        }
        net.start(node);
    }
    for number in 0..REQUESTS {
        let from = nodes[rng.below(NODES) as usize];
        let to = authority(rng.below(NODES));
        let (at, work, limit) = (rng.below(12_000), rng.below(1_500), ms(1 + rng.below(2_000)));
        let (ctx2, http, seen) = (ctx.clone(), http.clone(), Rc::clone(&seen));
        // Outside the caller's scope until it begins, so that an earlier crash does not call it off.
        ctx.spawn_in(Scope::default(), async move {
            ctx2.sleep(ms(at)).await;
            let ctx3 = ctx2.clone();
            ctx2.spawn_in(from.scope(), async move {
                let url = format!("http://{to}/{number}/{work}").parse().unwrap();
                let began = ctx3.now();
                let answer = http.fetch_within(from, Request::get(url), limit).await;
                let answer = answer.map(|response| response.parse().unwrap());
                let outcome = Outcome { took: ctx3.now().since(began), limit, answer };
                seen.borrow_mut().outcomes.entry(number).or_default().push(outcome);
            });
        });
    }
    for _ in 0..rng.below(16) {
        break_something(&mut rng, &ctx, &net, &nodes);
    }
    sim.run_until(END);
    (sim, seen, net)
}

fn break_something(rng: &mut Rng, ctx: &Ctx, net: &Net, nodes: &[NodeId]) {
    let (a, b) = (nodes[rng.below(NODES) as usize], nodes[rng.below(NODES) as usize]);
    let (start, length, kind) = (ms(rng.below(12_000)), ms(rng.below(3_000)), rng.below(8));
    let target = [Target::Node(a), Target::Both(a, b), Target::OneWay(a, b)][rng.below(3) as usize];
    let (ctx2, net) = (ctx.clone(), net.clone());
    ctx.spawn_in(Scope::default(), async move {
        ctx2.sleep(start).await;
        let effect = match kind {
            0..=2 => {
                net.crash(a);
                ctx2.sleep(length).await;
                return net.start(a);
            }
            3 => return net.start(a),
            4 => Effect::Drop(0.5),
            5 => Effect::Duplicate(0.5),
            6 => Effect::Slow(5.0),
            _ => Effect::Cut,
        };
        let rule = net.add_rule(Rule { target, effect });
        ctx2.sleep(length).await;
        net.remove_rule(rule);
    });
}

fn check(seed: u64) -> BTreeMap<&'static str, u32> {
    let (sim, seen, net) = play(seed);
    let seen = seen.borrow();
    let mut counts = BTreeMap::new();
    for (number, outcomes) in &seen.outcomes {
        let [Outcome { took, limit, answer }] = &outcomes[..] else {
            panic!("request {number} has {} outcomes", outcomes.len());
        };
        assert!(took <= limit, "request {number} took {took}, its limit is {limit}");
        match answer {
            Ok(stamp) => {
                let given = seen.stamps.get(number).map_or(&[][..], Vec::as_slice);
                assert!(given.contains(stamp), "request {number} got {stamp}, its handlers gave {given:?}");
                assert!(given.len() <= 2, "request {number} was handled {} times", given.len());
            }
            Err(HttpError::TimedOut(l)) => assert_eq!((l, took), (limit, limit), "request {number}"),
            Err(HttpError::Refused | HttpError::Reset) => {}
        }
        *counts.entry(answer.as_ref().map_or_else(|e| e.code(), |_| "ok")).or_default() += 1;
    }
    // Only a crash of its caller leaves a request without an outcome.
    let crashes = sim.trace().records().filter(|r| r.kind == glasshive::net::NODE_CRASHED).count();
    let none = REQUESTS as usize - seen.outcomes.len();
    assert!(crashes > 0 || none == 0, "{none} requests have no outcome, and nothing crashed");
    assert!(net.rules().is_empty(), "a rule was not lifted");
    let of = |kind| sim.trace().records().filter(|r| r.kind == kind).count();
    assert!(of(http::RESPONSE_RECEIVED) <= of(http::RESPONSE_SENT));
    assert!(of(http::REQUEST_RECEIVED) <= 2 * of(http::REQUEST_SENT));
    assert_eq!(of(http::REQUEST_SENT) as u64, REQUESTS);
    counts
}

#[test]
fn every_call_ends_by_its_limit_with_one_outcome_that_somebody_gave() {
    let totals = RefCell::new(BTreeMap::<&str, u32>::new());
    for_seeds("http_random", 0..200, |seed| {
        for (outcome, count) in check(seed) {
            *totals.borrow_mut().entry(outcome).or_default() += count;
        }
    });
    // Every kind of outcome must have been met, or the faults above test nothing.
    if std::env::var_os("GLASSHIVE_SEED").is_none() {
        let kinds: Vec<&str> = totals.borrow().keys().copied().collect();
        assert_eq!(kinds, ["ok", "refused", "reset", "timed_out"], "{totals:?}");
    }
}
