//! The store on a node, and the client library: over a link, through crashes, cuts and losses.

use futures::FutureExt;
use glasshive::kernel::{Duration, Instant, Sim, Sink, Span};
use glasshive::net::{Effect, LinkModel, Net, NodeId, Rule, Target};
use glasshive::substrate::stream::{ConnectError, Streams};
use glasshive::substrate::valkey::{
    Config, Disk, Error, OutputLimit, Persistence, Probe, Seen, Valkey, Version, serve_probed,
};
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

const ADDRESS: &str = "valkey:6379";

#[derive(Clone)]
struct Lab {
    net: Net,
    client: NodeId,
    server: NodeId,
    valkey: Valkey,
    probe: Probe,
    notes: Rc<RefCell<Vec<String>>>,
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Lab {
    fn new(config: Config) -> (Sim, Lab) {
        let sim = Sim::new(1, Sink::Full);
        let net = Net::new(&sim.ctx(), false);
        let (client, server) = (net.add_node("api"), net.add_node("valkey"));
        net.connect(client, server, LinkModel::new(ms(10), Duration::ZERO));
        let wire = Streams::new(&net);
        wire.assign(ADDRESS, server);
        let (disk, probe, role_wire) = (Disk::new(), Probe::default(), wire.clone());
        let role_probe = probe.clone();
        net.set_role(server, move |shutdown| {
            let (wire, address, probe) = (role_wire.clone(), ADDRESS.to_owned(), role_probe.clone());
            serve_probed(wire, address, config.clone(), disk.clone(), shutdown, probe).boxed_local()
        });
        net.set_role(client, |_| std::future::pending().boxed_local());
        net.start(server);
        net.start(client);
        let valkey = Valkey::connect(&wire, client, ADDRESS);
        (sim, Lab { net, client, server, valkey, probe, notes: Rc::default() })
    }

    /// At `at` ms the client begins something, and notes what became of it.
    fn at<F, Fut, T>(&self, at: u64, act: F)
    where
        F: FnOnce(Lab) -> Fut + 'static,
        Fut: Future<Output = T>,
        T: std::fmt::Debug,
    {
        let lab = self.clone();
        self.net.ctx().spawn_in(self.client.scope(), async move {
            lab.net.ctx().sleep(ms(at)).await;
            let outcome = act(lab.clone()).await;
            let now = lab.net.ctx().now().as_millis_f64();
            lab.notes.borrow_mut().push(format!("{now} {outcome:?}"));
        });
    }

    fn notes(&self) -> Vec<String> {
        self.notes.take()
    }
}

fn config(persistence: Persistence) -> Config {
    Config { persistence, ..Config::new(Version::Valkey8) }
}

#[test]
fn commands_take_a_round_trip_and_the_first_one_opens_the_connection() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    lab.at(0, |lab| async move { lab.valkey.lpush("q", "a").await });
    lab.at(100, |lab| async move { lab.valkey.hset("h", &[("status", "PENDING"), ("by", "c-01")]).await });
    lab.at(100, |lab| async move { lab.valkey.hgetall("h").await });
    lab.at(200, |lab| async move { lab.valkey.command(["INCR", "h"]).await });
    lab.at(300, |lab| async move { lab.valkey.lmove("q", "processing").await });
    lab.at(400, |lab| async move { lab.valkey.lrem("processing", 1, "a").await });
    sim.run_until(Instant::from_millis(500));
    assert_eq!(
        lab.notes(),
        [
            "40 Ok(1)",
            "120 Ok(2)",
            r#"120 Ok([("status", "PENDING"), ("by", "c-01")])"#,
            r#"220 Err(Server("WRONGTYPE Operation against a key holding the wrong kind of value"))"#,
            r#"320 Ok(Some("a"))"#,
            "420 Ok(1)",
        ]
    );
}

