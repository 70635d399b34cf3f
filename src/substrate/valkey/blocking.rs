//! Clients that wait for a list: in the order in which they began to, and served after the command that pushes.

use super::Version;
use super::command::Command;
use super::keyspace::KeyRef;
use super::reply::{Reply, error};
use super::store::{ConnId, Store};
use super::value::Value;

/// What a blocked client waits for.
pub(super) struct Blocked {
    command: Command,
    keys: Vec<KeyRef>,
    /// Milliseconds of Unix time; it must be exceeded. `None` waits for ever.
    until: Option<u64>,
}

impl Store {
    /// Answers at once, or blocks the client and answers nothing yet.
    pub(super) fn pop_or_block(&mut self, id: ConnId, command: &Command, nested: bool) -> Option<Reply> {
        let reply = self.attempt(command);
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

    fn block(&mut self, id: ConnId, command: &Command, wait: u64) -> Option<Reply> {
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
                None => return Some(Reply::Error(error("ERR timeout is out of range"))),
            },
        };
        for key in &keys {
            self.waiting.entry(key.clone()).or_default().push(id);
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.blocked = Some(Blocked { command: command.clone(), keys, until });
        }
        None
    }

    /// Does what a blocking command does when there is something: `None` when there is not.
    fn attempt(&mut self, command: &Command) -> Option<Reply> {
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
            _ => None,
        }
    }

    /// Serves who waits for the keys that came into being. What a served client pushes may serve others in turn.
    pub(super) fn serve_waiting(&mut self) {
        while let Some(key) = self.ready.pop_front() {
            // Who begins to wait from here on is not served in this turn.
            let waiting = self.waiting.get(&key).cloned().unwrap_or_default();
            for id in waiting {
                if !matches!(self.keyspace.peek(&key), Some(Value::List(_))) {
                    break;
                }
                self.serve(id, &key);
            }
        }
    }

    fn serve(&mut self, id: ConnId, key: &KeyRef) {
        let Some(blocked) = self.stop_waiting(id) else { return };
        self.keyspace.db = key.0;
        let reply = match self.config.version {
            // It is given an element of the key that was pushed to.
            Version::Redis7 => self.attempt(&blocked.command.narrowed_to(&key.1)),
            // It runs its command again, from the first key on.
            Version::Valkey8 => self.attempt(&blocked.command),
        };
        self.absorb_changes();
        match reply {
            Some(reply) => self.send(id, reply),
            // Its list expired at this very moment: it waits on.
            None => self.wait_again(id, blocked),
        }
    }

    fn wait_again(&mut self, id: ConnId, blocked: Blocked) {
        for key in &blocked.keys {
            self.waiting.entry(key.clone()).or_default().push(id);
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.blocked = Some(blocked);
        }
    }

    /// Takes a client out of all queues; `None` when it was in none.
    pub(super) fn stop_waiting(&mut self, id: ConnId) -> Option<Blocked> {
        let blocked = self.clients.get_mut(&id)?.blocked.take()?;
        for key in &blocked.keys {
            if let Some(waiting) = self.waiting.get_mut(key) {
                waiting.retain(|&other| other != id);
                if waiting.is_empty() {
                    self.waiting.remove(key);
                }
            }
        }
        self.unblocked.push_back(id);
        Some(blocked)
    }

    /// When the next blocking call's time is up, in milliseconds of Unix time.
    pub(super) fn next_timeout(&self) -> Option<u64> {
        self.clients.values().filter_map(|client| client.blocked.as_ref()?.until).min()
    }

    /// Answers the blocking calls whose time is up, the oldest first.
    pub(super) fn end_timeouts(&mut self) {
        let now = self.keyspace.now;
        let mut due: Vec<(u64, ConnId)> = Vec::new();
        for (&id, client) in &self.clients {
            due.extend(
                client.blocked.as_ref().and_then(|b| b.until).filter(|&at| at < now).map(|at| (at, id)),
            );
        }
        due.sort_unstable();
        for (_, id) in due {
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
