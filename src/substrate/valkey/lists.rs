//! Lists: a queue is a list that is pushed at one end and popped at the other.

use super::command::{Command, End};
use super::keyspace::Keyspace;
use super::number::parse_int;
use super::parse::place;
use super::reply::{Answer, Bytes, ErrorText, NO_SUCH_KEY, NOT_AN_INTEGER, OUT_OF_RANGE, Reply, error};
use super::value::Value;
use std::collections::VecDeque;
use std::ops::Range;

fn push(items: &mut VecDeque<Bytes>, end: End, item: Bytes) {
    match end {
        End::Left => items.push_front(item),
        End::Right => items.push_back(item),
    }
}

fn pop(items: &mut VecDeque<Bytes>, end: End) -> Option<Bytes> {
    match end {
        End::Left => items.pop_front(),
        End::Right => items.pop_back(),
    }
}

/// `start` … `stop`, both counted in, both from the end when negative, as a range of places.
pub(super) fn range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let from_end = |at: i64| if at < 0 { at.saturating_add(len as i64) } else { at };
    let start = from_end(start).max(0) as usize;
    let stop = from_end(stop).saturating_add(1).clamp(0, len as i64) as usize;
    start.min(stop)..stop
}

impl Keyspace {
    fn push(&mut self, key: &Bytes, end: End, new: &[Bytes], only_old: bool) -> Answer {
        if self.list(key)?.is_none() {
            if only_old {
                return Ok(Reply::Int(0));
            }
            self.create(key, Value::List(VecDeque::new()));
        }
        let Some(items) = self.list(key)? else { return Ok(Reply::Int(0)) };
        for item in new {
            push(items, end, item.clone());
        }
        let len = items.len();
        self.touch(key);
        Ok(Reply::count(len))
    }

    fn pop(&mut self, key: &Bytes, end: End, count: Option<usize>) -> Answer {
        let Some(items) = self.list(key)? else {
            return Ok(if count.is_some() { Reply::NilArray } else { Reply::NilBulk });
        };
        match count {
            None => {
                let item = pop(items, end);
                self.touch(key);
                Ok(Reply::bulk_or_nil(item))
            }
            Some(0) => Ok(Reply::Array(Vec::new())),
            Some(count) => Ok(Reply::bulks(self.take_items(key, end, count))),
        }
    }

    fn take_items(&mut self, key: &Bytes, end: End, count: usize) -> Vec<Bytes> {
        let Ok(Some(items)) = self.list(key) else { return Vec::new() };
        let taken = (0..count.min(items.len())).filter_map(|_| pop(items, end)).collect();
        self.touch(key);
        taken
    }

    /// BLPOP and BRPOP without the waiting: `None` when all keys are missing.
    pub(super) fn pop_first(&mut self, keys: &[Bytes], end: End) -> Option<Answer> {
        let key = self.first_list(keys)?;
        Some(key.map(|key| {
            let taken = self.take_items(&key, end, 1);
            Reply::bulks([key].into_iter().chain(taken))
        }))
    }

    /// LMPOP and BLMPOP: `None` when all keys are missing.
    pub(super) fn pop_many(&mut self, keys: &[Bytes], end: End, count: usize) -> Option<Answer> {
        let key = self.first_list(keys)?;
        Some(key.map(|key| {
            let taken = self.take_items(&key, end, count);
            Reply::Array(vec![Reply::Bulk(key), Reply::bulks(taken)])
        }))
    }

