//! MULTI, EXEC, and WATCH: commands that run together, or not at all when a watched key has changed.

use super::command::Command;
use super::keyspace::KeyRef;
use super::parse::Parsed;
use super::reply::{Answer, EXEC_ABORT, ErrorText, Replies, Reply, error};
#[cfg(not(target_arch = "wasm32"))]
use super::store::Effect;
use super::store::{ConnId, Store};
use super::table::Spec;

/// A client's transaction.
#[derive(Default)]
pub(super) struct Transaction {
    /// `None` outside of MULTI. Arguments that cannot be read matter only when it is the command's turn.
    queued: Option<Vec<Parsed>>,
    grows: bool,
    /// A command could not be queued.
    aborted: bool,
    /// A watched key has changed.
    conflict: bool,
    /// What it watches, and whether the key had expired, unnoticed, by then.
    watched: Vec<(KeyRef, bool)>,
}

impl Transaction {
    pub(super) fn is_open(&self) -> bool {
        self.queued.is_some()
    }

    /// Something in it may need more memory.
    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    pub(super) fn queue(&mut self, spec: &Spec, parsed: Parsed) {
        if let Some(queued) = &mut self.queued {
            self.grows |= spec.grows();
            queued.push(parsed);
        }
    }

    /// Calls it off: EXEC will say so.
    pub(super) fn abort(&mut self) {
        self.aborted |= self.is_open();
    }

    /// Forgets it, except for what is watched.
    pub(super) fn close(&mut self) -> Option<Vec<Parsed>> {
        (self.grows, self.aborted, self.conflict) = (false, false, false);
        self.queued.take()
    }
}

impl Store {
    pub(super) fn on_transaction(&mut self, id: ConnId, command: &Command) -> Answer {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(Reply::NilBulk) };
        let transaction = &mut client.transaction;
        match command {
            Command::Multi if transaction.is_open() => Err(error("ERR MULTI calls can not be nested")),
            Command::Multi => {
                transaction.queued = Some(Vec::new());
                Ok(Reply::OK)
            }
            Command::Watch { .. } if transaction.is_open() => {
                Err(error("ERR WATCH inside MULTI is not allowed"))
            }
            Command::Watch { keys } => {
                for key in keys {
                    let key = (self.keyspace.db, key.clone());
                    let watching = self.watching.entry(key.clone()).or_default();
                    if !watching.contains(&id) {
                        watching.push(id);
                        let expired = self.keyspace.is_expired(key.0, &key.1);
                        transaction.watched.push((key, expired));
                    }
                }
                Ok(Reply::OK)
            }
            Command::Discard if !transaction.is_open() => Err(error("ERR DISCARD without MULTI")),
            _ => {
                if matches!(command, Command::Discard) {
                    transaction.close();
                }
                transaction.conflict = false;
                self.unwatch(id);
                Ok(Reply::OK)
            }
        }
    }

    /// The array of its replies; what does not fit in there, since a command had several, comes behind it.
    pub(super) fn exec(&mut self, id: ConnId) -> Result<Vec<Reply>, ErrorText> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(Vec::new()) };
        let transaction = &mut client.transaction;
        if !transaction.is_open() {
            return Err(error("ERR EXEC without MULTI"));
        }
        let expired = |((db, key), before): &(KeyRef, bool)| !before && self.keyspace.is_expired(*db, key);
        let conflict = transaction.conflict || transaction.watched.iter().any(expired);
        let aborted = transaction.aborted;
        let queued = transaction.close();
        self.unwatch(id);
        if aborted {
            return Err(EXEC_ABORT);
        }
        if conflict {
            return Ok(vec![Reply::NilArray]);
        }
        let queued = queued.unwrap_or_default();
        let (mut replies, count) = (Vec::new(), queued.len());
        for parsed in queued {
            #[cfg(not(target_arch = "wasm32"))]
            let before = self.effects.len();
            let own = match parsed {
                Ok(command) => self.run(id, &command, true),
                Err(error) => Replies::One(Reply::Error(error)),
            };
            #[cfg(not(target_arch = "wasm32"))]
            replies.extend(self.take_back(id, before));
            own.add_to(&mut replies);
        }
        let rest = replies.split_off(count.min(replies.len()));
        Ok([Reply::Array(replies)].into_iter().chain(rest).collect())
    }

    /// What a client was sent meanwhile, since it hears its own messages: all is one stream of bytes, in which the array of the
    /// transaction's replies has begun already. Nobody does so in the page's programs.
    #[cfg(not(target_arch = "wasm32"))]
    fn take_back(&mut self, id: ConnId, since: usize) -> Vec<Reply> {
        let mut own = Vec::new();
        for effect in self.effects.split_off(since) {
            match effect {
                Effect::Send(to, reply) if to == id => own.push(reply),
                other => self.effects.push(other),
            }
        }
        own
    }

    /// A key has changed: transactions that watch it will not run.
    pub(super) fn mark_watching(&mut self, key: &KeyRef) {
        if self.watching.is_empty() {
            return;
        }
        for id in self.watching.get(key).cloned().unwrap_or_default() {
            if let Some(client) = self.clients.get_mut(&id) {
                client.transaction.conflict = true;
            }
        }
    }

    /// A client no longer watches anything.
    pub(super) fn unwatch(&mut self, id: ConnId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        for (key, _) in std::mem::take(&mut client.transaction.watched) {
            if let Some(watching) = self.watching.get_mut(&key) {
                watching.retain(|&other| other != id);
                if watching.is_empty() {
                    self.watching.remove(&key);
                }
            }
        }
    }
}
