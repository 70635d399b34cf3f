//! Waking those who wait for something to change.

use crate::core::Core;
use crate::executor::Waiter;
use crate::sim::Ctx;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Tasks wait for a [`notified`](Self::notified), others wake them: one, in the order in which they began to wait, or
/// all. Clones are of the same.
///
/// ```
/// use glasshive_kernel::{Duration, Instant, Notify, Sim, Sink};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// let mut sim = Sim::new(1, Sink::None);
/// let (notify, order) = (Notify::new(&sim.ctx()), Rc::new(RefCell::new(Vec::new())));
/// for name in ["a", "b", "c"] {
///     let (notify, order) = (notify.clone(), Rc::clone(&order));
///     sim.ctx().spawn(async move {
///         notify.notified().await;
///         order.borrow_mut().push(name);
///     });
/// }
/// sim.run_until(Instant::from_millis(1));
/// notify.notify_one();
/// sim.run_until(Instant::from_millis(2));
/// assert_eq!(*order.borrow(), ["a"]);
/// notify.notify_all();
/// sim.run_until(Instant::from_millis(3));
/// assert_eq!(*order.borrow(), ["a", "b", "c"]);
/// ```
#[derive(Clone)]
pub struct Notify(Rc<Shared>);

struct Shared {
    core: Rc<Core>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Left by a `notify_one` while nobody waited.
    permit: bool,
    /// Counts those who have ever waited.
    tickets: u64,
    /// Who waits, in the order of their tickets.
    waiting: BTreeMap<u64, Waiter>,
    /// Whom `notify_one` has chosen and who was not polled since: they pass it on if they are dropped.
    chosen: BTreeSet<u64>,
}

impl Notify {
    /// One that nobody waits for yet.
    pub fn new(ctx: &Ctx) -> Self {
        Notify(Rc::new(Shared { core: Rc::clone(&ctx.core), state: RefCell::default() }))
    }

    /// Wakes the one who has waited longest. If nobody waits, the next one to do so will not have to; only one will
    /// not, however often this was called.
    pub fn notify_one(&self) {
        let mut state = self.0.state.borrow_mut();
        let Some((ticket, waiter)) = state.waiting.pop_first() else {
            state.permit = true;
            return;
        };
        state.chosen.insert(ticket);
        drop(state);
        self.0.core.executor.wake(waiter);
    }

    /// Wakes all who wait now.
    pub fn notify_all(&self) {
        let waiting = std::mem::take(&mut self.0.state.borrow_mut().waiting);
        waiting.into_values().for_each(|waiter| self.0.core.executor.wake(waiter));
    }

    /// Ready when somebody notifies. One waits from the first poll on.
    pub fn notified(&self) -> Notified {
        Notified { notify: self.clone(), stage: Stage::New }
    }
}

/// What [`Notify::notified`] returns.
pub struct Notified {
    notify: Notify,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    New,
    Waiting(u64),
    Done,
}

impl Future for Notified {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let notify = self.notify.clone();
        let Shared { core, state } = &*notify.0;
        let mut state = state.borrow_mut();
        let ticket = match self.stage {
            Stage::Done => return Poll::Ready(()),
            Stage::New if state.permit => {
                // A permit for every wait would keep a task from ever giving way.
                if !core.executor.may_go_on() {
                    return Poll::Pending;
                }
                state.permit = false;
                self.stage = Stage::Done;
                return Poll::Ready(());
            }
            Stage::New => {
                state.tickets += 1;
                self.stage = Stage::Waiting(state.tickets);
                state.tickets
            }
            Stage::Waiting(ticket) if state.waiting.contains_key(&ticket) => ticket,
            Stage::Waiting(ticket) => {
                state.chosen.remove(&ticket);
                self.stage = Stage::Done;
                return Poll::Ready(());
            }
        };
        state.waiting.insert(ticket, core.executor.waiter(cx));
        Poll::Pending
    }
}

impl Drop for Notified {
    fn drop(&mut self) {
        let Stage::Waiting(ticket) = self.stage else {
            return;
        };
        let mut state = self.notify.0.state.borrow_mut();
        let waiter = state.waiting.remove(&ticket);
        let was_chosen = state.chosen.remove(&ticket);
        drop(state);
        drop(waiter);
        if was_chosen {
            self.notify.notify_one();
        }
    }
}
