//! Code that knows nothing of our kernel runs on it: the combinators and channels of `futures`, and wakers that are
//! cloned, kept, woken late, or woken after their task is gone.

use super::support::{at, ms, play};
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, join_all, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, SinkExt, StreamExt, select_biased};
use glasshive_kernel::{Ctx, Sim, Sink, channel};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

fn after(ctx: &Ctx, delay: u64) -> impl Future<Output = u64> + use<> {
    let ctx = ctx.clone();
    async move {
        ctx.sleep(ms(delay)).await;
        delay
    }
}

#[test]
fn join_all_waits_for_the_slowest_and_keeps_the_order() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            notes.note(format!("{:?}", join_all([30, 10, 20].map(|d| after(&ctx2, d))).await));
            // More than thirty: `join_all` then hands each future a waker of its own.
            let many = join_all((0..100).map(|d| after(&ctx2, d % 50))).await;
            notes.note(many.iter().sum::<u64>());
        });
    });
    assert_eq!(lines, ["30 [30, 10, 20]", "79 2450"]);
}

#[test]
fn futures_unordered_yields_in_order_of_completion() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let mut set: FuturesUnordered<_> =
                [30, 10, 20, 10].map(|d| after(&ctx2, d)).into_iter().collect();
            while let Some(delay) = set.next().await {
                notes.note(delay);
                if delay == 20 {
                    set.push(after(&ctx2, 5));
                }
            }
        });
    });
    assert_eq!(lines, ["10 10", "10 10", "20 20", "25 5", "30 30"]);
}

#[test]
fn the_first_ready_branch_of_a_biased_select_wins_and_the_others_are_cancelled() {
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = channel(ctx, 4);
        sender.send_at(at(20), ()).unwrap();
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let _sender = sender;
            for _ in 0..3 {
                let mut message = pin!(receiver.recv().fuse());
                let mut slow = pin!(after(&ctx2, 30).fuse());
                let mut tick = pin!(after(&ctx2, 20).fuse());
                select_biased! {
                    _ = message => notes.note("message"),
                    _ = slow => notes.note("slow"),
                    _ = tick => notes.note("tick"),
                }
            }
            match select(pin!(after(&ctx2, 9)), pin!(after(&ctx2, 7))).await {
                Either::Left(_) => notes.note("left"),
                Either::Right((_, rest)) => {
                    notes.note("right");
                    rest.await;
                    notes.note("left after all");
                }
            }
        });
    });
    assert_eq!(lines, ["20 message", "40 tick", "60 tick", "67 right", "69 left after all"]);
}

#[test]
fn channels_of_futures_carry_messages_and_their_end() {
    let lines = play(|ctx, notes| {
        let (mut sender, mut receiver) = mpsc::channel(0);
        let (promise, answer) = oneshot::channel();
        let (broken, never) = oneshot::channel::<()>();
        let (ctx2, n) = (ctx.clone(), notes.clone());
        ctx.spawn(async move {
            for i in 0..4 {
                sender.send(i).await.unwrap();
                n.note(format!("sent {i}"));
            }
            ctx2.sleep(ms(7)).await;
            promise.send("answer").unwrap();
            drop(broken);
        });
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            while let Some(i) = receiver.next().await {
                notes.note(format!("got {i}"));
                ctx2.sleep(ms(10)).await;
            }
            notes.note(answer.await.unwrap());
            assert!(never.await.is_err());
        });
    });
    // Without a buffer a send ends when the receiver has taken the message.
    let pair = |i: u64| [format!("{} got {i}", 10 * i), format!("{} sent {i}", 10 * i)];
    let mut expected: Vec<String> = (0..4).flat_map(pair).collect();
    expected.push("40 answer".to_owned());
    assert_eq!(lines, expected);
}

#[test]
fn a_shared_future_wakes_every_task_that_waits_for_it() {
    let lines = play(|ctx, notes| {
        let shared = after(ctx, 10).shared();
        for name in ["a", "b", "c"] {
            let (shared, notes) = (shared.clone(), notes.clone());
            ctx.spawn(async move {
                shared.await;
                notes.note(name);
            });
        }
    });
    assert_eq!(lines, ["10 a", "10 b", "10 c"]);
}

#[test]
fn a_future_that_moves_between_a_task_and_a_combinator_is_still_woken() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let mut sleep = pin!(after(&ctx2, 100));
            let (sender, mut receiver) = channel::<u8>(&ctx2, 1);
            {
                // Polled under a combinator's waker first …
                let mut set: FuturesUnordered<_> = [sleep.as_mut()].into_iter().collect();
                assert!(ctx2.timeout(ms(10), set.next()).await.is_err());
                let mut set: FuturesUnordered<_> = [Box::pin(receiver.recv())].into_iter().collect();
                assert!(ctx2.timeout(ms(10), set.next()).await.is_err());
            }
            // … then under the task's own, then under another one's.
            assert!(ctx2.timeout(ms(10), sleep.as_mut()).await.is_err());
            assert!(ctx2.timeout(ms(10), receiver.recv()).await.is_err());
            sender.send_at(at(70), 1).unwrap();
            let both = join_all([receiver.recv().map(|_| ()).boxed_local(), sleep.map(|_| ()).boxed_local()]);
            both.await;
            notes.note("both");
        });
    });
    assert_eq!(lines, ["100 both"]);
}

