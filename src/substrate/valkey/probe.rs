//! What the laboratory sees of a running server: its data, and what it does. Nothing in a simulation reads it.

use super::parse::is;
use super::reply::{Bytes, Reply};
use super::store::{Store, Words};
use super::value::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// What a server has done.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// It has started, with what its disk held.
    Started,
    /// It has executed a command, and its reply is about to leave. The commands of a transaction are seen when it is
    /// executed; those of one that is called off never are. A script is one command.
    Executed {
        /// The number of the connection (`Conn::number`). One that ever subscribes to anything is not seen from then on.
        connection: u64,
        /// The command.
        words: &'a Words,
        /// Its outcome.
        reply: &'a Reply,
    },
    /// It has made a snapshot.
    Saved,
}

/// Who hears of it, and may look on that occasion. One who held the probe would keep it, and all that it has, for ever.
type Listener = Rc<dyn Fn(&Probe, Seen)>;

/// A look into the server that runs now. It belongs to whoever built the node. Cheap to clone: clones are the same.
#[derive(Clone, Default)]
pub struct Probe(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    store: Weak<RefCell<Store>>,
    listener: Option<Listener>,
}

impl Probe {
    /// Says who hears of what a server does from here on.
    pub fn listen(&self, listener: impl Fn(&Probe, Seen) + 'static) {
        self.0.borrow_mut().listener = Some(Rc::new(listener));
    }

    /// The elements of a list of the first database, head first; none while no server runs.
    pub fn list(&self, key: &str) -> Vec<String> {
        let text = |item: &Bytes| String::from_utf8_lossy(item).into_owned();
        self.look(key, |items| items.iter().map(text).collect())
    }

    /// How many elements it has.
    pub fn list_len(&self, key: &str) -> usize {
        self.look(key, VecDeque::len)
    }

    fn look<R: Default>(&self, key: &str, look: impl FnOnce(&VecDeque<Bytes>) -> R) -> R {
        let Some(store) = self.0.borrow().store.upgrade() else { return R::default() };
        match store.borrow().keyspace.peek(&(0, key.as_bytes().into())) {
            Some(Value::List(items)) => look(items),
            _ => R::default(),
        }
    }

    /// True while a server runs.
    pub fn is_up(&self) -> bool {
        self.0.borrow().store.strong_count() > 0
    }

    pub(super) fn watch(&self, store: &Rc<RefCell<Store>>) {
        self.0.borrow_mut().store = Rc::downgrade(store);
    }

    /// Whether anybody hears of anything.
    pub(super) fn is_heard(&self) -> bool {
        self.0.borrow().listener.is_some()
    }

    pub(super) fn tell(&self, seen: Seen) {
        let listener = self.0.borrow().listener.clone();
        if let Some(listener) = listener {
            listener(self, seen);
        }
    }
}

/// The commands of one connection that have no reply yet. Replies come in the commands' order, one for each, unless the
/// client subscribes.
#[derive(Default)]
pub(super) struct Unanswered {
    words: VecDeque<Words>,
    /// Those of its transaction, which have been queued.
    queued: Vec<Words>,
}

impl Unanswered {
    pub(super) fn received(&mut self, words: &Words) {
        let subscribed = self.words.back().is_some_and(subscribes);
        if !subscribed && !words.is_empty() {
            self.words.push_back(Rc::clone(words));
        }
    }

    /// A reply is about to leave: tells of the commands that it is the outcome of, each with its own.
    pub(super) fn executed(&mut self, reply: &Reply, mut tell: impl FnMut(&Words, &Reply)) {
        if self.words.front().is_none_or(subscribes) {
            return;
        }
        let Some(words) = self.words.pop_front() else { return };
        let is_any_of = |names: &[&str]| names.iter().any(|name| is(&words[0], name));
        match reply {
            Reply::Simple(text) if text == "QUEUED" => self.queued.push(words),
            Reply::Array(replies) if is_any_of(&["exec"]) => {
                self.queued.drain(..).zip(replies).for_each(|(words, reply)| tell(&words, reply));
            }
            _ => {
                if is_any_of(&["exec", "discard", "reset"]) {
                    self.queued.clear();
                }
                tell(&words, reply);
            }
        }
    }
}

fn subscribes(words: &Words) -> bool {
    words.first().is_some_and(|name| is(name, "subscribe") || is(name, "psubscribe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(exchanges: &[(&str, Reply)]) -> Vec<(String, Reply)> {
        let mut unanswered = Unanswered::default();
        let words = |text: &str| text.split(' ').map(|word| word.as_bytes().into()).collect();
        exchanges.iter().for_each(|(text, _)| unanswered.received(&words(text)));
        let text = |words: &Words| String::from_utf8_lossy(&words[1]).into_owned();
        let mut executed = Vec::new();
        for (_, reply) in exchanges {
            unanswered.executed(reply, |words, reply| executed.push((text(words), reply.clone())));
        }
        executed
    }

    #[test]
    fn a_transaction_is_seen_when_it_is_executed() {
        let queued = || Reply::Simple("QUEUED".into());
        let of = |end: (&'static str, Reply)| {
            seen(&[
                ("SET a", Reply::OK),
                ("MULTI -", Reply::OK),
                ("SET b", queued()),
                ("SET c", queued()),
                end,
                ("GET d", Reply::NilBulk),
            ])
        };
        let own = [("a".to_owned(), Reply::OK), ("-".to_owned(), Reply::OK)];
        let rest = ("d".to_owned(), Reply::NilBulk);
        let executed = of(("exec -", Reply::Array(vec![Reply::Int(1), Reply::NilBulk])));
        assert_eq!(executed[..2], own);
        assert_eq!(
            executed[2..],
            [("b".to_owned(), Reply::Int(1)), ("c".to_owned(), Reply::NilBulk), rest.clone()]
        );
        for end in [("EXEC -", Reply::NilArray), ("DISCARD -", Reply::OK)] {
            let names: Vec<String> = of(end).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["a", "-", "-", "d"]);
        }
    }

    #[test]
    fn who_subscribes_is_seen_until_then() {
        let message = || Reply::Array(vec![Reply::bulk("message")]);
        let all = [
            ("GET a", Reply::NilBulk),
            ("SUBSCRIBE b", message()),
            ("PING c", message()),
            ("GET d", message()),
        ];
        assert_eq!(seen(&all), [("a".to_owned(), Reply::NilBulk)]);
        let mut unanswered = Unanswered::default();
        unanswered.received(&[b"PSUBSCRIBE"[..].into()].into());
        (0..3).for_each(|_| unanswered.received(&[b"PING"[..].into()].into()));
        assert_eq!(unanswered.words.len(), 1, "nothing is kept for it");
    }
}