#[test]
fn a_blocked_pop_gets_what_is_pushed_or_nothing_after_its_time() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    lab.at(0, |lab| async move { lab.valkey.brpop("q", ms(0)).await });
    lab.at(200, |lab| async move { lab.valkey.lpush("q", "job").await });
    lab.at(1000, |lab| async move { lab.valkey.brpop("q", ms(330)).await });
    sim.run_until(Instant::from_millis(2000));
    // Blocked at 1030, due at 1360, noticed by an idle server at 1400.
    assert_eq!(lab.notes(), ["240 Ok(1)", r#"240 Ok(Some("job"))"#, "1410 Ok(None)"]);
}

/// Notes what a probe sees, and how long the list `q` is then.
fn note_seen(lab: &Lab) {
    let (probe, notes) = (lab.probe.clone(), Rc::clone(&lab.notes));
    lab.probe.listen(move |_, seen| {
        let what = match seen {
            Seen::Started => "started".to_owned(),
            Seen::Saved => "saved".to_owned(),
            Seen::Executed { words, reply, .. } => {
                format!("{} {reply:?}", String::from_utf8_lossy(&words[0]))
            }
        };
        notes.borrow_mut().push(format!("{what}, {}", probe.list_len("q")));
    });
}

#[test]
fn a_probe_sees_a_command_after_its_effect_and_with_its_outcome() {
    let (mut sim, lab) = Lab::new(config(Persistence::default_save_points()));
    note_seen(&lab);
    let alone = |lab: Lab| async move { drop(lab.valkey.brpop("q", ms(0)).await) };
    lab.at(0, alone);
    let own = |lab: Lab| async move {
        let [push, multi, queued, wrong, exec] =
            [&["LPUSH", "q", "a", "b"][..], &["MULTI"], &["RPUSH", "q", "c"], &["INCR", "q"], &["EXEC"]]
                .map(|words| lab.valkey.send(words.iter().map(|word| word.as_bytes().into()).collect()));
        let _ = futures::join!(push, multi, queued, wrong, exec);
        drop(lab.valkey.command(["LPUSH", "q"]).await);
    };
    lab.at(200, own);
    sim.run_until(Instant::from_millis(500));
    lab.net.stop(lab.server);
    sim.run_until(Instant::from_millis(600));
    lab.net.start(lab.server);
    sim.run_until(Instant::from_millis(700));
    let mut seen = lab.notes();
    seen.retain(|note| !note.ends_with("()"));
    let wrong = r#"INCR Error("WRONGTYPE Operation against a key holding the wrong kind of value"), 2"#;
    assert_eq!(
        seen,
        [
            "started, 0",
            "LPUSH Int(2), 1",
            "BRPOP Array([Bulk([113]), Bulk([97])]), 1",
            "MULTI Simple(\"OK\"), 1",
            "RPUSH Int(2), 2",
            wrong,
            "LPUSH Error(\"ERR wrong number of arguments for 'lpush' command\"), 2",
            "saved, 2",
            "started, 2",
        ]
    );
}

#[test]
fn a_worker_that_dies_while_blocked_takes_no_job_with_it() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    lab.at(0, |lab| async move {
        let pop = lab.valkey.brpop("q", ms(0));
        lab.net.ctx().timeout(ms(100), pop).await
    });
    lab.at(200, |lab| async move { lab.valkey.lpush("q", "job").await });
    lab.at(300, |lab| async move { lab.valkey.llen("q").await });
    sim.run_until(Instant::from_millis(1000));
    assert_eq!(lab.notes(), ["100 Err(Elapsed)", "240 Ok(1)", "320 Ok(1)"]);
}

#[test]
fn conformance_server_kill_with_blocked_client() {
    for graceful in [false, true] {
        let (mut sim, lab) = Lab::new(config(Persistence::None));
        lab.at(0, |lab| async move { lab.valkey.brpop("q", ms(0)).await });
        lab.at(0, |lab| async move { lab.valkey.ping().await });
        sim.run_until(Instant::from_millis(100));
        if graceful {
            lab.net.stop(lab.server)
        } else {
            lab.net.crash(lab.server)
        }
        sim.run_until(Instant::from_millis(200));
        assert_eq!(lab.notes(), ["40 Ok(())", "110 Err(Lost)"], "graceful: {graceful}");
        assert!(!lab.net.is_up(lab.server), "it has ended");
    }
}

#[test]
fn whoever_hears_that_the_connection_broke_is_busy_with_what_it_was() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    // The first one opens the connection that the others share.
    for (tag, at) in [(1, 0), (2, 100), (3, 100)] {
        lab.at(at, move |lab| async move {
            let ctx = lab.net.ctx();
            ctx.set_span(Span { tag, ..ctx.span() });
            let outcome = lab.valkey.ping().await;
            (outcome, ctx.span().tag)
        });
    }
    sim.run_until(Instant::from_millis(105));
    lab.net.crash(lab.server);
    sim.run_until(Instant::from_millis(200));
    assert_eq!(lab.notes(), ["40 (Ok(()), 1)", "115 (Err(Lost), 2)", "115 (Err(Lost), 3)"]);
}