/// Keeps the waker of whoever polls it; ready when told so.
#[derive(Clone, Default)]
struct Signal(Rc<SignalState>);

#[derive(Default)]
struct SignalState {
    set: Cell<bool>,
    polls: Cell<u32>,
    wakers: RefCell<Vec<Waker>>,
}

impl Signal {
    async fn wait(self) {
        poll_fn(|cx| {
            self.0.polls.set(self.0.polls.get() + 1);
            self.0.wakers.borrow_mut().push(cx.waker().clone());
            if self.0.set.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[test]
fn a_sleep_that_moves_to_another_task_wakes_that_one() {
    let lines = play(|ctx, notes| {
        let (sender, receiver) = oneshot::channel();
        let (from, to, woken) = (ctx.clone(), ctx.clone(), notes.clone());
        ctx.spawn(async move {
            let mut sleep = from.sleep(ms(20));
            // It waits in this task first.
            assert!(poll_fn(|cx| Poll::Ready(sleep.poll_unpin(cx))).await.is_pending());
            assert!(sender.send(sleep).is_ok());
            poll_fn(|_| {
                notes.note("polled");
                Poll::<()>::Pending
            })
            .await;
        });
        ctx.spawn(async move {
            receiver.await.unwrap().await;
            assert_eq!(to.now(), at(20));
            woken.note("woken");
        });
    });
    assert_eq!(lines, ["0 polled", "20 woken"]);
}

#[test]
fn a_waker_may_be_cloned_kept_and_woken_late_from_anywhere() {
    let mut sim = Sim::new(1, Sink::None);
    let (signal, done) = (Signal::default(), Rc::new(Cell::new(false)));
    let (waiting, d) = (signal.clone(), Rc::clone(&done));
    sim.ctx().spawn(async move {
        waiting.wait().await;
        d.set(true);
    });
    sim.run_until(at(10));
    let waker = signal.0.wakers.borrow()[0].clone();
    assert!(waker.will_wake(&waker.clone()));
    // A wake with nothing to see is a poll and no more; several before a poll are one.
    waker.wake_by_ref();
    let another = waker.clone();
    another.wake();
    sim.run_until(at(20));
    assert_eq!((signal.0.polls.get(), done.get()), (2, false));
    // From outside the simulation, and from another thread.
    signal.0.set.set(true);
    std::thread::spawn(move || waker.wake()).join().unwrap();
    sim.run_until(at(30));
    assert!(done.get());
}

#[test]
fn a_waker_woken_within_its_own_poll_polls_again() {
    let polls = Rc::new(Cell::new(0));
    let p = Rc::clone(&polls);
    let lines = play(|ctx, notes| {
        ctx.spawn(async move {
            poll_fn(|cx| {
                p.set(p.get() + 1);
                cx.waker().wake_by_ref();
                if p.get() == 4 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            notes.note("ready");
        });
    });
    assert_eq!((lines, polls.get()), (vec!["0 ready".to_owned()], 4));
}

#[test]
fn stale_wakers_are_harmless() {
    let mut sim = Sim::new(1, Sink::None);
    let ctx = sim.ctx();
    let (ended, aborted) = (Signal::default(), Signal::default());
    ended.0.set.set(true);
    ctx.spawn(ended.clone().wait());
    let task = ctx.spawn(aborted.clone().wait());
    sim.run_until(at(1));
    ctx.abort(task);
    let wakers: Vec<Waker> = [&ended, &aborted].iter().flat_map(|s| s.0.wakers.borrow().clone()).collect();
    assert_eq!(wakers.len(), 2);
    wakers.iter().for_each(Waker::wake_by_ref);
    sim.run_until(at(2));
    // New tasks in the old slots: a wake meant for the old ones may poll them, and changes nothing else.
    let done = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let (ctx2, done) = (ctx.clone(), Rc::clone(&done));
        ctx.spawn(async move {
            ctx2.sleep(ms(10)).await;
            assert_eq!(ctx2.now(), at(12), "a stale waker ended a sleep early");
            done.set(done.get() + 1);
        });
    }
    wakers.iter().for_each(Waker::wake_by_ref);
    sim.run_until(at(5));
    wakers.iter().for_each(Waker::wake_by_ref);
    sim.run_until(at(20));
    drop(sim);
    // After the simulation is gone too.
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!((done.get(), ended.0.polls.get(), aborted.0.polls.get()), (2, 1, 1));
}