    /// The first key that exists, which must be a list.
    fn first_list(&mut self, keys: &[Bytes]) -> Option<Result<Bytes, ErrorText>> {
        keys.iter().find_map(|key| match self.list(key) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Ok(key.clone())),
            Err(error) => Some(Err(error)),
        })
    }

    /// LMOVE and its kin: `None` when the source is missing. Nothing is taken when the target is no list.
    pub(super) fn list_move(
        &mut self,
        source: &Bytes,
        target: &Bytes,
        from: End,
        to: End,
    ) -> Result<Option<Reply>, ErrorText> {
        if self.list(source)?.is_none() {
            return Ok(None);
        }
        self.list(target)?;
        let Some(item) = self.list(source)?.and_then(|items| pop(items, from)) else { return Ok(None) };
        // The push comes first: a list that is rotated onto itself never ceases to exist.
        self.push(target, to, std::slice::from_ref(&item), false)?;
        self.touch(source);
        Ok(Some(Reply::Bulk(item)))
    }

    /// The commands on lists that never wait.
    pub(super) fn on_list(&mut self, command: &Command) -> Answer {
        match command {
            Command::Push { key, end, items, only_old } => self.push(key, *end, items, *only_old),
            Command::Pop { key, end, count } => self.pop(key, *end, *count),
            Command::ListLen { key } => Ok(Reply::count(self.list(key)?.map_or(0, |items| items.len()))),
            Command::ListRange { key, start, stop } => {
                let Some(items) = self.list(key)? else { return Ok(Reply::Array(Vec::new())) };
                Ok(Reply::bulks(items.range(range(*start, *stop, items.len())).cloned()))
            }
            Command::ListTrim { key, start, stop } => {
                let Some(items) = self.list(key)? else { return Ok(Reply::OK) };
                let kept = range(*start, *stop, items.len());
                items.truncate(kept.end);
                items.drain(..kept.start.min(kept.end));
                self.touch(key);
                Ok(Reply::OK)
            }
            Command::ListRemove { key, count, item } => self.list_remove(key, *count, item),
            Command::ListIndex { key, index } => {
                let Some(items) = self.list(key)? else { return Ok(Reply::NilBulk) };
                let index = parse_int(index).ok_or(NOT_AN_INTEGER)?;
                let found = place(index, items.len()).ok().and_then(|at| items.get(at).cloned());
                Ok(Reply::bulk_or_nil(found))
            }
            Command::ListSet { key, index, item } => {
                let items = self.list(key)?.ok_or(NO_SUCH_KEY)?;
                let index = parse_int(index).ok_or(NOT_AN_INTEGER)?;
                let at = place(index, items.len())?;
                *items.get_mut(at).ok_or(OUT_OF_RANGE)? = item.clone();
                self.touch(key);
                Ok(Reply::OK)
            }
            Command::ListInsert { key, before, pivot, item } => {
                let Some(items) = self.list(key)? else { return Ok(Reply::Int(0)) };
                let Some(at) = items.iter().position(|other| other == pivot) else {
                    return Ok(Reply::Int(-1));
                };
                items.insert(if *before { at } else { at + 1 }, item.clone());
                let len = items.len();
                self.touch(key);
                Ok(Reply::count(len))
            }
            Command::ListPosition { key, item, rank, count, longest } => {
                let places = match self.list(key)? {
                    Some(items) => positions(items, item, *rank, count.unwrap_or(1), *longest),
                    None => Vec::new(),
                };
                let mut places = places.into_iter().map(Reply::count);
                Ok(match count {
                    Some(_) => Reply::Array(places.collect()),
                    None => places.next().unwrap_or(Reply::NilBulk),
                })
            }
            _ => Err(error("ERR not a command on lists")),
        }
    }

    fn list_remove(&mut self, key: &Bytes, count: i64, item: &Bytes) -> Answer {
        let Some(items) = self.list(key)? else { return Ok(Reply::Int(0)) };
        let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
        let matching = items.iter().filter(|&other| other == item).count();
        // Counted from the tail, the first matches stay.
        let mut spared = if count < 0 { matching.saturating_sub(most) } else { 0 };
        let mut removed = 0;
        items.retain(|other| {
            if other != item || removed == most {
                return true;
            }
            if spared > 0 {
                spared -= 1;
                return true;
            }
            removed += 1;
            false
        });
        if removed > 0 {
            self.touch(key);
        }
        Ok(Reply::count(removed))
    }
}

/// LPOS: the places of at most `count` matches (0 for all) from the `rank`-th on, after `longest` comparisons (0 for all).
fn positions(items: &VecDeque<Bytes>, item: &Bytes, rank: i64, count: usize, longest: usize) -> Vec<usize> {
    let most = |n: usize| if n == 0 { usize::MAX } else { n };
    let order: Box<dyn Iterator<Item = usize>> =
        if rank < 0 { Box::new((0..items.len()).rev()) } else { Box::new(0..items.len()) };
    let matching = order.take(most(longest)).filter(|&at| items[at] == *item);
    matching.skip(rank.unsigned_abs() as usize - 1).take(most(count)).collect()
}
