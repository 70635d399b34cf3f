//! What outlives the server's process.

use super::keyspace::Keyspace;
use std::cell::RefCell;
use std::rc::Rc;

/// The server's disk. It belongs to whoever built the node, so that a crash leaves it alone. Cheap to clone: clones
/// are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Rc<RefCell<Option<Keyspace>>>);

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Disk::default()
    }

    pub(super) fn write(&self, data: Keyspace) {
        *self.0.borrow_mut() = Some(data);
    }

    pub(super) fn read(&self) -> Option<Keyspace> {
        self.0.borrow().clone()
    }
}
