//! Virtual time, tasks, randomness and the trace. Knows no machine, no domain, no web.
//!
//! A [`Sim`] owns a simulation; tasks hold a [`Ctx`]. Time is an integer number of nanoseconds and moves only
//! when every task waits: then it jumps to the earliest timer. Everything runs on one thread, in an order that
//! depends on the program alone, so the same program gives the same run on every machine and in every browser.
//!
//! ```
//! use glasshive_kernel::{Duration, Instant, Sim, Sink};
//!
//! let mut sim = Sim::new(1, Sink::None);
//! let ctx = sim.ctx();
//! let hours = sim.ctx().spawn_joined(async move {
//!     ctx.sleep(Duration::from_secs(3 * 3600)).await;
//!     ctx.now().since(Instant::ZERO).as_secs_f64() / 3600.0
//! });
//! sim.run_until(Instant::MAX);
//! assert!(hours.is_finished());
//! ```
//!
//! | what | where |
//! |---|---|
//! | a simulation, and how it is played | [`Sim`] |
//! | what a task can do: wait, start and drop tasks, draw, record | [`Ctx`] |
//! | messages that travel; one value; waking who waits | [`channel`], [`oneshot()`], [`Notify`] |
//! | tasks whose results matter | [`JoinHandle`], [`JoinSet`] |
//! | what dies together, and what a task is busy with | [`Scope`], [`Span`] |
//! | randomness by address | [`Stream`], [`Rng`] |
//! | what happened, and its hash | [`Trace`], [`Record`], [`Kind`], [`Sink`] |
//! | the event queue alone; a small map | [`TimerQueue`], [`SortedMap`] |
//! | thousands of tasks, and their memory | [`Foresee`], [`fetch`] |
//!
//! What it deliberately lacks: threads, the wall clock, input and output, and any notion of a machine. A *scope*
//! is a bare number that tasks inherit, by which the layer above groups what must die together.

mod bare;
mod channel;
mod core;
mod executor;
mod foresight;
mod join_handle;
mod join_set;
mod mailbox;
mod notify;
mod oneshot;
mod rng;
mod sim;
mod sleep;
mod sorted;
mod stuck;
mod tasks;
mod time;
mod timer_queue;
mod timers;
mod trace;

pub use channel::{Receiver, Sender, channel};
pub use foresight::{Foresee, fetch};
pub use join_handle::JoinHandle;
pub use join_set::JoinSet;
pub use mailbox::{Mailbox, SendError};
pub use notify::{Notified, Notify};
pub use oneshot::{Cancelled, OneshotReceiver, OneshotSender, oneshot};
pub use rng::{Rng, Stream, hash_name};
pub use sim::{Ctx, Sim};
pub use sleep::{Elapsed, Sleep, Timeout};
pub use sorted::{Entry, SortedMap};
pub use stuck::{Busy, Stuck};
pub use tasks::{Scope, Span, TaskId};
pub use time::{Duration, Instant, ParseDurationError};
pub use timer_queue::{TimerKey, TimerQueue};
pub use trace::{Kind, Record, Sink, Trace};

/// The programs in the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
