//! Tasks that are gone, that are being polled, or that panic. Small, since Miri runs them too.

use super::*;
use crate::bare::Pool;
use crate::bare::tests::{Woken, start, take};
use crate::foresight::{Foresee, Foreseeing, Plain};
use std::future::{pending, poll_fn};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

type All = Slots<Arc<Woken>>;

struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Polls all that are ready, and says how many came to their end or were aborted.
fn run(slots: &All, pool: &Pool) -> usize {
    let (mut over, waker) = (0, slots.lend());
    while let Some(due) = slots.pop_ready() {
        if let Some((task, slot)) = slots.poll(due, &waker) {
            slot.into_iter().for_each(|slot| slots.release(slot));
            pool.drop(task);
            over += 1;
        }
    }
    over
}

/// A task that counts its polls.
fn counting(pool: &Pool, polls: &Rc<Cell<u32>>) -> Task {
    let polls = Rc::clone(polls);
    pool.put(Plain::new(poll_fn(move |_| {
        polls.set(polls.get() + 1);
        Poll::Pending
    })))
}

#[test]
fn what_led_to_a_task_that_is_gone_does_not_lead_to_the_next_in_its_slot() {
    let (slots, pool, polls) = (All::default(), Pool::default(), Rc::default());
    let first = start(&slots, counting(&pool, &polls));
    let timers = [slots.start_timer(5, first), slots.start_timer(7, first), slots.start_timer(9, first)];
    drop(take(&slots, first));
    let second = start(&slots, counting(&pool, &polls));
    assert_eq!((first.index(), first == second), (second.index(), false), "the slot is used again");
    slots.wake(first);
    // It is ready once for itself, and once for the one that is gone.
    assert_eq!((run(&slots, &pool), polls.get()), (0, 1));
    slots.wake(first);
    assert!(!slots.has_ready(), "nobody is woken in its stead");
    assert!(slots.redirect_timer(timers[1], Ok(second)).is_some());
    assert!(slots.cancel_timer(timers[2]).is_some() && !slots.is_live(timers[2]));
    let waker = slots.lend();
    for (at, polled) in [(5, 1), (7, 2)] {
        let Some((time, Fired::Task(due))) = slots.pop_timer(u64::MAX) else {
            panic!("a task's timer is next");
        };
        assert!(slots.poll(due, &waker).is_none());
        assert_eq!((time, polls.get()), (at, polled));
    }
    assert!(slots.pop_timer(u64::MAX).is_none());
}

#[test]
fn a_timer_leads_to_the_task_or_the_foreign_waker_that_it_was_set_for() {
    let (slots, pool) = (All::default(), Pool::default());
    let id = start(&slots, pool.put(Plain::new(pending())));
    let slot = slots.get(id.index()).expect("it was started");
    slots.start_timer_of(1, slot);
    let (task, foreign) = (slots.start_timer(2, id), slots.start_foreign_timer(3, 8));
    assert!(matches!(slots.redirect_timer(task, Err(9)), Some(Fired::Task(due)) if due.slot().is_of(id)));
    assert!(matches!(slots.redirect_timer(foreign, Ok(id)), Some(Fired::Foreign(8))));
    // Of another simulation, perhaps: nobody is woken.
    slots.start_timer(4, TaskId::new(1_000, NonZeroU32::MIN));
    let fired = |at| match slots.pop_timer(u64::MAX) {
        Some((time, Fired::Task(due))) if time == at => Ok(due.slot().id()),
        Some((time, Fired::Foreign(place))) if time == at => Err(place),
        _ => panic!("one is due at {at}"),
    };
    assert_eq!([fired(1), fired(2), fired(3)], [Ok(id), Err(9), Ok(id)]);
    assert!(fired(4).is_err_and(|place| place > 1_000));
}

#[test]
fn who_is_being_polled_is_not_taken_out_and_comes_back_when_that_is_over() {
    let (slots, pool, drops) = (Rc::new(All::default()), Pool::default(), Rc::default());
    let (own, counted) = (Rc::clone(&slots), Counted(Rc::clone(&drops)));
    let id = start(
        &slots,
        pool.put(Plain::new(poll_fn(move |_| {
            let slot = own.current().expect("one is being polled");
            assert!(ptr::eq(slot, own.here()));
            assert!(slot.take().is_none() && slot.take().is_none() && !slot.foresee(0) && !slot.fetch_task());
            assert_eq!((slot.state(), counted.0.get()), (State::AbortedWhileRunning, 0));
            Poll::Pending
        }))),
    );
    assert_eq!((run(&slots, &pool), drops.get()), (1, 1));
    let slot = slots.get(id.index()).expect("it was started");
    assert!(slots.current().is_none() && slot.state() == State::Free && !slot.is_of(id));
}

