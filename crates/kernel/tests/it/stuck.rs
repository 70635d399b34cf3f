//! Programs that let no time pass end with an error that names the instant and the culprit.

use super::support::{at, ms};
use glasshive_kernel::{Ctx, Duration, Instant, Scope, Sim, Sink, Span, Stuck, channel};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

const LIMIT: u64 = 10_000;

/// Gives way to all that is ready, through a waker as any code might have one.
async fn give_way() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A task that sleeps until 5 ms and then never lets time pass, and one that counts milliseconds.
fn sim_with<F: Future<Output = ()> + 'static>(culprit: impl FnOnce(Ctx) -> F) -> (Sim, Rc<Cell<u32>>) {
    let mut sim = Sim::new(1, Sink::None);
    sim.limit_polls(LIMIT);
    let (ctx, culprit) = (sim.ctx(), culprit(sim.ctx()));
    sim.ctx().spawn_in(Scope(7), async move {
        ctx.sleep(ms(5)).await;
        culprit.await;
    });
    let ticks = Rc::new(Cell::new(0));
    let (ctx, counted) = (sim.ctx(), Rc::clone(&ticks));
    sim.ctx().spawn_in(Scope(3), async move {
        loop {
            ctx.sleep(ms(1)).await;
            counted.set(counted.get() + 1);
        }
    });
    (sim, ticks)
}

/// Plays it in one piece and by instants: it gets stuck at 5 ms, in the same way, and stays so.
fn verdict<F: Future<Output = ()> + 'static>(culprit: impl Fn(Ctx) -> F) -> Stuck {
    let (mut sim, ticks) = sim_with(&culprit);
    sim.run_until(at(20));
    let stuck = sim.stuck().cloned().expect("it must not come so far");
    assert_eq!((stuck.at, sim.now(), ticks.get()), (at(5), at(5), 4));
    assert!((LIMIT + 1..=LIMIT + LIMIT / 16).contains(&stuck.polls), "{stuck:?}");
    assert!(stuck.busiest.iter().all(|busy| busy.scope == Scope(7)), "{stuck:?}");
    let counted = stuck.busiest.iter().map(|busy| busy.polls).sum();
    assert!((LIMIT * 9 / 10..=stuck.polls).contains(&counted), "{stuck:?}");
    sim.run_until(at(30));
    assert!(!sim.run_instant(at(30)), "nothing happens any more");
    assert_eq!((sim.stuck(), sim.now(), ticks.get()), (Some(&stuck), at(5), 4));

    let (mut sim, _) = sim_with(culprit);
    while sim.run_instant(Instant::MAX) {}
    assert_eq!(sim.stuck(), Some(&stuck), "by instants");
    stuck
}

#[test]
fn a_task_that_always_wakes_itself_is_stopped() {
    let stuck = verdict(|ctx| async move {
        ctx.set_span(Span { tag: 42, cause: 0 });
        loop {
            give_way().await;
        }
    });
    assert_eq!(stuck.busiest[0].span.tag, 42, "what it was busy with");
    assert!(stuck.busiest[0].spawned_at.file().ends_with("stuck.rs"));
    let text = stuck.to_string();
    let begin = format!("virtual time stands still at 5ms: {} polls in this instant, ", stuck.polls);
    assert!(text.starts_with(&begin) && text.contains(" of scope 7 spawned at "), "{text}");
}

#[test]
fn a_chain_of_sleeps_for_no_time_is_stopped() {
    verdict(|ctx| async move {
        loop {
            ctx.sleep(Duration::ZERO).await;
        }
    });
    verdict(|ctx| async move {
        loop {
            give_way().await;
            ctx.sleep_until(ctx.now()).await;
        }
    });
}

#[test]
fn tasks_that_send_each_other_messages_that_take_no_time_are_stopped() {
    let stuck = verdict(|ctx| async move {
        let ((to_a, mut at_a), (to_b, mut at_b)) = (channel(&ctx, 1), channel(&ctx, 1));
        ctx.spawn(async move {
            while let Some(n) = at_b.recv().await {
                to_a.send(n + 1).unwrap();
            }
        });
        for n in 0_u64.. {
            to_b.send(n).unwrap();
            at_a.recv().await;
        }
    });
    assert_eq!(stuck.busiest.len(), 2);
    assert!(
        stuck.busiest[0].polls.abs_diff(stuck.busiest[1].polls) < 10,
        "each of the two has half: {stuck}"
    );
}

#[test]
fn a_task_whose_inbox_is_never_empty_is_stopped() {
    verdict(|ctx| async move {
        let (own, mut inbox) = channel(&ctx, 1);
        loop {
            own.send(()).unwrap();
            inbox.recv().await;
        }
    });
}

#[test]
fn a_chain_of_tasks_that_are_polled_once_each_is_stopped_and_its_line_named() {
    fn next(ctx: Ctx) {
        let task = ctx.clone();
        ctx.spawn(async move { next(task) });
    }
    let stuck = verdict(|ctx| async move { next(ctx) });
    let here = stuck.busiest[0].spawned_at.line();
    let source = include_str!("stuck.rs").lines().nth(here as usize - 1);
    assert!(source.unwrap().contains("async move { next(task) }"), "{stuck}");
}

#[test]
fn the_busiest_is_named_not_the_last() {
    let mut sim = Sim::new(1, Sink::None);
    sim.limit_polls(LIMIT);
    for scope in [5, 9, 11, 13, 15] {
        let ctx = sim.ctx();
        sim.ctx().spawn_in(Scope(scope), async move {
            loop {
                give_way().await;
                if scope == 9 {
                    ctx.sleep(Duration::ZERO).await;
                }
            }
        });
    }
    sim.run_until(at(1));
    let stuck = sim.stuck().unwrap();
    assert_eq!(stuck.at, at(0));
    let named: Vec<u32> = stuck.busiest.iter().map(|busy| busy.scope.0).collect();
    assert_eq!(named, [9, 5, 11]);
    assert!(stuck.busiest[0].polls.abs_diff(stuck.polls / 3) < LIMIT / 16, "{stuck}");
}

#[test]
fn the_limit_is_for_each_instant_and_a_busy_one_below_it_is_let_through() {
    for limit in [1, 10, 1_000, 100_000] {
        let mut sim = Sim::new(1, Sink::None);
        sim.limit_polls(limit);
        let ctx = sim.ctx();
        sim.ctx().spawn(async move {
            for _ in 0..50 {
                // A timer's poll comes first.
                for _ in 0..limit - 1 {
                    give_way().await;
                }
                ctx.sleep(ms(1)).await;
            }
        });
        sim.run_until(at(49));
        assert_eq!((sim.stuck(), sim.now()), (None, at(49)), "{limit}");
    }
}

#[test]
fn without_a_limit_nothing_is_stopped() {
    let mut sim = Sim::new(1, Sink::None);
    let ctx = sim.ctx();
    sim.ctx().spawn(async move {
        for _ in 0..3_000_000 {
            ctx.sleep(Duration::ZERO).await;
        }
        ctx.sleep(ms(1)).await;
    });
    sim.run_until(at(2));
    assert_eq!((sim.stuck(), sim.now()), (None, at(2)));
}
