//! What outlives the server's process.
//!
//! A snapshot writes only the keys that changed since the last one: the disk says which state it holds by a stamp, and
//! a server that knows that state brings it up to date. So snapshots cost what the changes between them cost, however
//! large the keyspace has grown.

use super::keyspace::{Databases, KeyRef, Keyspace};
use crate::net::LookUp;
use std::cell::RefCell;
use std::rc::Rc;

/// The server's disk. It belongs to whoever built the node, so that a crash leaves it alone. Cheap to clone: clones
/// are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Rc<RefCell<Held>>);

#[derive(Default)]
struct Held {
    data: Option<Databases>,
    /// Which state it holds: another one after every write.
    stamp: u64,
}

/// A state of the disk that the keyspace differs from in these keys only.
pub(super) struct Base {
    stamp: u64,
    /// In no order: each is made what it is by itself.
    changed: LookUp<KeyRef, ()>,
}

impl Base {
    pub(super) fn note(&mut self, key: KeyRef) {
        self.changed.insert(key, ());
    }

    /// How many keys are to be written.
    pub(super) fn distance(&self) -> usize {
        self.changed.len()
    }
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Disk::default()
    }

    /// Everything, at the end of a process that will not need it any more.
    pub(super) fn write(&self, data: Databases) {
        let mut held = self.0.borrow_mut();
        held.data = Some(data);
        held.stamp += 1;
    }

    /// Makes what the disk holds the same as `keyspace`: by the changes since `base` if it still holds that.
    pub(super) fn save(&self, keyspace: &Keyspace, base: Option<Base>) -> Base {
        let mut held = self.0.borrow_mut();
        let Held { data, stamp } = &mut *held;
        match (data, base) {
            (Some(data), Some(base)) if base.stamp == *stamp => {
                keyspace.copy_to(data, base.changed.into_keys());
            }
            (data, _) => *data = Some(keyspace.databases().clone()),
        }
        *stamp += 1;
        Base { stamp: *stamp, changed: LookUp::default() }
    }

    pub(super) fn read(&self) -> Option<(Databases, Base)> {
        let held = self.0.borrow();
        let data = held.data.clone()?;
        Some((data, Base { stamp: held.stamp, changed: LookUp::default() }))
    }
}
