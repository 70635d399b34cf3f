//! Blocks against boxes, lent wakers against wakers of safe make, leaves against plain collections. Small, since Miri runs
//! them too.

use super::*;
use crate::{Rng, TaskId, TimerQueue};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};
use std::thread;

pub(super) type Log = Rc<RefCell<Vec<(u64, &'static str)>>>;

/// A future of a size of its own that tells what happens to it. It points at itself, as those of async blocks do.
struct Noting<A, const SIZE: usize> {
    name: u64,
    polls: u64,
    log: Log,
    itself: Option<NonNull<Self>>,
    filling: [u8; SIZE],
    _aligned: [A; 0],
    _pinned: std::marker::PhantomPinned,
}

impl<A, const SIZE: usize> Noting<A, SIZE> {
    fn new(name: u64, log: &Log) -> Self {
        let (log, filling) = (Rc::clone(log), [name as u8; SIZE]);
        let _pinned = std::marker::PhantomPinned;
        Noting { name, polls: 0, log, itself: None, filling, _aligned: [], _pinned }
    }
}

impl<A, const SIZE: usize> Future for Noting<A, SIZE> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let here = NonNull::from(&mut *this);
        assert_eq!(this.itself.replace(here).unwrap_or(here), here, "it stays where it is");
        // The compiler knows that it is aligned, unless it is asked behind its back.
        assert!(std::hint::black_box(here.addr().get()).is_multiple_of(align_of::<A>()), "it is aligned");
        assert!(this.filling.iter().all(|&byte| byte == this.name as u8));
        this.polls += 1;
        this.log.borrow_mut().push((this.name, "polled"));
        cx.waker().wake_by_ref();
        if this.polls > this.name % 3 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<A, const SIZE: usize> Work for Noting<A, SIZE> {
    fn foresee(&self, step: usize) -> bool {
        self.polls > step as u64
    }
}

impl<A, const SIZE: usize> Drop for Noting<A, SIZE> {
    fn drop(&mut self) {
        self.log.borrow_mut().push((self.name, "dropped"));
    }
}

#[repr(align(128))]
struct Aligned;

/// What is woken, in order.
#[derive(Default)]
pub(super) struct Woken(Mutex<Vec<u32>>);

impl Woken {
    pub(super) fn all(&self) -> Vec<u32> {
        self.0.lock().expect("nobody panics while it is locked").clone()
    }
}

struct Woke(u32, Arc<Woken>);

impl Wake for Woke {
    fn wake(self: Arc<Self>) {
        Keep::wake(&self.1, self.0);
    }
}

impl Keep for Arc<Woken> {
    fn waker(&self, slot: u32) -> Waker {
        Waker::from(Arc::new(Woke(slot, Arc::clone(self))))
    }

    fn wake(&self, slot: u32) {
        self.0.lock().expect("nobody panics while it is locked").push(slot);
    }
}

/// The same task twice: in a block, and in a box.
fn both(pool: &Pool, kind: u64, name: u64, logs: &[Log; 2]) -> (Task, Pin<Box<dyn Work>>) {
    fn of<W: Work + 'static>(pool: &Pool, ours: W, other: W) -> (Task, Pin<Box<dyn Work>>) {
        (pool.put(ours), Box::pin(other))
    }
    let [a, b] = logs;
    match kind {
        0 => of(pool, Noting::<u8, 0>::new(name, a), Noting::<u8, 0>::new(name, b)),
        1 => of(pool, Noting::<u64, 33>::new(name, a), Noting::<u64, 33>::new(name, b)),
        2 => of(pool, Noting::<u128, 100>::new(name, a), Noting::<u128, 100>::new(name, b)),
        3 => of(pool, Noting::<Aligned, 1>::new(name, a), Noting::<Aligned, 1>::new(name, b)),
        _ => of(pool, Noting::<u8, 3000>::new(name, a), Noting::<u8, 3000>::new(name, b)),
    }
}

/// Puts a task into a slot and into the ready queue.
pub(super) fn start<K: Keep>(slots: &Slots<K>, task: Task) -> TaskId {
    if !slots.has_free() {
        slots.add_free();
    }
    let slot = slots.put(task);
    slots.push(slot);
    slot.id()
}

