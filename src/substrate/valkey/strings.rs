//! Strings: values, counters, and SET with its options.

use super::command::{Command, Expiry, Only, SetExpiry};
use super::keyspace::Keyspace;
use super::lists::range;
use super::number::parse_int;
use super::parse::invalid_expiry;
use super::reply::{Answer, Bytes, ErrorText, NOT_AN_INTEGER, OVERFLOW, Reply, TOO_LONG, error};
use super::value::Value;

/// The longest string: `proto-max-bulk-len`.
pub(super) const LENGTH_MAX: usize = 512 * 1024 * 1024;

impl Keyspace {
    /// The instant of an expiry; `name` is for the error when it is beyond the clock.
    pub(super) fn instant(&self, expiry: Expiry, name: &str) -> Result<i64, ErrorText> {
        match expiry {
            Expiry::At(at) => Ok(at),
            Expiry::In(span) => (self.now as i64).checked_add(span).ok_or_else(|| invalid_expiry(name)),
        }
    }

    fn put(&mut self, key: &Bytes, value: impl Into<Bytes>) {
        self.insert(key.clone(), Value::Text(value.into()), None);
    }

    /// Changes a value and leaves its expiry alone.
    pub(super) fn replace(&mut self, key: &Bytes, value: impl Into<Bytes>) {
        let expires = self.expires(key);
        self.insert(key.clone(), Value::Text(value.into()), expires);
    }

    /// The commands on strings.
    pub(super) fn on_string(&mut self, command: &Command) -> Answer {
        match command {
            Command::Set { key, value, expiry, only, get } => self.set(key, value, *expiry, *only, *get),
            Command::SetNew { key, value } => {
                let new = !self.exists(key);
                if new {
                    self.put(key, value.clone());
                }
                Ok(Reply::Int(i64::from(new)))
            }
            Command::SetFor { key, value, expiry, name } => {
                let at = self.instant(*expiry, name)?;
                self.insert(key.clone(), Value::Text(value.clone()), Some(at as u64));
                Ok(Reply::OK)
            }
            Command::Get { key } => Ok(Reply::bulk_or_nil(self.text(key)?)),
            Command::GetSet { key, value } => {
                let old = self.text(key)?;
                self.put(key, value.clone());
                Ok(Reply::bulk_or_nil(old))
            }
            Command::GetDelete { key } => {
                let old = self.text(key)?;
                self.remove(key);
                Ok(Reply::bulk_or_nil(old))
            }
            Command::GetExpire { key, expiry } => self.get_expire(key, expiry),
            Command::Add { key, delta } => self.add(key, *delta),
            Command::Append { key, value } => {
                let old = self.text(key)?;
                let new = [old.as_deref().unwrap_or_default(), value].concat();
                let len = new.len();
                self.replace(key, new);
                Ok(Reply::count(len))
            }
            Command::TextLen { key } => Ok(Reply::count(self.text(key)?.map_or(0, |text| text.len()))),
            Command::GetRange { key, start, stop } => {
                let text = self.text(key)?.unwrap_or_default();
                if *start < 0 && *stop < 0 && start > stop {
                    return Ok(Reply::bulk(""));
                }
                // A stop before the beginning means the beginning: unlike lists, strings have it.
                let stop = if *stop < 0 { stop.saturating_add(text.len() as i64).max(0) } else { *stop };
                Ok(Reply::bulk(&text[range(*start, stop, text.len())]))
            }
            Command::SetRange { key, offset, value } => self.set_range(key, *offset as usize, value),
            Command::GetMany { keys } => {
                let value = |key| Reply::bulk_or_nil(self.text(key).unwrap_or(None));
                Ok(Reply::Array(keys.iter().map(value).collect()))
            }
            Command::SetMany { pairs, only_new } => {
                if *only_new && pairs.iter().any(|(key, _)| self.exists(key)) {
                    return Ok(Reply::Int(0));
                }
                for (key, value) in pairs {
                    self.put(key, value.clone());
                }
                Ok(if *only_new { Reply::Int(1) } else { Reply::OK })
            }
            _ => Err(error("ERR not a command on strings")),
        }
    }

    fn set(
        &mut self,
        key: &Bytes,
        value: &Bytes,
        expiry: SetExpiry,
        only: Option<Only>,
        get: bool,
    ) -> Answer {
        let expires = match expiry {
            SetExpiry::To(expiry) => Some(self.instant(expiry, "set")? as u64),
            SetExpiry::Keep => self.expires(key),
            SetExpiry::Unsaid | SetExpiry::Clear => None,
        };
        let old = if get { self.text(key)? } else { None };
        let exists = self.exists(key);
        let allowed = match only {
            None => true,
            Some(Only::New) => !exists,
            Some(Only::Old) => exists,
        };
        if allowed {
            self.insert(key.clone(), Value::Text(value.clone()), expires);
        }
        Ok(match (get, allowed) {
            (true, _) => Reply::bulk_or_nil(old),
            (false, true) => Reply::OK,
            (false, false) => Reply::NilBulk,
        })
    }

    fn get_expire(&mut self, key: &Bytes, expiry: &Result<SetExpiry, ErrorText>) -> Answer {
        let Some(text) = self.text(key)? else { return Ok(Reply::NilBulk) };
        match expiry.clone()? {
            SetExpiry::To(expiry) => {
                let at = self.instant(expiry, "getex")?;
                if at <= self.now as i64 {
                    self.remove(key);
                } else {
                    self.set_expires(key, Some(at as u64));
                }
            }
            SetExpiry::Clear if self.expires(key).is_some() => self.set_expires(key, None),
            SetExpiry::Clear | SetExpiry::Unsaid | SetExpiry::Keep => {}
        }
        Ok(Reply::Bulk(text))
    }

    fn add(&mut self, key: &Bytes, delta: i64) -> Answer {
        let old = match self.text(key)? {
            Some(text) => parse_int(&text).ok_or(NOT_AN_INTEGER)?,
            None => 0,
        };
        let new = old.checked_add(delta).ok_or(OVERFLOW)?;
        self.replace(key, new.to_string().into_bytes());
        Ok(Reply::Int(new))
    }

    fn set_range(&mut self, key: &Bytes, offset: usize, value: &Bytes) -> Answer {
        let mut text = self.text(key)?.map(|text| text.to_vec()).unwrap_or_default();
        if value.is_empty() {
            return Ok(Reply::count(text.len()));
        }
        let end = offset.checked_add(value.len()).filter(|&end| end <= LENGTH_MAX).ok_or(TOO_LONG)?;
        if text.len() < end {
            text.resize(end, 0);
        }
        text[offset..end].copy_from_slice(value);
        let len = text.len();
        self.replace(key, text);
        Ok(Reply::count(len))
    }
}