#[test]
fn clients_connect_again_and_find_what_the_disk_kept() {
    let kept =
        [(Persistence::None, 0), (Persistence::default_save_points(), 0), (Persistence::AppendOnly, 1)];
    for (persistence, left) in kept {
        let (mut sim, lab) = Lab::new(config(persistence));
        lab.at(0, |lab| async move { lab.valkey.lpush("q", "a").await });
        sim.run_until(Instant::from_millis(100));
        lab.net.crash(lab.server);
        lab.at(100, |lab| async move { lab.valkey.llen("q").await });
        sim.run_until(Instant::from_millis(300));
        lab.net.start(lab.server);
        lab.at(100, |lab| async move { lab.valkey.llen("q").await });
        sim.run_until(Instant::from_millis(600));
        let refused = format!("220 {:?}", Err::<i64, _>(Error::Connect(ConnectError::Refused)));
        assert_eq!(lab.notes(), ["40 Ok(1)".to_owned(), refused, format!("440 Ok({left})")]);
    }
}

#[test]
fn a_cut_link_ends_a_command_by_its_time_limit_and_loses_nothing_afterwards() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    lab.at(0, |lab| async move { lab.valkey.ping().await });
    sim.run_until(Instant::from_millis(100));
    let rule = Rule { target: Target::Both(lab.client, lab.server), effect: Effect::Cut };
    let cut = lab.net.add_rule(rule);
    lab.at(0, |lab| async move { lab.valkey.clone().with_time_limit(ms(300)).lpush("q", "late").await });
    sim.run_until(Instant::from_millis(1000));
    lab.net.remove_rule(cut);
    sim.run_until(Instant::from_millis(5000));
    lab.at(0, |lab| async move { lab.valkey.llen("q").await });
    sim.run_until(Instant::from_millis(6000));
    // The push arrived late, and its reply was for somebody who had gone: the next one is not confused by it.
    assert_eq!(lab.notes(), ["40 Ok(())", "400 Err(TimedOut(Duration(300000000)))", "5020 Ok(1)"]);
}

#[test]
fn subscribers_hear_what_is_published_until_the_connection_breaks() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    lab.at(0, |lab| async move {
        let mut news = lab.valkey.subscribe("config").await.expect("a subscription");
        let mut heard = Vec::new();
        while let Some(message) = news.next().await {
            heard.push(message);
        }
        heard
    });
    lab.at(100, |lab| async move { lab.valkey.publish("config", "v1").await });
    lab.at(200, |lab| async move { lab.valkey.publish("config", "v2").await });
    lab.at(200, |lab| async move { lab.valkey.publish("other", "v3").await });
    sim.run_until(Instant::from_millis(300));
    lab.net.crash(lab.server);
    sim.run_until(Instant::from_millis(400));
    assert_eq!(lab.notes(), ["140 Ok(1)", "220 Ok(1)", "220 Ok(0)", r#"310 ["v1", "v2"]"#]);
}

#[test]
fn conformance_slow_subscriber_dropped() {
    let limit = OutputLimit { hard: 1 << 20, soft: 0, soft_seconds: 0 };
    let (mut sim, lab) = Lab::new(Config { pubsub_limit: limit, ..Config::new(Version::Redis7) });
    lab.at(0, |lab| async move {
        let _unread = lab.valkey.subscribe("ch").await.expect("a subscription");
        std::future::pending::<()>().await;
    });
    lab.at(100, |lab| async move {
        let (message, mut heard) = ("x".repeat(100_000), Vec::new());
        for _ in 0..200 {
            heard.push(lab.valkey.publish("ch", &message).await.expect("a count"));
        }
        let first = heard.iter().position(|&count| count == 0).expect("it is cut off");
        assert!(heard[first..].iter().all(|&count| count == 0));
        (20..60).contains(&first)
    });
    sim.run_until(Instant::from_millis(60_000));
    assert_eq!(lab.notes().len(), 1, "the publisher never fails");
}

#[test]
fn conformance_three_workers_3000_jobs() {
    let (mut sim, lab) = Lab::new(config(Persistence::None));
    for worker in 0..3 {
        lab.at(worker, |lab| async move {
            let mut sum = 0;
            while let Ok(Some(_)) = lab.valkey.brpop("q", ms(1000)).await {
                sum += 1;
            }
            sum
        });
    }
    lab.at(50, |lab| async move {
        for job in 0..3000 {
            lab.valkey.lpush("q", &job.to_string()).await.expect("room");
        }
        0
    });
    sim.run_until(Instant::from_millis(200_000));
    let done: i64 = lab
        .notes()
        .iter()
        .map(|note| note.split(' ').nth(1).and_then(|n| n.parse::<i64>().ok()).expect("a sum"))
        .sum();
    assert_eq!(done, 3000);
}
