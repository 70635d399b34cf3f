//! `Notify`: permits, order, and notifications that are not lost when who was chosen is dropped.

use super::support::{Notes, at, for_seeds, ms, play};
use futures::FutureExt;
use glasshive_kernel::{Ctx, Duration, Notify, Rng, Sim, Sink};
use std::cell::Cell;
use std::rc::Rc;

fn wait(ctx: &Ctx, notify: &Notify, notes: &Notes, name: &'static str) {
    let (notify, notes) = (notify.clone(), notes.clone());
    ctx.spawn(async move {
        notify.notified().await;
        notes.note(name);
    });
}

#[test]
fn one_wakes_the_longest_waiting_and_all_wakes_those_who_wait_now() {
    let lines = play(|ctx, notes| {
        let notify = Notify::new(ctx);
        ["a", "b", "c"].into_iter().for_each(|name| wait(ctx, &notify, &notes, name));
        let task = ctx.clone();
        ctx.spawn(async move {
            task.sleep(ms(1)).await;
            notify.notify_one();
            task.sleep(ms(1)).await;
            notify.notify_all();
            wait(&task, &notify, &notes, "late");
            task.sleep(ms(1)).await;
            notes.note("then");
            notify.notify_one();
        });
    });
    assert_eq!(lines, ["1 a", "2 b", "2 c", "3 then", "3 late"]);
}

#[test]
fn a_notification_of_nobody_lets_one_through_and_only_one() {
    let lines = play(|ctx, notes| {
        let notify = Notify::new(ctx);
        notify.notify_one();
        notify.notify_one();
        notify.notify_all();
        ["a", "b"].into_iter().for_each(|name| wait(ctx, &notify, &notes, name));
    });
    assert_eq!(lines, ["0 a"]);
}

#[test]
fn who_is_chosen_and_dropped_before_it_looks_passes_it_on() {
    let lines = play(|ctx, notes| {
        let notify = Notify::new(ctx);
        let (waiting, task) = (notify.clone(), ctx.clone());
        let chosen = ctx.spawn(async move { waiting.notified().await });
        let second = ctx.clone();
        ctx.spawn(async move {
            second.sleep(ms(1)).await;
            wait(&second, &notify, &notes, "second");
            second.sleep(ms(1)).await;
            notify.notify_one();
            task.abort(chosen);
            second.sleep(ms(1)).await;
            // Nobody is left: the permit stays for the next.
            let mut given_up = Box::pin(notify.notified());
            assert!(given_up.as_mut().now_or_never().is_none());
            notify.notify_one();
            drop(given_up);
            wait(&second, &notify, &notes, "third");
        });
    });
    assert_eq!(lines, ["2 second", "3 third"]);
}

#[test]
fn a_finished_wait_stays_finished_and_an_abandoned_one_takes_nothing() {
    let lines = play(|ctx, notes| {
        let (notify, task) = (Notify::new(ctx), ctx.clone());
        ctx.spawn(async move {
            let mut done = notify.notified();
            notify.notify_one();
            (&mut done).await;
            (&mut done).await;
            drop(done);
            assert!(task.timeout(ms(5), notify.notified()).await.is_err());
            notify.notify_one();
            notify.notified().await;
            notes.note("permit");
        });
    });
    assert_eq!(lines, ["5 permit"]);
}

/// Each unit of a resource that tasks take and give back is counted by a notification.
#[test]
fn no_notification_is_lost_however_waits_are_given_up() {
    for_seeds(0..50, |seed| {
        let mut sim = Sim::new(seed, Sink::None);
        let (notify, units) = (Notify::new(&sim.ctx()), Rc::new(Cell::new(3)));
        let served = Rc::new(Cell::new(0));
        for id in 0..20 {
            let (ctx, notify) = (sim.ctx(), notify.clone());
            let (units, served) = (Rc::clone(&units), Rc::clone(&served));
            let mut rng = Rng::new(seed << 8 | id);
            sim.ctx().spawn(async move {
                for _ in 0..20 {
                    while units.get() == 0 {
                        if rng.chance(0.5) {
                            notify.notified().await;
                        } else {
                            let patience = Duration::from_millis(rng.below(4));
                            let _ = ctx.timeout(patience, notify.notified()).await;
                        }
                    }
                    units.set(units.get() - 1);
                    ctx.sleep(Duration::from_millis(rng.below(4))).await;
                    units.set(units.get() + 1);
                    notify.notify_one();
                    served.set(served.get() + 1);
                }
            });
        }
        sim.run_until(at(100_000));
        assert_eq!((served.get(), units.get()), (400, 3));
    });
}
