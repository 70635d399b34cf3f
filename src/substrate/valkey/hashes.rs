//! Hashes: fields and values under one key.

use super::command::Command;
use super::keyspace::Keyspace;
use super::number::parse_int;
use super::reply::{Answer, Bytes, ErrorText, OVERFLOW, Reply, error};

impl Keyspace {
    /// The commands on hashes.
    pub(super) fn on_hash(&mut self, command: &Command) -> Answer {
        match command {
            Command::HashSet { key, pairs, counted } => {
                let hash = self.hash_or_new(key)?;
                let new =
                    pairs.iter().filter(|(field, value)| hash.set(field.clone(), value.clone())).count();
                self.touch(key);
                Ok(if *counted { Reply::count(new) } else { Reply::OK })
            }
            Command::HashSetNew { key, field, value } => {
                if self.hash(key)?.is_some_and(|hash| hash.get(field).is_some()) {
                    return Ok(Reply::Int(0));
                }
                self.hash_or_new(key)?.set(field.clone(), value.clone());
                self.touch(key);
                Ok(Reply::Int(1))
            }
            Command::HashGet { key, field } => Ok(Reply::bulk_or_nil(self.field(key, field)?)),
            Command::HashGetMany { key, fields } => {
                let hash = self.hash(key)?;
                let value = |field| Reply::bulk_or_nil(hash.as_ref().and_then(|h| h.get(field)).cloned());
                Ok(Reply::Array(fields.iter().map(|field: &Bytes| value(field)).collect()))
            }
            Command::HashAll { key, names, values } => {
                let Some(hash) = self.hash(key)? else { return Ok(Reply::Array(Vec::new())) };
                let mut words = Vec::with_capacity(2 * hash.len());
                for (name, value) in hash.iter() {
                    words.extend(names.then_some(Reply::Bulk(name)));
                    words.extend(values.then_some(Reply::Bulk(value)));
                }
                Ok(Reply::Array(words))
            }
            Command::HashDelete { key, fields } => {
                let Some(hash) = self.hash(key)? else { return Ok(Reply::Int(0)) };
                let removed = fields.iter().filter(|field| hash.remove(field)).count();
                if removed > 0 {
                    self.touch(key);
                }
                Ok(Reply::count(removed))
            }
            Command::HashLen { key } => Ok(Reply::count(self.hash(key)?.map_or(0, |hash| hash.len()))),
            Command::HashExists { key, field } => {
                Ok(Reply::Int(i64::from(self.field(key, field)?.is_some())))
            }
            Command::HashTextLen { key, field } => {
                Ok(Reply::count(self.field(key, field)?.map_or(0, |value| value.len())))
            }
            Command::HashAdd { key, field, delta } => {
                let old = match self.field(key, field)? {
                    Some(text) => parse_int(&text).ok_or(error("ERR hash value is not an integer"))?,
                    None => 0,
                };
                let new = old.checked_add(*delta).ok_or(OVERFLOW)?;
                self.set_field(key, field, new.to_string())?;
                Ok(Reply::Int(new))
            }
            _ => Err(error("ERR not a command on hashes")),
        }
    }

    pub(super) fn field(&mut self, key: &Bytes, field: &Bytes) -> Result<Option<Bytes>, ErrorText> {
        Ok(self.hash(key)?.and_then(|hash| hash.get(field).cloned()))
    }

    pub(super) fn set_field(&mut self, key: &Bytes, field: &Bytes, text: String) -> Result<(), ErrorText> {
        self.hash_or_new(key)?.set(field.clone(), text.into_bytes().into());
        self.touch(key);
        Ok(())
    }
}
