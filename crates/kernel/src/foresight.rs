//! Foresight: what tasks will touch soon is asked for before it is needed.
//!
//! With thousands of tasks each visit finds its memory cold, and waits for it line by line: most of such a run's time. But
//! the event queue knows who is next. So when it hands a batch of timers to its finest wheel, the slots and futures of their
//! tasks are fetched, all at once; then what the futures point at, and for a [`Foresee`] future what lies behind that.
//!
//! Nothing of it changes what a program does. On processors other than x86-64 and AArch64 nothing is fetched.
#![allow(unsafe_code)]

use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What the processor fetches at once.
const LINE: usize = 64;

/// With fewer tasks or timers everything is in the cache anyway, and asking for it would cost more than it gives.
const CROWD: usize = 4096;
/// With so many they do not fit into the nearest cache, in which nothing waits.
const MANY: usize = 256;
/// Whether there is an instruction to ask with. Miri knows none, and has no cache.
pub(crate) const CAN_FETCH: bool = cfg!(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)));

/// True when so many tasks or timers are worth being foreseen.
#[inline]
pub(crate) fn is_crowd(count: usize) -> bool {
    CAN_FETCH && count >= CROWD
}

/// True when so many timers are worth having the next one's task at hand.
#[inline]
pub(crate) fn is_many(count: usize) -> bool {
    cfg!(not(miri)) && count >= MANY
}

/// A future that knows what it will touch when its time comes: for simulations with thousands of tasks, most of whose time
/// goes into waiting for memory. Start it with [`Ctx::spawn_foreseeing`](crate::Ctx::spawn_foreseeing), or
/// [`JoinSet::spawn_foreseeing`](crate::JoinSet::spawn_foreseeing).
///
/// ```
/// use glasshive_kernel::{Duration, Foresee, Instant, Scope, Sim, Sink, Sleep, fetch};
/// use std::{future::Future, pin::Pin, rc::Rc, task::{Context, Poll}};
///
/// struct Node {
///     table: Vec<u64>,
/// }
///
/// struct Arrival {
///     at: Sleep,
///     node: Rc<Node>,
/// }
///
/// impl Future for Arrival {
///     type Output = ();
///
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
///         Pin::new(&mut self.at).poll(cx).map(|()| assert_eq!(self.node.table[2], 30))
///     }
/// }
///
/// impl Foresee for Arrival {
///     fn foresee(&self, step: usize) -> bool {
///         match step {
///             0 => fetch(&*self.node),
///             _ => fetch(&*self.node.table),
///         }
///         step == 0
///     }
/// }
///
/// let mut sim = Sim::new(1, Sink::None);
/// let ctx = sim.ctx();
/// for ms in 0..1_000 {
///     let node = Rc::new(Node { table: vec![10, 20, 30] });
///     ctx.spawn_foreseeing(Scope(1), Arrival { at: ctx.sleep(Duration::from_millis(ms)), node });
/// }
/// sim.run_until(Instant::from_millis(1_000));
/// ```
pub trait Foresee: Future {
    /// [`fetch`]es what is found so many steps from this future, counted from 0: what its own fields point at is there at
    /// step 0, what those point at is there at step 1 if it was fetched at step 0, and so on. False after the last step.
    ///
    /// It does nothing else; in particular it starts and wakes no tasks.
    fn foresee(&self, step: usize) -> bool;
}

/// Asks for all lines of a value; goes on without waiting for them.
#[inline]
pub fn fetch<T: ?Sized>(value: &T) {
    lines((&raw const *value).cast(), size_of_val(value));
}

/// Asks for all lines of so many bytes from an address on.
#[inline]
pub(crate) fn lines(start: *const u8, bytes: usize) {
    for at in offsets(start.addr(), bytes) {
        line(start.wrapping_offset(at));
    }
}

/// Where from a value's start its lines begin: the first one no later than the value, which may so have one more line than
/// its size says.
#[inline]
fn offsets(start: usize, bytes: usize) -> impl Iterator<Item = isize> {
    let before = start % LINE;
    (0..before + bytes).step_by(LINE).map(move |at| at as isize - before as isize)
}

/// Asks for two lines from an address on, into the nearest cache.
#[inline]
pub(crate) fn fetch_near(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: as in `line`.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
        _mm_prefetch::<_MM_HINT_T0>(address.wrapping_add(LINE).cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as in `line`.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
    let _ = address;
}

#[inline]
fn line(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint: it reads nothing that the program can see, and faults at no address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl2keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
    let _ = address;
}

/// A task's future, with what is known of what it will touch.
pub(crate) trait Work: Future<Output = ()> {
    fn foresee(&self, step: usize) -> bool;
}

pin_project! {
    /// A future that says nothing of what it will touch.
    pub(crate) struct Plain<F> {
        #[pin]
        future: F,
    }
}

pin_project! {
    pub(crate) struct Foreseeing<F> {
        #[pin]
        future: F,
    }
}

pin_project! {
    /// A future beside which it is told what it will touch.
    pub(crate) struct Foretold<F, H> {
        #[pin]
        future: F,
        foresee: H,
    }
}

impl<F, H: Fn(usize) -> bool> Foretold<F, H> {
    pub(crate) fn new(foresee: H, future: F) -> Self {
        Foretold { future, foresee }
    }
}

impl<F> Plain<F> {
    pub(crate) fn new(future: F) -> Self {
        Plain { future }
    }
}

impl<F> Foreseeing<F> {
    pub(crate) fn new(future: F) -> Self {
        Foreseeing { future }
    }
}

impl<F: Future<Output = ()>> Future for Plain<F> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().future.poll(cx)
    }
}

