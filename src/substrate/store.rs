//! A durable store of versions, with SQLite's journal semantics: a rollback journal (`journal_mode=DELETE`) and
//! `synchronous=FULL`. What it says above all is what a crash leaves of a write under way.
//!
//! It stands for a process's disk: it is built beside the node, so the node's crash does not touch it, and the process
//! that starts next reads what is there. A write is one transaction, and there is one at a time. It takes virtual time: the
//! journal gets what was there, the database what is new, each is synced, and that the journal is deleted is the commit. At
//! which moment of the write that is the seed chooses; the writer learns of it only at the end, and readers with it. A crash
//! before the commit leaves a hot journal, which whoever opens the store next rolls back: nothing was written, not even in
//! part. After it the version is there, though nobody was ever told of it. A version whose write was reported as done is
//! never lost, until so many newer ones are there that the disk has no room for it. Left out is what only a loss of power
//! does: a disk that had not written what it said, or a journal whose deletion is forgotten.

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
    /// When within its write each version is committed.
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
        let commits = self.disk.moments.at(index).duration(Duration::ZERO, latency);
        // Whoever dies here leaves a hot journal: nothing comes of it.
        self.ctx.sleep(commits).await;
        let mut write = Write { disk: &self.disk, version: Some(version.clone()) };
        self.ctx.sleep(latency - commits).await;
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

/// A version that is committed. Until the writer knows, or is gone, no reader sees it: the database is locked.
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
