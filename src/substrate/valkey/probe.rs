//! What the laboratory sees of a running server: its data, and what passes through it. Nothing in a simulation reads it.

use super::reply::Reply;
use super::store::{Store, Words};
use super::value::Value;
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// What passes through a server, with the number of the connection (`Conn::number`).
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A command, just before it is executed.
    Command(&'a Words),
    /// A reply, just before it leaves.
    Reply(&'a Reply),
}

/// Who hears of it.
type Listener = Rc<dyn Fn(u64, Seen)>;

/// A look into the server that runs now. It belongs to whoever built the node. Cheap to clone: clones are the same.
#[derive(Clone, Default)]
pub struct Probe(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    store: Weak<RefCell<Store>>,
    listener: Option<Listener>,
}

impl Probe {
    /// Says who hears of each command and each reply.
    pub fn listen(&self, listener: impl Fn(u64, Seen) + 'static) {
        self.0.borrow_mut().listener = Some(Rc::new(listener));
    }

    /// The elements of a list of the first database, head first; none while no server runs.
    pub fn list(&self, key: &str) -> Vec<String> {
        let Some(store) = self.0.borrow().store.upgrade() else { return Vec::new() };
        let store = store.borrow();
        let Some(Value::List(items)) = store.keyspace.peek(&(0, key.as_bytes().into())) else {
            return Vec::new();
        };
        items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect()
    }

    /// True while a server runs.
    pub fn is_up(&self) -> bool {
        self.0.borrow().store.strong_count() > 0
    }

    pub(super) fn watch(&self, store: &Rc<RefCell<Store>>) {
        self.0.borrow_mut().store = Rc::downgrade(store);
    }

    pub(super) fn tell(&self, connection: u64, seen: Seen) {
        let listener = self.0.borrow().listener.clone();
        if let Some(listener) = listener {
            listener(connection, seen);
        }
    }
}
