//! HTTP over the simulated network: what a caller sees when servers die and links fail, and when the server learns
//! that its caller has given up.

use futures::FutureExt;
use glasshive::kernel::{Ctx, Duration, Instant, Kind, Record, Scope, Sim, Sink};
use glasshive::net::{Effect, LinkModel, Net, NodeId, Rule, RuleId, Target};
use glasshive::substrate::http::{self, Http, HttpError, Request, Response};
use std::cell::RefCell;
use std::rc::Rc;

pub const SERVER: &str = "localhost:8081";
/// Each way, without jitter, so that every instant below can be told beforehand.
const HOP: Duration = Duration::from_millis(50);

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One client, one server, one link. What happens is noted as `"<milliseconds> <text>"`.
#[derive(Clone)]
pub struct Lab {
    pub ctx: Ctx,
    pub net: Net,
    pub http: Http,
    pub client: NodeId,
    pub server: NodeId,
    notes: Rc<RefCell<Vec<String>>>,
}

/// Notes how a handler's task ended: `done` if it got that far, `dropped` otherwise.
struct Handling(Lab, &'static str);

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.note(format!("handler {}", self.1));
    }
}

impl Lab {
    pub fn new(link: LinkModel) -> (Sim, Lab) {
        let sim = Sim::new(1, Sink::Full);
        let ctx = sim.ctx();
        let net = Net::new(&ctx, false);
        let (client, server) = (net.add_node("client"), net.add_node("server"));
        net.connect(client, server, link);
        let http = Http::new(&net);
        http.assign(SERVER, server);
        let lab = Lab { ctx, net: net.clone(), http, client, server, notes: Rc::default() };
        let here = lab.clone();
        net.set_role(server, move |_| here.clone().serve().boxed_local());
        net.set_role(client, |_| std::future::pending().boxed_local());
        net.start(server);
        net.start(client);
        (sim, lab)
    }

    fn plain() -> (Sim, Lab) {
        Lab::new(LinkModel::new(HOP, Duration::ZERO))
    }

    /// `/<n>` takes n milliseconds of work, and is answered with how many requests were handled before it.
    async fn serve(self) {
        let handled = Rc::new(RefCell::new(0));
        let listener = self.http.listen(SERVER);
        let lab = self.clone();
        let serve = listener.serve(move |request| {
            let (lab, before) = (lab.clone(), *handled.borrow());
            *handled.borrow_mut() += 1;
            async move {
                let mut handling = Handling(lab.clone(), "dropped");
                // A duplicate's handler is quicker than the first.
                let work = request.url.path[1..].parse::<u64>().unwrap_or(0) / (before + 1);
                lab.ctx.sleep(lab.net.work(lab.server, ms(work))).await;
                handling.1 = "done";
                Response::json(200, &before)
            }
        });
        serve.await;
    }

    fn note(&self, text: impl std::fmt::Display) {
        self.notes.borrow_mut().push(format!("{} {text}", self.ctx.now().as_millis_f64()));
    }

    /// At `at` ms the client asks for `work` ms of work, and waits at most `limit` ms.
    fn ask(&self, at: u64, work: u64, limit: u64) {
        let lab = self.clone();
        self.ctx.spawn_in(self.client.scope(), async move {
            lab.ctx.sleep(ms(at)).await;
            let url = format!("http://{SERVER}/{work}").parse().unwrap();
            match lab.http.fetch_within(lab.client, Request::get(url), ms(limit)).await {
                Ok(response) => {
                    let before: u64 = response.parse().unwrap();
                    lab.note(format!("{} after {before} others", response.status));
                }
                Err(error) => lab.note(error),
            }
        });
    }

    /// At `at` ms the laboratory does something.
    fn at(&self, at: u64, act: impl FnOnce(&Lab) + 'static) {
        let lab = self.clone();
        self.ctx.spawn_in(Scope::default(), async move {
            lab.ctx.sleep(ms(at)).await;
            act(&lab);
        });
    }

    fn rule(&self, target: Target, effect: Effect) -> RuleId {
        self.net.add_rule(Rule { target, effect })
    }

    fn link(&self) -> Target {
        Target::Both(self.client, self.server)
    }

    fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }
}

fn seconds(s: u64) -> Instant {
    Instant::from_millis(1000 * s)
}