/// Takes a task out of its slot, and frees it.
pub(super) fn take<K: Keep>(slots: &Slots<K>, id: TaskId) -> Option<Task> {
    let slot = slots.get(id.index()).filter(|slot| slot.is_of(id))?;
    slot.take().inspect(|_| slots.release(slot))
}

#[test]
fn blocks_and_lent_wakers_do_what_boxes_and_safe_wakers_do() {
    for seed in 0..if cfg!(miri) { 4 } else { 200 } {
        let (mut rng, pool, logs) = (Rng::new(seed), Pool::default(), [Log::default(), Log::default()]);
        let (woken, expected) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let slots = Slots::new(Arc::clone(&woken));
        let waker = slots.lend();
        // In the order of the ready queue; those without a box were aborted.
        let mut tasks = VecDeque::new();
        for name in 1..if cfg!(miri) { 60 } else { 300 } {
            if rng.below(3) > 0 {
                let (task, boxed) = both(&pool, rng.below(5), name, &logs);
                tasks.push_back((start(&slots, task), Some(boxed)));
            }
            if rng.below(4) == 0 && !tasks.is_empty() {
                let place = rng.below(tasks.len() as u64) as usize;
                let (id, boxed) = &mut tasks[place];
                let task = take(&slots, *id);
                assert_eq!(task.is_some(), boxed.take().is_some(), "seed {seed}");
                match task {
                    Some(task) if rng.below(2) == 0 => pool.drop(task),
                    task => drop(task),
                }
            } else if let Some((id, boxed)) = tasks.pop_front() {
                let due = slots.pop_ready().expect("as many are ready");
                let over = slots.poll(due, &waker).map(|(task, slot)| {
                    slots.release(slot.expect("it has its slot"));
                    task
                });
                if let Some(mut boxed) = boxed {
                    let waker = expected.waker(id.index() as u32);
                    let done = boxed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
                    assert_eq!(over.is_some(), done, "seed {seed}");
                    if !done {
                        assert_eq!(due.slot().foresee(1), boxed.foresee(1), "seed {seed}");
                        slots.wake(id);
                        slots.wake(id);
                        tasks.push_back((id, Some(boxed)));
                    }
                }
                over.into_iter().for_each(|task| pool.drop(task));
                assert!(slots.current().is_none(), "nobody is polled any more");
            }
            assert_eq!(*logs[0].borrow(), *logs[1].borrow(), "seed {seed}");
            assert_eq!(woken.all(), expected.all(), "seed {seed}");
        }
        assert_eq!(slots.has_ready(), !tasks.is_empty());
    }
}

#[test]
fn leaves_do_what_their_collections_do() {
    for seed in 0..if cfg!(miri) { 4 } else { 100 } {
        let (mut rng, stack, row) =
            (Rng::new(seed), Leaf::<Vec<u64>>::default(), Leaf::<Row<u64>>::default());
        let (mut list, mut line) = (Vec::new(), VecDeque::new());
        for word in 0..if cfg!(miri) { 100 } else { 1_000 } {
            match rng.below(5) {
                0 | 1 => {
                    stack.push(word);
                    list.push(word);
                    row.push_back(word);
                    line.push_back(word);
                }
                2 => assert_eq!(stack.pop(), list.pop()),
                3 => assert_eq!(row.pop_front(), line.pop_front()),
                _ => {
                    let place = rng.below(20) as usize;
                    assert_eq!(
                        (stack.get(place), row.peek(place)),
                        (list.get(place).copied(), line.get(place).copied())
                    );
                    assert_eq!(stack.later(place), list.iter().rev().nth(place).copied());
                }
            }
            assert_eq!((stack.len(), stack.is_empty()), (list.len(), list.is_empty()));
            assert_eq!(row.is_empty(), line.is_empty());
        }
    }
}

#[test]
fn a_row_that_is_never_empty_stays_small() {
    let row = Leaf::<Row<u64>>::default();
    row.push_back(0);
    for word in 1..5_000 {
        row.push_back(word);
        assert_eq!(row.pop_front(), Some(word - 1));
    }
    assert_eq!((row.peek(0), row.peek(1), row.is_empty()), (Some(4_999), None, false));
    assert!(row.capacity() < 3_000);
}