#[test]
fn who_is_looked_at_is_not_taken_out() {
    struct Seer(Rc<Slots<Arc<Woken>>>, Counted);

    impl Future for Seer {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    impl Foresee for Seer {
        fn foresee(&self, _: usize) -> bool {
            let slot = self.0.get(0).expect("it is this one's");
            assert!(slot.take().is_none() && !slot.foresee(0));
            self.1.0.get() == 0
        }
    }

    let (slots, pool, drops) = (Rc::new(All::default()), Pool::default(), Rc::default());
    let seer = Seer(Rc::clone(&slots), Counted(Rc::clone(&drops)));
    let id = start(&slots, pool.put(Foreseeing::new(seer)));
    let slot = slots.get(id.index()).expect("it was started");
    assert!(slot.foresee(0) && slot.foresee(1) && slot.state() == State::Waiting);
    drop(take(&slots, id));
    assert_eq!(drops.get(), 1);
}

#[test]
fn who_panics_is_dropped_and_never_polled_again() {
    let (slots, pool, drops) = (All::default(), Pool::default(), Rc::default());
    let counted = Counted(Rc::clone(&drops));
    let id = start(&slots, pool.put(Plain::new(poll_fn(move |_| panic!("after {}", counted.0.get())))));
    assert!(catch_unwind(AssertUnwindSafe(|| run(&slots, &pool))).is_err());
    assert!(drops.get() == 1 && slots.current().is_none());
    let slot = slots.get(id.index()).expect("it was started");
    assert_eq!(slot.state(), State::AbortedWhileRunning, "nobody is being polled");
    slots.wake(id);
    assert_eq!((run(&slots, &pool), drops.get()), (0, 1));
}

/// Ends the task that is being polled, and starts a counting one in its slot.
fn go_on(slots: &All, pool: &Pool, polls: &Rc<Cell<u32>>) {
    let before = slots.current().expect("one is being polled").id();
    slots.release(slots.end().expect("one is being polled"));
    assert!(slots.current().is_none() && slots.end().is_none());
    let next = start(slots, counting(pool, polls));
    assert_eq!((next.index(), next.generation()), (before.index(), before.generation() + 1), "in its slot");
}

#[test]
fn who_has_ended_leaves_its_slot_to_another_and_is_dropped_when_its_poll_returns() {
    for is_ready in [true, false] {
        let (slots, pool) = (Rc::new(All::default()), Rc::new(Pool::default()));
        let (polls, drops) = (Rc::default(), Rc::default());
        let (own, own_pool, counted) = (Rc::clone(&slots), Rc::clone(&pool), Counted(Rc::clone(&drops)));
        let next = Rc::clone(&polls);
        let ending = poll_fn(move |cx| {
            go_on(&own, &own_pool, &next);
            assert_eq!(counted.0.get(), 0);
            cx.waker().wake_by_ref();
            let copy = cx.waker().clone();
            copy.wake();
            assert_eq!(own.keep().all(), [0; 0], "nobody is woken in its stead");
            if is_ready { Poll::Ready(()) } else { Poll::Pending }
        });
        start(&slots, pool.put(Plain::new(ending)));
        assert_eq!((run(&slots, &pool), drops.get(), polls.get()), (1, 1, 1), "ready: {is_ready}");
        let slot = slots.get(0).expect("it was used");
        assert!(slot.state() == State::Waiting && slots.count() == 1);
        drop(take(&slots, slot.id()));
    }
}

/// Miri looks whether the two threads meet.
#[test]
fn a_waker_may_be_used_by_another_thread_while_its_task_ends() {
    let (slots, pool, polls) = (Rc::new(All::default()), Rc::new(Pool::default()), Rc::default());
    let (own, own_pool, next) = (Rc::clone(&slots), Rc::clone(&pool), Rc::clone(&polls));
    let ending = poll_fn(move |cx| {
        let waker = cx.waker();
        thread::scope(|scope| {
            scope.spawn(|| waker.wake_by_ref());
            go_on(&own, &own_pool, &next);
        });
        Poll::Ready(())
    });
    start(&slots, pool.put(Plain::new(ending)));
    assert_eq!((run(&slots, &pool), polls.get()), (1, 1));
    assert!(slots.keep().all().iter().all(|&slot| slot == 0));
    drop(take(&slots, slots.get(0).expect("it was used").id()));
}

#[test]
fn who_panics_after_its_end_leaves_the_next_in_its_slot_alone() {
    let (slots, pool) = (Rc::new(All::default()), Rc::new(Pool::default()));
    let (polls, drops) = (Rc::default(), Rc::default());
    let (own, own_pool, counted) = (Rc::clone(&slots), Rc::clone(&pool), Counted(Rc::clone(&drops)));
    let next = Rc::clone(&polls);
    start(
        &slots,
        pool.put(Plain::new(poll_fn(move |_| {
            go_on(&own, &own_pool, &next);
            panic!("after {}", counted.0.get())
        }))),
    );
    assert!(catch_unwind(AssertUnwindSafe(|| run(&slots, &pool))).is_err());
    assert_eq!((run(&slots, &pool), drops.get(), polls.get()), (0, 1, 1));
    drop(take(&slots, slots.get(0).expect("it was used").id()));
}

#[test]
fn what_was_said_of_nobody_ends() {
    let slots = All::default();
    slots.here().span.set(Span { tag: 7, cause: 8 });
    assert_eq!(slots.here().span.get().tag, 7);
    slots.leave();
    assert_eq!(slots.here().span.get(), Span::default());
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a free slot holds no task")]
fn a_slot_has_one_task() {
    let (slots, pool) = (All::default(), Pool::default());
    let id = start(&slots, pool.put(Plain::new(pending())));
    slots.free.push(NonNull::from(slots.get(id.index()).expect("it was started")));
    start(&slots, pool.put(Plain::new(pending())));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "only a task that is over frees its slot")]
fn who_waits_keeps_its_slot() {
    let (slots, pool) = (All::default(), Pool::default());
    let id = start(&slots, pool.put(Plain::new(pending())));
    slots.release(slots.get(id.index()).expect("it was started"));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a slot is in the lists of its own table")]
fn no_list_leads_to_the_slot_of_another_table() {
    let (slots, other, pool) = (All::default(), All::default(), Pool::default());
    let id = start(&other, pool.put(Plain::new(pending())));
    slots.start_timer_of(1, other.get(id.index()).expect("it was started"));
}

#[test]
#[should_panic(expected = "there is a free slot")]
fn a_slot_is_made_before_it_is_used() {
    let pool = Pool::default();
    All::default().put(pool.put(Plain::new(pending())));
}
