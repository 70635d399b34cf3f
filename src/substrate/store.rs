//! A durable store of versions: write, fsync, and what a crash leaves of a write under way.
//!
//! It stands for a process's disk: it is built beside the node, so the node's crash does not touch it, and the process
//! that starts next reads what is there. A write is one transaction. It takes virtual time, in which at one moment that
//! the seed chooses the version reaches the disk; the writer learns of it only at the end. So a crash in between loses
//! the version, or keeps one that nobody was ever told of. A version whose write was reported as done is never lost, until
//! so many newer ones are there that the disk has no room for it.

use crate::kernel::{Ctx, Duration, Stream};
use futures::lock::Mutex;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// Versions 1, 2, 3, … on one disk, in the order in which they were written. Cheap to clone: all clones are one disk.
pub struct Store<T> {
    ctx: Ctx,
    disk: Rc<Disk<T>>,
}

struct Disk<T> {
    /// The newest, oldest first, at most `keep`.
    versions: RefCell<VecDeque<T>>,
    keep: usize,
    /// The number of the newest.
    newest: Cell<u64>,
    /// Held by the one transaction that writes.
    writing: Mutex<()>,
    /// When within its write each version reaches the disk.
    moments: Stream,
    /// Writes begun so far: the index into `moments`.
    writes: Cell<u64>,
}

impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        Store { ctx: self.ctx.clone(), disk: Rc::clone(&self.disk) }
    }
}

impl<T: Clone> Store<T> {
    /// An empty store that keeps so many of the newest versions, at least one. `name` tells it apart in the run's random
    /// streams.
    pub fn new(ctx: &Ctx, name: &str, keep: usize) -> Self {
        let disk = Disk {
            versions: RefCell::default(),
            keep: keep.max(1),
            newest: Cell::new(0),
            writing: Mutex::new(()),
            moments: ctx.stream(name, "store"),
            writes: Cell::new(0),
        };
        Store { ctx: ctx.clone(), disk: Rc::new(disk) }
    }

    /// Puts a version there before the run begins.
    pub fn ship(&self, version: T) {
        self.disk.push(version);
    }

    /// The number of the newest version; 0 when nothing was ever written.
    pub fn len(&self) -> u64 {
        self.disk.newest.get()
    }

    /// True when nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Version `n`, counted from 1, if it is kept.
    pub fn get(&self, n: u64) -> Option<T> {
        let versions = self.disk.versions.borrow();
        let forgotten = self.len() - versions.len() as u64;
        versions.get(usize::try_from(n.checked_sub(forgotten + 1)?).ok()?).cloned()
    }

    /// The newest version.
    pub fn newest(&self) -> Option<T> {
        self.disk.versions.borrow().back().cloned()
    }

    /// Runs one transaction after all that came before: `decide` sees the newest version and returns the one to write
    /// after it, or why none is to be written. Writing takes `latency`; when this returns, the version is durable.
    pub async fn transact<E>(
        &self,
        latency: Duration,
        decide: impl FnOnce(Option<&T>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _alone = self.disk.writing.lock().await;
        let version = decide(self.disk.versions.borrow().back())?;
        let index = self.disk.writes.get();
        self.disk.writes.set(index + 1);
        let reaches = self.disk.moments.at(index).duration(Duration::ZERO, latency);
        self.ctx.sleep(reaches).await;
        let mut write = Write { disk: &self.disk, version: Some(version.clone()) };
        self.ctx.sleep(latency - reaches).await;
        write.finish();
        Ok(version)
    }
}

impl<T> Disk<T> {
    fn push(&self, version: T) {
        let mut versions = self.versions.borrow_mut();
        if versions.len() >= self.keep {
            versions.pop_front();
        }
        versions.push_back(version);
        self.newest.set(self.newest.get() + 1);
    }
}

/// A version that has reached the disk. Until the writer knows, or is gone, no reader sees it.
struct Write<'a, T> {
    disk: &'a Disk<T>,
    version: Option<T>,
}

impl<T> Write<'_, T> {
    fn finish(&mut self) {
        if let Some(version) = self.version.take() {
            self.disk.push(version);
        }
    }
}

impl<T> Drop for Write<'_, T> {
    fn drop(&mut self) {
        self.finish();
    }
}
