//! Clients that wait for a list: in the order in which they began to, and served after the command that pushes.
//!
//! Who begins to wait draws a ticket, and stands under it in the queue of each of its keys; whose time is limited also
//! stands among the time-outs. So neither a push nor the clock looks at anybody whom it does not concern.

use super::Version;
use super::command::Command;
use super::keyspace::KeyRef;
use super::reply::{Reply, error};
use super::store::{ConnId, Store};
use super::value::Value;
use crate::kernel::SortedMap;
use std::collections::BTreeSet;

/// What a blocked client waits for.
pub(super) struct Blocked {
    command: Command,
    keys: Vec<KeyRef>,
    /// Its place in the queues of these keys.
    ticket: u64,
    /// Milliseconds of Unix time; it must be exceeded. `None` waits for ever.
    until: Option<u64>,
}

/// Who waits, and for what.
#[derive(Default)]
pub(super) struct Waiting {
    /// By ticket, that is in the order in which they began to wait. No queue is empty.
    queues: SortedMap<KeyRef, SortedMap<u64, ConnId>>,
    timeouts: BTreeSet<(u64, ConnId)>,
    tickets: u64,
}

impl Waiting {
    /// True when somebody waits for a key.
    pub(super) fn has(&self, key: &KeyRef) -> bool {
        self.queues.contains_key(key)
    }

    pub(super) fn count(&self, key: &KeyRef) -> usize {
        self.queues.get(key).map_or(0, SortedMap::len)
    }

    /// Those in a key's queue whose tickets are below `limit`, in order.
    fn of(&self, key: &KeyRef, limit: u64) -> Vec<ConnId> {
        let queue = self.queues.get(key).into_iter().flat_map(SortedMap::iter);
        queue.take_while(|(ticket, _)| **ticket < limit).map(|(_, &id)| id).collect()
    }

    /// Puts a client at the end of its queues.
    fn join(&mut self, id: ConnId, blocked: &mut Blocked) {
        blocked.ticket = self.tickets;
        self.tickets += 1;
        for key in &blocked.keys {
            self.queues.entry(key.clone()).or_default().insert(blocked.ticket, id);
        }
        self.timeouts.extend(blocked.until.map(|at| (at, id)));
    }

    fn leave(&mut self, id: ConnId, blocked: &Blocked) {
        for key in &blocked.keys {
            if let Some(queue) = self.queues.get_mut(key) {
                let stood = queue.remove(&blocked.ticket);
                debug_assert_eq!(stood, Some(id), "who is blocked stands in the queue of each key");
                if queue.is_empty() {
                    self.queues.remove(key);
                }
            }
        }
        if let Some(at) = blocked.until {
            self.timeouts.remove(&(at, id));
        }
    }
}

impl Store {
    /// Answers at once, or blocks the client and answers nothing yet.
    pub(super) fn pop_or_block(&mut self, id: ConnId, command: &Command, nested: bool) -> Option<Reply> {
        let mut command = command.clone();
        let reply = self.attempt(&mut command);
        self.absorb_changes();
        if reply.is_some() {
            return reply;
        }
        let (Some(wait), false) = (command.wait(), nested) else {
            // A single value that is missing is another null than a list of them.
            let single = matches!(command, Command::Move { .. });
            return Some(if single { Reply::NilBulk } else { Reply::NilArray });
        };
        self.block(id, command, wait)
    }

    fn block(&mut self, id: ConnId, command: Command, wait: u64) -> Option<Reply> {
        let db = self.keyspace.db;
        let mut keys: Vec<KeyRef> = Vec::new();
        for key in command.waited_keys() {
            // A key that is named twice is waited for once.
            if !keys.iter().any(|(_, other)| *other == key) {
                keys.push((db, key));
            }
        }
        let until = match wait {
            0 => None,
            wait => match self.keyspace.now.checked_add(wait).filter(|&at| at <= i64::MAX as u64) {
                Some(at) => Some(at),
                // It turns negative, which is long ago.
                None if self.config.version == Version::Redis7 => Some(0),
                None => return Some(Reply::Error(error("ERR timeout is out of range"))),
            },
        };
        self.wait(id, Blocked { command, keys, ticket: 0, until });
        None
    }

    /// Does what a blocking command does when there is something: `None` when there is not.
    fn attempt(&mut self, command: &mut Command) -> Option<Reply> {
        match command {
            Command::PopFirst { keys, end, .. } => self.keyspace.pop_first(keys, *end).map(Reply::from),
            Command::PopMany { keys, end, count, .. } => {
                self.keyspace.pop_many(keys, *end, *count).map(Reply::from)
            }
            Command::Move { source, target, from, to, .. } => {
                match self.keyspace.list_move(source, target, *from, *to) {
                    Ok(moved) => moved,
                    Err(error) => Some(Reply::Error(error)),
                }
            }
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(attempt) => match (attempt.run)(&mut self.keyspace, attempt) {
                Ok(found) => found,
                Err(error) => Some(Reply::Error(error)),
            },
            _ => None,
        }
    }