impl<F: Future<Output = ()>> Future for Foreseeing<F> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().future.poll(cx)
    }
}

impl<F: Future<Output = ()>, H> Future for Foretold<F, H> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().future.poll(cx)
    }
}

impl<F: Future<Output = ()>, H: Fn(usize) -> bool> Work for Foretold<F, H> {
    fn foresee(&self, step: usize) -> bool {
        if step == 0 {
            fetch_pointed_at(&self.future);
        }
        (self.foresee)(step)
    }
}

impl<F: Future<Output = ()>> Work for Plain<F> {
    fn foresee(&self, _: usize) -> bool {
        fetch_pointed_at(&self.future);
        false
    }
}

impl<F: Foresee<Output = ()>> Work for Foreseeing<F> {
    fn foresee(&self, step: usize) -> bool {
        self.future.foresee(step)
    }
}

/// Asks for what a future seems to point at: each of its words that looks like an address nearby. It may be
/// stale or no address at all, and then something is fetched that nobody needs.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn fetch_pointed_at<T>(value: &T) {
    /// So many lines are fetched of what a future points at, whose size is not known.
    const POINTED_AT: usize = 4;
    let start = (&raw const *value).cast::<usize>();
    let home = start as usize >> 30;
    for i in 0..size_of::<T>() / size_of::<usize>() {
        let word: usize;
        // SAFETY: it reads a word that lies within the value. In Rust's own terms it may be uninitialised, or a part of
        // several fields; to the instruction it is a number, and nothing is done with it but asking for a line.
        unsafe {
            std::arch::asm!(
                "mov {}, [{}]", out(reg) word, in(reg) start.wrapping_add(i),
                options(nostack, readonly, preserves_flags)
            );
        }
        if word >> 30 == home {
            lines(std::ptr::without_provenance(word), POINTED_AT * LINE);
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn fetch_pointed_at<T>(_: &T) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ctx, Duration, Instant, JoinSet, Scope, Sim, Sink, Sleep};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Notes which steps it was asked for; the last one when it was polled.
    struct Noting {
        sleep: Sleep,
        steps: Rc<RefCell<Vec<usize>>>,
    }

    const LAST: usize = 3;
    const POLLED: usize = 99;

    impl Future for Noting {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            Pin::new(&mut self.sleep).poll(cx).map(|()| self.steps.borrow_mut().push(POLLED))
        }
    }

    impl Foresee for Noting {
        fn foresee(&self, step: usize) -> bool {
            self.steps.borrow_mut().push(step);
            step < LAST
        }
    }

    /// What tasks noted, each started by `start`.
    fn notes(tasks: u64, mut start: impl FnMut(&Ctx, Noting)) -> Vec<Vec<usize>> {
        let mut sim = Sim::new(1, Sink::None);
        let ctx = sim.ctx();
        let mut start = |i: u64| {
            let (sleep, steps) = (ctx.sleep(Duration::from_nanos(100_000 * i)), Rc::default());
            start(&ctx, Noting { sleep, steps: Rc::clone(&steps) });
            steps
        };
        let all: Vec<_> = (1..=tasks).map(&mut start).collect();
        sim.run_until(Instant::from_millis(1_000));
        all.into_iter().map(|steps| steps.take()).collect()
    }

    fn by_itself(ctx: &Ctx, noting: Noting) {
        ctx.spawn_foreseeing(Scope(1), noting);
    }

    fn check(notes: Vec<Vec<usize>>) {
        let (foreseen, others): (Vec<_>, Vec<_>) = notes.into_iter().partition(|steps| steps.len() > 1);
        assert!(foreseen.iter().all(|steps| *steps == [0, 1, 2, LAST, POLLED]), "{foreseen:?}");
        assert!(others.iter().all(|steps| *steps == [POLLED]));
        assert_eq!(foreseen.len() > 7_000, CAN_FETCH, "{}", foreseen.len());
    }

    #[test]
    fn one_of_a_crowd_is_asked_step_by_step_before_its_time() {
        check(notes(8_000, by_itself));
    }

    #[test]
    fn so_is_a_member_of_a_set_and_who_knows_of_another_task() {
        let mut set = None;
        check(notes(8_000, |ctx, noting| {
            set.get_or_insert_with(|| JoinSet::new(ctx)).spawn_foreseeing(noting);
        }));
        check(notes(8_000, |ctx, Noting { sleep, steps }| {
            let seer = Noting { sleep: ctx.sleep(Duration::ZERO), steps: Rc::clone(&steps) };
            ctx.spawn_foretold(Scope(1), move |step| seer.foresee(step), Noting { sleep, steps });
        }));
    }

    #[test]
    fn one_of_few_is_not_asked() {
        assert!(notes(100, by_itself).iter().all(|steps| *steps == [POLLED]));
    }

    #[test]
    fn each_byte_of_a_value_lies_in_a_line_that_is_fetched() {
        for (start, bytes) in
            [(0, 1), (0, 64), (0, 65), (8, 56), (8, 57), (40, 56), (63, 1), (63, 2), (120, 200)]
        {
            let lines: Vec<isize> =
                offsets(start, bytes).map(|at| (start as isize + at) / LINE as isize).collect();
            let all = start / LINE..=(start + bytes - 1) / LINE;
            assert_eq!(
                lines,
                all.map(|line| line as isize).collect::<Vec<_>>(),
                "{bytes} bytes from {start}"
            );
        }
    }
}
