//! Tasks in slots that are used again, and what is polled, woken or dropped outside of any task.

use super::*;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_task_in_a_reused_slot_is_dropped_once_when_it_ends_or_is_aborted() {
    let mut sim = Sim::new(1, Sink::None);
    let drops = Rc::new(Cell::new(0));
    let start = |ctx: &Ctx| {
        let (task, counted) = (ctx.clone(), Counted(Rc::clone(&drops)));
        ctx.spawn(async move {
            task.sleep(Duration::from_nanos(5)).await;
            drop(counted);
        })
    };
    for round in 0..100 {
        let ids = [start(&sim.ctx()), start(&sim.ctx()), start(&sim.ctx())];
        sim.run_until(Instant::from_nanos(round * 10 + 1));
        sim.ctx().abort(ids[1]);
        assert_eq!(drops.get(), 3 * round as usize + 1);
        sim.run_until(Instant::from_nanos((round + 1) * 10));
        assert!(ids.iter().all(|&id| sim.ctx().is_finished(id)));
        assert_eq!(drops.get(), 3 * round as usize + 3);
    }
    start(&sim.ctx());
    drop(sim);
    assert_eq!(drops.get(), 301);
}

#[test]
fn futures_may_be_polled_outside_of_any_task() {
    let mut sim = Sim::new(1, Sink::None);
    assert!(sim.ctx().sleep(Duration::from_nanos(5)).now_or_never().is_none());
    let mut sleep = Box::pin(sim.ctx().sleep(Duration::from_nanos(5)));
    assert!(sleep.as_mut().now_or_never().is_none());
    sim.run_until(Instant::from_nanos(5));
    assert!(sleep.now_or_never().is_some());
}

/// Tells in which scope it is woken and dropped.
struct Telling(Arc<Mutex<Vec<Scope>>>);

thread_local! {
    static CTX: RefCell<Option<Ctx>> = const { RefCell::new(None) };
}

impl Telling {
    fn tell(&self) {
        let scope = CTX.with_borrow(|ctx| ctx.as_ref().map(Ctx::scope));
        self.0.lock().expect("nobody panics while it is locked").extend(scope);
    }
}

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        self.tell();
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.tell();
    }
}

/// Ends after its sleep, and is dropped then.
struct Ending(Sleep, #[expect(dead_code, reason = "it tells when it is dropped")] Telling);

impl Future for Ending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

#[test]
fn what_no_task_does_is_in_no_scope() {
    let (mut sim, told) = (Sim::new(1, Sink::None), Arc::default());
    let at = |ns| sim.ctx().sleep(Duration::from_nanos(ns));
    let (ctx, busy) = (sim.ctx(), Span { tag: 7, cause: 3 });
    CTX.set(Some(sim.ctx()));
    sim.ctx().spawn_in(Scope(5), Ending(at(1), Telling(Arc::clone(&told))));
    sim.ctx().spawn_in(Scope(6), async move {
        ctx.set_span(busy);
        for _ in 0..3 {
            ctx.sleep(Duration::from_nanos(2)).await;
            assert_eq!((ctx.scope(), ctx.span()), (Scope(6), busy));
        }
    });
    let waker = Waker::from(Arc::new(Telling(Arc::clone(&told))));
    let mut sleep = at(3);
    assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
    sim.run_until(Instant::from_nanos(5));
    assert_eq!((sim.ctx().scope(), sim.ctx().span()), (Scope(0), Span::default()));
    CTX.set(None);
    assert_eq!(*told.lock().expect("nobody panics while it is locked"), [Scope(0), Scope(0)]);
}