    /// True if somebody waits for a value of the kind that a key has got, whatever the key: others are not noted as ready. The
    /// page's programs have one such kind.
    pub(super) fn kind_is_awaited(&self, key: &KeyRef) -> bool {
        #[cfg(not(target_arch = "wasm32"))]
        {
            let now = self.keyspace.peek(key).map(Value::type_name);
            let was = self.keyspace.gone.contains(key).then_some("stream");
            let kinds = |blocked: &Blocked| Some(blocked.command.waited_kind());
            let mut blocked = self.clients.values().filter_map(|client| client.blocked.as_ref()).map(kinds);
            blocked.any(|kind| kind == now || kind == was)
        }
        #[cfg(target_arch = "wasm32")]
        {
            let _ = key;
            true
        }
    }

    /// Serves who waits for the keys that came into being. What a served client pushes may serve others in turn.
    pub(super) fn serve_waiting(&mut self) {
        while let Some(key) = self.ready.pop_front() {
            // Who begins to wait from here on is not served in this turn.
            let limit = self.waiting.tickets;
            for id in self.waiting.of(&key, limit) {
                let kind = self.keyspace.peek(&key).map(Value::type_name);
                let waited = self.clients.get(&id).and_then(|client| client.blocked.as_ref());
                if waited.is_some_and(|blocked| kind == Some(blocked.command.waited_kind())) {
                    self.serve(id, &key);
                } else if kind != Some("stream")
                    && waited.is_some_and(|blocked| blocked.command.is_of_group())
                {
                    self.stop_waiting(id);
                    self.send(id, Reply::Error(error("UNBLOCKED the stream key no longer exists")));
                }
            }
        }
    }

    fn serve(&mut self, id: ConnId, key: &KeyRef) {
        let blocked = self.clients.get(&id).and_then(|client| client.blocked.as_ref());
        let Some(mut command) = blocked.map(|blocked| blocked.command.clone()) else { return };
        self.keyspace.db = key.0;
        if self.config.version == Version::Redis7 {
            // It is given an element of the key that was pushed to. (Valkey 8 runs its command again, from the first key on.)
            command = command.narrowed_to(&key.1);
        }
        let reply = self.attempt(&mut command);
        if let Some(reply) = reply {
            self.stop_waiting(id);
            self.absorb_changes();
            self.send(id, reply);
        }
        // Otherwise its list expired at this very moment, or there is nothing new for it: it waits on.
        self.absorb_changes();
    }

    fn wait(&mut self, id: ConnId, mut blocked: Blocked) {
        if let Some(client) = self.clients.get_mut(&id) {
            self.waiting.join(id, &mut blocked);
            client.blocked = Some(blocked);
        }
    }

    /// Takes a client out of all queues; `None` when it was in none.
    pub(super) fn stop_waiting(&mut self, id: ConnId) -> Option<Blocked> {
        let blocked = self.clients.get_mut(&id)?.blocked.take()?;
        self.waiting.leave(id, &blocked);
        self.unblocked.push_back(id);
        Some(blocked)
    }

    /// When the next blocking call's time is up, in milliseconds of Unix time.
    pub(super) fn next_timeout(&self) -> Option<u64> {
        self.waiting.timeouts.first().map(|&(at, _)| at)
    }

    /// Answers the blocking calls whose time is up, the oldest first.
    pub(super) fn end_timeouts(&mut self) {
        while let Some(&(at, id)) = self.waiting.timeouts.first()
            && at < self.keyspace.now
        {
            self.waiting.timeouts.pop_first();
            self.stop_waiting(id);
            self.send(id, Reply::NilArray);
        }
    }

    /// CLIENT UNBLOCK: as if its time were up, or with an error. True when it was blocked.
    pub(super) fn unblock(&mut self, id: ConnId, with_error: bool) -> bool {
        let unblocked = self.stop_waiting(id).is_some();
        if unblocked {
            let error = Reply::Error(error("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
            self.send(id, if with_error { error } else { Reply::NilArray });
        }
        unblocked
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "who is blocked stands in the queue of each key")]
    fn nobody_leaves_a_queue_twice() {
        let blocked = || Blocked {
            command: Command::Ping { message: None },
            keys: vec![(0, (*b"tasks").into())],
            ticket: 0,
            until: None,
        };
        let (mut waiting, mut first) = (Waiting::default(), blocked());
        waiting.join(ConnId(1), &mut first);
        waiting.join(ConnId(2), &mut blocked());
        waiting.leave(ConnId(1), &first);
        waiting.leave(ConnId(1), &first);
    }
}
