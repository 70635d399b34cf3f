//! Sets: members without order, each once. While all of them are whole numbers, the server keeps them in their order.

use super::super::keyspace::Keyspace;
use super::super::number::parse_int;
use super::super::parse::{int, is};
use super::super::reply::{Answer, Bytes, ErrorText, NOT_POSITIVE, Reply, SYNTAX, WRONG_TYPE, error};
use super::super::scan;
use super::super::value::Value;
use super::More;
use std::collections::BTreeMap;

/// The members, in the order of their bytes: the server's own order is nobody's business.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Set {
    members: BTreeMap<Bytes, ()>,
    /// It has held something that is no whole number, or too many members.
    hashed: bool,
}

/// So many whole numbers are kept in their order.
const ORDERED_MAX: usize = 512;

impl Set {
    fn of(members: impl IntoIterator<Item = Bytes>) -> Set {
        let mut set = Set::default();
        for member in members {
            set.add(member);
        }
        set
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn size(&self) -> u64 {
        self.members.keys().map(|member| member.len() as u64 + 16).sum()
    }

    fn add(&mut self, member: Bytes) -> bool {
        self.hashed |= parse_int(&member).is_none();
        let new = self.members.insert(member, ()).is_none();
        self.hashed |= self.len() > ORDERED_MAX;
        new
    }

    fn has(&self, member: &[u8]) -> bool {
        self.members.contains_key(member)
    }

    fn all(&self) -> Vec<Bytes> {
        let mut all: Vec<Bytes> = self.members.keys().cloned().collect();
        if !self.hashed {
            all.sort_by_key(|member| parse_int(member));
        }
        all
    }
}

/// What two sets and more are put together by.
#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Inter,
    Union,
    Diff,
}

impl Keyspace {
    fn set_of(&mut self, key: &Bytes) -> Result<Option<&mut Set>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::More(More::Set(set))) => Ok(Some(set)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn set_or_new(&mut self, key: &Bytes) -> Result<&mut Set, ErrorText> {
        if self.set_of(key)?.is_none() {
            self.create(key, Value::More(More::Set(Set::default())));
        }
        self.set_of(key)?.ok_or(WRONG_TYPE)
    }

    fn combined(&mut self, operation: Operation, keys: &[Bytes]) -> Result<Vec<Bytes>, ErrorText> {
        let mut sets = Vec::new();
        for key in keys {
            sets.push(self.set_of(key)?.cloned().unwrap_or_default());
        }
        let Some((first, rest)) = sets.split_first() else { return Ok(Vec::new()) };
        let others = |member: &Bytes, wanted: bool| rest.iter().all(|set| set.has(member) == wanted);
        Ok(match operation {
            Operation::Union => Set::of(sets.iter().flat_map(Set::all)).all(),
            Operation::Inter => first.all().into_iter().filter(|member| others(member, true)).collect(),
            Operation::Diff => first.all().into_iter().filter(|member| others(member, false)).collect(),
        })
    }

    fn store_set(&mut self, operation: Operation, a: &[Bytes]) -> Answer {
        let members = self.combined(operation, &a[1..])?;
        self.remove(&a[0]);
        if !members.is_empty() {
            self.insert(a[0].clone(), Value::More(More::Set(Set::of(members.clone()))), None);
        }
        Ok(Reply::count(members.len()))
    }

    fn take_members(&mut self, key: &Bytes, count: usize) -> Result<Vec<Bytes>, ErrorText> {
        let Some(set) = self.set_of(key)? else { return Ok(Vec::new()) };
        let taken: Vec<Bytes> = set.all().into_iter().take(count).collect();
        for member in &taken {
            set.members.remove(member);
        }
        if !taken.is_empty() {
            self.touch(key);
        }
        Ok(taken)
    }
}

pub(super) fn add(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let set = keyspace.set_or_new(&a[0])?;
    let new = a[1..].iter().filter(|member| set.add(Bytes::clone(member))).count();
    if new > 0 {
        keyspace.touch(&a[0]);
    }
    Ok(Reply::count(new))
}

pub(super) fn remove(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let Some(set) = keyspace.set_of(&a[0])? else { return Ok(Reply::Int(0)) };
    let removed = a[1..].iter().filter(|member| set.members.remove(*member).is_some()).count();
    if removed > 0 {
        keyspace.touch(&a[0]);
    }
    Ok(Reply::count(removed))
}