/// Plays ten seconds and returns what was noted.
fn play(sim: &mut Sim, lab: &Lab) -> Vec<String> {
    sim.run_until(seconds(10));
    lab.notes()
}

fn of_kind(sim: &Sim, kind: Kind) -> Vec<Record> {
    sim.trace().records().filter(|r| r.kind == kind).copied().collect()
}

#[test]
fn an_answer_takes_two_hops_and_the_work() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 200, 1_000);
    assert_eq!(play(&mut sim, &lab), ["250 handler done", "300 200 after 0 others"]);
}

// --- refused and reset --------------------------------------------------------------------------------------------

#[test]
fn a_crashed_node_refuses_one_round_trip_later() {
    let (mut sim, lab) = Lab::plain();
    lab.net.crash(lab.server);
    lab.ask(0, 0, 1_000);
    assert_eq!(play(&mut sim, &lab), ["100 connection refused"]);
}

#[test]
fn a_node_that_crashes_before_the_request_arrives_refuses_it() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 0, 1_000);
    lab.at(49, |lab| lab.net.crash(lab.server));
    assert_eq!(play(&mut sim, &lab), ["100 connection refused"]);
}

#[test]
fn a_port_where_nobody_listens_refuses_and_an_address_of_nobody_does_so_at_once() {
    let (mut sim, lab) = Lab::plain();
    lab.http.assign("localhost:9999", lab.server);
    for url in ["http://localhost:9999/", "http://localhost:7777/"] {
        let lab = lab.clone();
        lab.ctx.clone().spawn_in(lab.client.scope(), async move {
            let answer = lab.http.fetch(lab.client, Request::get(url.parse().unwrap())).await;
            lab.note(format!("{url} {answer:?}"));
        });
    }
    assert_eq!(
        play(&mut sim, &lab),
        ["0 http://localhost:7777/ Err(Refused)", "100 http://localhost:9999/ Err(Refused)"]
    );
}

#[test]
fn a_server_that_crashes_in_flight_resets_the_connection() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 1_000, 5_000);
    lab.at(500, |lab| lab.net.crash(lab.server));
    assert_eq!(play(&mut sim, &lab), ["500 handler dropped", "550 connection reset by peer"]);
}

#[test]
fn a_response_that_left_before_the_crash_still_arrives() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 100, 5_000);
    lab.at(151, |lab| lab.net.crash(lab.server));
    assert_eq!(play(&mut sim, &lab), ["150 handler done", "200 200 after 0 others"]);
}

#[test]
fn a_restarted_server_accepts_again_and_has_forgotten_everything() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 0, 1_000);
    lab.at(200, |lab| lab.net.crash(lab.server));
    lab.ask(300, 0, 1_000);
    lab.at(500, |lab| lab.net.start(lab.server));
    lab.ask(600, 0, 1_000);
    assert_eq!(
        play(&mut sim, &lab),
        [
            "50 handler done",
            "100 200 after 0 others",
            "400 connection refused",
            "650 handler done",
            "700 200 after 0 others"
        ]
    );
}

#[test]
fn a_full_accept_queue_refuses_the_next() {
    let (mut sim, lab) = Lab::plain();
    // Listens, and never accepts.
    let http = lab.http.clone();
    lab.net.set_role(lab.server, move |_| {
        let http = http.clone();
        async move {
            let _listener = http.listen(SERVER);
            std::future::pending().await
        }
        .boxed_local()
    });
    lab.net.start(lab.server);
    // Linux's default somaxconn.
    for _ in 0..4_096 + 3 {
        lab.ask(0, 0, 1_000);
    }
    let notes = play(&mut sim, &lab);
    assert_eq!(notes.iter().filter(|n| *n == "100 connection refused").count(), 3);
    assert_eq!(notes.iter().filter(|n| *n == "1000 no answer within 1s").count(), 4_096);
}

// --- partitions and loss ------------------------------------------------------------------------------------------

#[test]
fn across_a_partition_a_request_times_out_at_its_limit() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(lab.link(), Effect::Cut);
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["700 no answer within 700ms"]);
    assert!(lab.net.is_cut(lab.client, lab.server) && lab.net.is_cut(lab.server, lab.client));
}