#[test]
fn a_queue_that_is_a_leaf_keeps_its_order() {
    let (queue, order) = (Leaf::<TimerQueue<u64>>::default(), RefCell::new(Vec::new()));
    let (late, other) = (queue.insert(20, 1), queue.insert(10, 2));
    queue.insert(10, 3);
    assert_eq!((queue.replace(late, 4), queue.cancel(other)), (Some(1), Some(2)));
    assert!(queue.is_live(late) && !queue.is_live(other));
    queue.insert(15, 5);
    assert!(!queue.are_many() && queue.take_soon().is_none(), "few are not foreseen");
    while let Some(popped) = queue.pop(30) {
        order.borrow_mut().push(popped);
    }
    assert_eq!(order.take(), [(10, 3), (15, 5), (20, 4)]);
}

#[test]
fn a_value_stays_where_it_is_while_there_are_more_and_more() {
    let values = Fixed::<Rc<Cell<usize>>>::default();
    assert!(values.get(0).is_none());
    values.grow();
    let first = values.at(0);
    for number in 0..if cfg!(miri) { 300 } else { 3_000 } {
        if values.get(number).is_none() {
            values.grow();
        }
        values.at(number).set(number + 7);
        first.set(first.get() + 1);
    }
    assert!(ptr::eq(first, values.at(0)) && values.at(200).get() == 207);
    // What is in it is dropped with it.
    let kept = Rc::clone(values.at(3));
    assert_eq!(Rc::strong_count(&kept), 2);
    drop(values);
    assert_eq!(Rc::strong_count(&kept), 1);
}

#[test]
#[should_panic(expected = "no value has the number 64")]
fn a_value_is_made_before_it_is_used() {
    let values = Fixed::<u64>::default();
    values.grow();
    values.at(64);
}

#[test]
fn a_block_is_used_again_for_a_future_of_its_size() {
    let (pool, log) = (Pool::default(), Log::default());
    let start = |task: &Task| task.0.as_ptr().cast::<u8>().addr();
    let first = pool.put(Noting::<u8, 100>::new(1, &log));
    let before = start(&first);
    pool.drop(first);
    let other = pool.put(Noting::<u8, 1000>::new(2, &log));
    assert_ne!(start(&other), before);
    assert_eq!(start(&pool.put(Noting::<u8, 101>::new(3, &log))), before);
}

#[test]
fn a_copy_of_a_lent_waker_outlives_all_and_wakes_from_any_thread() {
    struct Copying(Arc<Mutex<Vec<Waker>>>);

    impl Future for Copying {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let keep = |waker: Waker| self.0.lock().expect("nobody panics while it is locked").push(waker);
            let waker = cx.waker();
            keep(waker.clone());
            thread::scope(|scope| {
                scope.spawn(|| waker.wake_by_ref());
                scope.spawn(|| keep(waker.clone()));
            });
            Poll::Pending
        }
    }

    impl Work for Copying {
        fn foresee(&self, _: usize) -> bool {
            false
        }
    }

    let (woken, kept) = (Arc::new(Woken::default()), Arc::new(Mutex::default()));
    let (one, other);
    {
        let (slots, pool) = (Slots::new(Arc::clone(&woken)), Pool::default());
        one = start(&slots, pool.put(Copying(Arc::clone(&kept)))).index() as u32;
        other = start(&slots, pool.put(Copying(Arc::clone(&kept)))).index() as u32;
        let waker = slots.lend();
        while let Some(due) = slots.pop_ready() {
            assert!(slots.poll(due, &waker).is_none());
        }
        assert!(
            !kept.lock().expect("nobody panics while it is locked").iter().any(|copy| slots.is_own(copy))
        );
    }
    assert_eq!(woken.all(), [one, other]);
    let copies = std::mem::take(&mut *kept.lock().expect("nobody panics while it is locked"));
    assert_eq!(copies.len(), 4);
    thread::scope(|scope| {
        scope.spawn(|| copies[0].wake_by_ref());
    });
    copies.into_iter().for_each(Waker::wake);
    assert_eq!(woken.all(), [one, other, one, one, one, other, other]);
}