pub(super) fn is_member(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    Ok(Reply::Int(i64::from(keyspace.set_of(&a[0])?.is_some_and(|set| set.has(&a[1])))))
}

pub(super) fn are_members(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let set = keyspace.set_of(&a[0])?;
    let has = |member: &Bytes| set.as_ref().is_some_and(|set| set.has(member));
    Ok(Reply::Array(a[1..].iter().map(|member| Reply::Int(i64::from(has(member)))).collect()))
}

pub(super) fn count(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    Ok(Reply::count(keyspace.set_of(&a[0])?.map_or(0, |set| set.len())))
}

pub(super) fn transfer(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let [from, to, member] = a else { return Err(SYNTAX) };
    // Both are looked at first: what has expired goes, whatever comes of it.
    let refused = keyspace.set_of(to).err();
    let Some(there) = keyspace.set_of(from)?.map(|set| set.has(member)) else { return Ok(Reply::Int(0)) };
    if let Some(why) = refused {
        return Err(why);
    }
    if there && from != to {
        if let Some(set) = keyspace.set_of(from)? {
            set.members.remove(member);
        }
        keyspace.touch(from);
        if keyspace.set_or_new(to)?.add(member.clone()) {
            keyspace.touch(to);
        }
    }
    Ok(Reply::Int(i64::from(there)))
}

pub(super) fn inter(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.combined(Operation::Inter, a).map(Reply::bulks)
}

pub(super) fn union(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.combined(Operation::Union, a).map(Reply::bulks)
}

pub(super) fn diff(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.combined(Operation::Diff, a).map(Reply::bulks)
}

pub(super) fn inter_store(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.store_set(Operation::Inter, a)
}

pub(super) fn union_store(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.store_set(Operation::Union, a)
}

pub(super) fn diff_store(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.store_set(Operation::Diff, a)
}

pub(super) fn inter_count(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let count =
        parse_int(&a[0]).filter(|&n| n > 0).ok_or(error("ERR numkeys should be greater than 0"))? as usize;
    if count > a.len() - 1 {
        return Err(error("ERR Number of keys can't be greater than number of args"));
    }
    let mut limit = 0;
    let mut options = a[1 + count..].iter();
    while let Some(word) = options.next() {
        let value = options.next().filter(|_| is(word, "limit")).ok_or(SYNTAX)?;
        limit = parse_int(value).filter(|&n| n >= 0).ok_or(error("ERR LIMIT can't be negative"))? as usize;
    }
    let found = keyspace.combined(Operation::Inter, &a[1..=count])?.len();
    Ok(Reply::count(if limit == 0 { found } else { found.min(limit) }))
}

pub(super) fn members(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    keyspace.combined(Operation::Union, a).map(Reply::bulks)
}

/// Which members are drawn is chance in the server: the first ones keep runs the same.
pub(super) fn pop(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    match a {
        [key] => Ok(Reply::bulk_or_nil(keyspace.take_members(key, 1)?.pop())),
        [key, count] => {
            let count = parse_int(count).and_then(|n| usize::try_from(n).ok()).ok_or(NOT_POSITIVE)?;
            keyspace.take_members(key, count).map(Reply::bulks)
        }
        _ => Err(SYNTAX),
    }
}

pub(super) fn random(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let [key, rest @ ..] = a else { return Err(SYNTAX) };
    match rest {
        [] => Ok(Reply::bulk_or_nil(keyspace.set_of(key)?.and_then(|set| set.all().into_iter().next()))),
        [count] => {
            let count = int(count)?;
            if count == i64::MIN {
                return Err(error(
                    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
                ));
            }
            let Some(all) = keyspace.set_of(key)?.map(|set| set.all()) else {
                return Ok(Reply::Array(Vec::new()));
            };
            let drawn = count.unsigned_abs() as usize;
            // A negative count draws the same one again.
            let all = if count < 0 { all.into_iter().cycle().take(drawn).collect() } else { all };
            Ok(Reply::bulks(all.into_iter().take(drawn)))
        }
        _ => Err(SYNTAX),
    }
}

pub(super) fn scan(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&a[1])?;
    let Some(set) = keyspace.set_of(&a[0])? else { return Ok(scan::nothing()) };
    let (all, hashed) = (set.all(), set.hashed);
    let items = all.into_iter().map(|member| (member, Vec::new())).collect();
    scan::Options::read(&a[2..], false)?.answer(cursor, items, hashed)
}
