//! Keys of any type: existence, names, expiry.

use super::command::{Command, ExpireIf, Expiry};
use super::glob;
use super::keyspace::Keyspace;
use super::reply::{Answer, Bytes, NO_SUCH_KEY, Reply, error};

/// What TTL answers for a key without expiry, and without a key.
const NO_EXPIRY: i64 = -1;
const NO_KEY: i64 = -2;

impl Keyspace {
    /// The commands on keys.
    pub(super) fn on_key(&mut self, command: &Command) -> Answer {
        match command {
            Command::Delete { keys } => Ok(Reply::count(keys.iter().filter(|key| self.remove(key)).count())),
            Command::Exists { keys } => Ok(Reply::count(keys.iter().filter(|key| self.exists(key)).count())),
            Command::Type { key } => {
                let name = self.value(key).map_or("none", |value| value.type_name());
                Ok(Reply::Simple(name.into()))
            }
            Command::Rename { from, to, only_new } => self.rename(from, to, *only_new),
            Command::Copy { from, to, db, replace } => self.copy(from, to, db.unwrap_or(self.db), *replace),
            Command::MoveTo { key, db } => self.move_to(key, *db),
            Command::Keys { pattern } => Ok(Reply::bulks(
                self.live_keys().into_iter().filter(|key| **pattern == *b"*" || glob::matches(pattern, key)),
            )),
            // Any key will do: the first keeps runs the same.
            Command::RandomKey => Ok(Reply::bulk_or_nil(self.live_keys().into_iter().next())),
            Command::Expire { key, expiry, only, name } => self.expire(key, *expiry, *only, name),
            Command::Ttl { key, seconds, absolute } => Ok(Reply::Int(self.ttl(key, *seconds, *absolute))),
            Command::Persist { key } => {
                let had_one = self.expires(key).is_some();
                if had_one {
                    self.set_expires(key, None);
                }
                Ok(Reply::Int(i64::from(had_one)))
            }
            Command::DbSize => Ok(Reply::count(self.len_of(self.db))),
            Command::Flush { every } => {
                self.flush(*every);
                Ok(Reply::OK)
            }
            _ => Err(error("ERR not a command on keys")),
        }
    }

    fn live_keys(&self) -> Vec<Bytes> {
        let mut keys = self.keys_of(self.db);
        keys.retain(|key| !self.is_expired(self.db, key));
        keys
    }

    fn rename(&mut self, from: &Bytes, to: &Bytes, only_new: bool) -> Answer {
        let done = if only_new { Reply::Int(1) } else { Reply::OK };
        let Some(value) = self.value(from).cloned() else { return Err(NO_SUCH_KEY) };
        if from == to {
            return Ok(if only_new { Reply::Int(0) } else { Reply::OK });
        }
        if self.exists(to) {
            if only_new {
                return Ok(Reply::Int(0));
            }
            // It ceases to exist for a moment: whoever waits for the new one is told.
            self.remove(to);
        }
        let expires = self.expires(from);
        self.insert(to.clone(), value, expires);
        self.remove(from);
        Ok(done)
    }

    fn copy(&mut self, from: &Bytes, to: &Bytes, db: usize, replace: bool) -> Answer {
        if from == to && db == self.db {
            return Err(error("ERR source and destination objects are the same"));
        }
        let Some(value) = self.value(from).cloned() else { return Ok(Reply::Int(0)) };
        let expires = self.expires(from);
        let here = std::mem::replace(&mut self.db, db);
        let free = !self.exists(to) || (replace && self.remove(to));
        if free {
            self.insert(to.clone(), value, expires);
        }
        self.db = here;
        Ok(Reply::Int(i64::from(free)))
    }

    fn move_to(&mut self, key: &Bytes, db: usize) -> Answer {
        let moved = self.copy(key, key, db, false)?;
        if moved == Reply::Int(1) {
            self.remove(key);
        }
        Ok(moved)
    }

    fn expire(&mut self, key: &Bytes, expiry: Expiry, only: ExpireIf, name: &str) -> Answer {
        let at = self.instant(expiry, name)?;
        if !self.exists(key) {
            return Ok(Reply::Int(0));
        }
        let current = self.expires(key).map(|at| at as i64);
        let refused = only.none && current.is_some()
            || only.some && current.is_none()
            || only.later && current.is_none_or(|current| at <= current)
            || only.sooner && current.is_some_and(|current| at >= current);
        if refused {
            return Ok(Reply::Int(0));
        }
        if at <= self.now as i64 {
            self.remove(key);
        } else {
            self.set_expires(key, Some(at as u64));
        }
        Ok(Reply::Int(1))
    }

    fn ttl(&mut self, key: &Bytes, seconds: bool, absolute: bool) -> i64 {
        if !self.exists(key) {
            return NO_KEY;
        }
        let Some(at) = self.expires(key) else { return NO_EXPIRY };
        let millis = if absolute { at } else { at.saturating_sub(self.now) };
        (if seconds { (millis + 500) / 1000 } else { millis }) as i64
    }
}