#[test]
fn a_one_way_cut_towards_the_server_keeps_the_request_from_it() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(Target::OneWay(lab.client, lab.server), Effect::Cut);
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["700 no answer within 700ms"]);
    assert!(of_kind(&sim, http::REQUEST_RECEIVED).is_empty());
}

#[test]
fn a_one_way_cut_towards_the_caller_loses_the_answer_of_a_request_that_was_handled() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(Target::OneWay(lab.server, lab.client), Effect::Cut);
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["50 handler done", "700 no answer within 700ms"]);
    assert_eq!(of_kind(&sim, http::RESPONSE_SENT).len(), 1);
    assert!(of_kind(&sim, http::RESPONSE_RECEIVED).is_empty());
}

#[test]
fn a_cut_catches_what_is_on_its_way_and_what_it_misses_arrives() {
    // (cut from, to, what comes of a request sent at 0 whose answer leaves at 150 and would arrive at 200)
    for (from, to, expected) in [
        (20, 80, "700 no answer within 700ms"),
        (180, 300, "700 no answer within 700ms"),
        (10, 40, "200 200 after 0 others"),
        (60, 140, "200 200 after 0 others"),
    ] {
        let (mut sim, lab) = Lab::plain();
        lab.ask(0, 100, 700);
        lab.at(from, move |lab| {
            let rule = lab.rule(lab.link(), Effect::Cut);
            lab.at(to - from, move |lab| lab.net.remove_rule(rule));
        });
        assert_eq!(play(&mut sim, &lab).last().unwrap(), expected, "cut from {from} to {to}");
    }
}

#[test]
fn a_cut_of_a_node_is_a_cut_of_all_its_links() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(Target::Node(lab.server), Effect::Cut);
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["700 no answer within 700ms"]);
}

#[test]
fn a_lost_message_lets_the_caller_time_out() {
    let (mut sim, lab) = Lab::new(LinkModel { loss: 1.0, ..LinkModel::new(HOP, Duration::ZERO) });
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["700 no answer within 700ms"]);
    let (mut sim, lab) = Lab::plain();
    lab.rule(Target::OneWay(lab.server, lab.client), Effect::Drop(1.0));
    lab.ask(0, 0, 700);
    assert_eq!(play(&mut sim, &lab), ["50 handler done", "700 no answer within 700ms"]);
}

#[test]
fn a_duplicated_request_is_handled_twice_and_the_first_reply_wins() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(lab.link(), Effect::Duplicate(1.0));
    lab.ask(0, 400, 5_000);
    // The second handler needs half the time, so its reply is first.
    assert_eq!(play(&mut sim, &lab), ["250 handler done", "300 200 after 1 others", "450 handler done"]);
    assert_eq!(of_kind(&sim, http::RESPONSE_RECEIVED).len(), 1);
}

#[test]
fn a_slow_link_delays_messages_and_a_slow_node_its_work() {
    let (mut sim, lab) = Lab::plain();
    let rule = lab.rule(lab.link(), Effect::Slow(4.0));
    lab.ask(0, 100, 5_000);
    lab.at(1_000, move |lab| {
        lab.net.remove_rule(rule);
        lab.rule(Target::Node(lab.server), Effect::Slow(3.0));
        lab.rule(Target::OneWay(lab.client, lab.server), Effect::Slow(2.0));
    });
    lab.ask(1_001, 100, 5_000);
    assert_eq!(
        play(&mut sim, &lab),
        // The second handler's work is half as much.
        ["300 handler done", "500 200 after 0 others", "1251 handler done", "1301 200 after 1 others"]
    );
}

// --- giving up ----------------------------------------------------------------------------------------------------

#[test]
fn a_caller_that_gives_up_drops_the_handler_exactly_one_link_delay_later() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 5_000, 300);
    assert_eq!(play(&mut sim, &lab), ["300 no answer within 300ms", "350 handler dropped"]);
    let (abandoned, cancelled) = (of_kind(&sim, http::ABANDONED), of_kind(&sim, http::CANCELLED));
    let [(abandoned, cancelled)] = abandoned.iter().zip(&cancelled).collect::<Vec<_>>()[..] else {
        panic!("{abandoned:?} {cancelled:?}");
    };
    assert_eq!((abandoned.node, abandoned.at), (lab.client.0, Instant::from_millis(300)));
    assert_eq!((cancelled.node, cancelled.at), (lab.server.0, Instant::from_millis(350)));
    assert_eq!(cancelled.cause, abandoned.n);
    assert!(of_kind(&sim, http::RESPONSE_SENT).is_empty());
}

#[test]
fn a_caller_that_crashes_cancels_the_handler_too() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 5_000, 9_000);
    lab.at(400, |lab| lab.net.crash(lab.client));
    assert_eq!(play(&mut sim, &lab), ["450 handler dropped"]);
}

#[test]
fn every_copy_of_a_duplicated_request_is_cancelled() {
    let (mut sim, lab) = Lab::plain();
    lab.rule(lab.link(), Effect::Duplicate(1.0));
    lab.ask(0, 6_000, 300);
    assert_eq!(
        play(&mut sim, &lab),
        ["300 no answer within 300ms", "350 handler dropped", "350 handler dropped"]
    );
}

#[test]
fn a_request_whose_caller_gave_up_before_it_arrived_is_not_handled_beyond_the_news() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 5_000, 10);
    // It arrives at 50, the news at 60.
    assert_eq!(play(&mut sim, &lab), ["10 no answer within 10ms", "60 handler dropped"]);
}

#[test]
fn a_server_that_cannot_hear_the_news_works_on() {
    let (mut sim, lab) = Lab::plain();
    lab.ask(0, 1_000, 300);
    lab.at(200, |lab| {
        lab.rule(lab.link(), Effect::Cut);
    });
    assert_eq!(play(&mut sim, &lab), ["300 no answer within 300ms", "1050 handler done"]);
    assert!(of_kind(&sim, http::CANCELLED).is_empty());
}

#[test]
fn errors_have_the_words_of_the_real_stack() {
    let all = [HttpError::Refused, HttpError::Reset, HttpError::TimedOut(ms(1_500))];
    assert_eq!(all.map(|e| e.code()), ["refused", "reset", "timed_out"]);
    assert_eq!(
        all.map(|e| e.to_string()),
        ["connection refused", "connection reset by peer", "no answer within 1.5s"]
    );
}

#[test]
fn a_port_is_its_newest_listeners_and_nobodys_once_that_is_dropped() {
    const OTHER: &str = "localhost:9000";
    let (mut sim, lab) = Lab::plain();
    lab.http.assign(OTHER, lab.server);
    let serve = |name: &'static str| {
        let listener = lab.http.listen(OTHER);
        let serve = listener.serve(move |_| async move { Response::json(200, &name) });
        lab.ctx.spawn_in(lab.server.scope(), serve)
    };
    for at in [100, 300, 500, 700] {
        let here = lab.clone();
        lab.at(at, move |lab| {
            let url = format!("http://{OTHER}/").parse().unwrap();
            lab.ctx.spawn_in(lab.client.scope(), async move {
                let answer = here.http.fetch(here.client, Request::get(url)).await;
                here.note(answer.map_or_else(|error| error.to_string(), |answer| answer.parse().unwrap()));
            });
        });
    }
    let first = serve("first");
    sim.run_until(Instant::from_millis(200));
    let second = serve("second");
    sim.run_until(Instant::from_millis(400));
    lab.ctx.abort(first);
    sim.run_until(Instant::from_millis(600));
    lab.ctx.abort(second);
    assert_eq!(play(&mut sim, &lab), ["200 first", "400 second", "600 second", "800 connection refused"]);
}

#[test]
fn a_rule_is_in_the_trace_when_it_begins_and_when_it_ends() {
    let (mut sim, lab) = Lab::plain();
    let (begun, target) = (Rc::new(RefCell::new(None)), lab.link());
    let rule = Rc::clone(&begun);
    lab.at(100, move |lab| *rule.borrow_mut() = Some(lab.rule(target, Effect::Cut)));
    lab.at(300, move |lab| lab.net.remove_rule(begun.take().unwrap()));
    play(&mut sim, &lab);
    let at = |kind| of_kind(&sim, kind).iter().map(|r| r.at.as_millis_f64()).collect::<Vec<_>>();
    assert_eq!(at(glasshive::net::FAULT_STARTED), [100.0]);
    assert_eq!(at(glasshive::net::FAULT_ENDED), [300.0]);
}
