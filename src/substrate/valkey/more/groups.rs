//! Groups that read a stream together: who got which entry, when, how often, until it is acknowledged.

use super::super::keyspace::Keyspace;
use super::super::number::parse_int;
use super::super::parse::{int, is};
use super::super::reply::{Answer, Bytes, ErrorText, Reply, SYNTAX, error, repeated};
use super::streams::{INVALID, Id, Stream, interval, interval_start, read_ids};
use std::collections::{BTreeMap, BTreeSet};

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq)]
struct Pending {
    consumer: Bytes,
    /// When it was delivered last, in milliseconds of Unix time.
    at: u64,
    deliveries: i64,
}

/// A group: how far it has read, and what is pending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) last: Id,
    consumers: BTreeSet<Bytes>,
    pending: BTreeMap<Id, Pending>,
}

impl Group {
    pub(super) fn join(&mut self, consumer: &Bytes) {
        self.consumers.insert(consumer.clone());
    }

    /// What a consumer has not acknowledged from `start` on.
    pub(super) fn pending_of(&self, consumer: &Bytes, start: Id, count: usize) -> Vec<Id> {
        let mine = self.pending.range(start..).filter(|(_, pending)| pending.consumer == *consumer);
        mine.map(|(id, _)| *id).take(count).collect()
    }

    pub(super) fn deliver(&mut self, id: Id, consumer: &Bytes, at: u64) {
        self.pending.insert(id, Pending { consumer: consumer.clone(), at, deliveries: 1 });
    }

    /// A consumer reads its own entries again.
    pub(super) fn deliver_again(&mut self, id: Id, at: u64) {
        if let Some(pending) = self.pending.get_mut(&id) {
            (pending.at, pending.deliveries) = (at, pending.deliveries + 1);
        }
    }
}

fn no_group(key: &[u8], group: &[u8]) -> ErrorText {
    let [key, group] = [key, group].map(repeated);
    format!("NOGROUP No such key '{key}' or consumer group '{group}'").into()
}

impl Keyspace {
    /// A stream and its group.
    pub(super) fn group(
        &mut self,
        key: &Bytes,
        group: &Bytes,
    ) -> Result<Option<(&mut Stream, Group)>, ErrorText> {
        let Some(stream) = self.stream(key)? else { return Ok(None) };
        let group = stream.groups.get(group).cloned();
        Ok(group.map(|group| (stream, group)))
    }
}

fn group_id(stream: Option<&Stream>, text: &[u8], setting: bool) -> Result<Id, ErrorText> {
    match text {
        b"$" => Ok(stream.map_or(Id::ZERO, |stream| stream.last)),
        // A group may be set, but not created, to either end of all ids.
        b"-" if setting => Ok(Id::ZERO),
        b"+" if setting => Ok(Id::MAX),
        text => Id::read(text, 0),
    }
}

fn bad_subcommand(name: &str) -> ErrorText {
    format!("ERR unknown subcommand or wrong number of arguments for '{name:.128}'. Try XGROUP HELP.").into()
}

/// MKSTREAM and ENTRIESREAD; how many entries a group has read is told to nobody here.
fn group_options(a: &[Bytes], name: &Bytes, creating: bool) -> Result<bool, ErrorText> {
    let (mut make, mut rest) = (false, a);
    while let [word, after @ ..] = rest {
        rest = after;
        if creating && is(word, "mkstream") {
            make = true;
        } else if let ([count, after @ ..], true) = (after, is(word, "entriesread")) {
            if int(count)? < -1 {
                return Err(error("ERR value for ENTRIESREAD must be positive or -1"));
            }
            rest = after;
        } else {
            return Err(bad_subcommand(&repeated(name)));
        }
    }
    Ok(make)
}

const NO_STREAM: ErrorText = error(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
);

/// XGROUP: the subcommand is the first of the words.
pub(super) fn manage(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let (what, key, name) = (&a[0], &a[1], &a[2]);
    let (creating, setting) = (is(what, "create"), is(what, "setid"));
    let options = if creating || setting {
        group_options(a.get(4..).unwrap_or_default(), what, creating)?
    } else {
        false
    };
    let there = keyspace.stream(key)?;
    if there.is_none() && !options {
        return Err(NO_STREAM);
    }
    let known = there.as_ref().is_some_and(|stream| stream.groups.contains_key(name));
    if !known && !options && !creating && !is(what, "destroy") {
        let [name, key] = [name, key].map(|bytes| repeated(bytes));
        return Err(format!("NOGROUP No such consumer group '{name}' for key name '{key}'").into());
    }
    match () {
        () if creating => {
            let id = group_id(there.as_deref(), &a[3], false)?;
            if there.is_none() {
                keyspace.stream_or_new(key)?;
                keyspace.touch(key);
            }
            if known {
                return Err(error("BUSYGROUP Consumer Group name already exists"));
            }
            let group = Group { last: id, ..Group::default() };
            keyspace.stream_or_new(key)?.groups.insert(name.clone(), group);
            keyspace.signal(key);
            Ok(Reply::OK)
        }
        () if is(what, "destroy") => {
            let removed = keyspace.stream_or_new(key)?.groups.remove(name).is_some();
            if removed {
                keyspace.signal(key);
            }
            Ok(Reply::Int(i64::from(removed)))
        }
        () => {
            let stream = keyspace.stream_or_new(key)?;
            let last = if setting { group_id(Some(stream), &a[3], true)? } else { Id::ZERO };
            let Some(group) = stream.groups.get_mut(name) else { return Err(NO_STREAM) };
            let changed = change(group, what, last, &a[3]);
            keyspace.signal(key);
            Ok(changed)
        }
    }
}

fn change(group: &mut Group, what: &[u8], last: Id, consumer: &Bytes) -> Reply {
    if is(what, "setid") {
        group.last = last;
        return Reply::OK;
    }
    if is(what, "createconsumer") {
        return Reply::Int(i64::from(group.consumers.insert(consumer.clone())));
    }
    let before = group.pending.len();
    group.consumers.remove(consumer);
    group.pending.retain(|_, pending| pending.consumer != *consumer);
    Reply::count(before - group.pending.len())
}

pub(super) fn acknowledge(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let Some(stream) = keyspace.stream(&a[0])? else { return Ok(Reply::Int(0)) };
    let Some(group) = stream.groups.get_mut(&a[1]) else { return Ok(Reply::Int(0)) };
    let ids = read_ids(&a[2..])?;
    let removed = ids.iter().filter(|id| group.pending.remove(id).is_some()).count();
    keyspace.signal(&a[0]);
    Ok(Reply::count(removed))
}

/// XPENDING: a summary, or the entries between two ids.
pub(super) fn pending(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    if a.len() != 2 && !(5..=8).contains(&a.len()) {
        return Err(SYNTAX);
    }
    let (mut idle, mut at) = (0, 2);
    if a.len() > 2 && is(&a[2], "idle") {
        idle = int(&a[3])?;
        if a.len() < 7 {
            return Err(SYNTAX);
        }
        at = 4;
    }
    let asked = if a.len() > 2 {
        let count = int(&a[at + 2])?.max(0) as usize;
        Some((interval(&a[at], &a[at + 1])?, count))
    } else {
        None
    };
    let now = keyspace.now;
    let Some((_, group)) = keyspace.group(&a[0], &a[1])? else { return Err(no_group(&a[0], &a[1])) };
    let Some(((start, end), count)) = asked else { return Ok(summary(&group)) };
    if start > end {
        return Ok(Reply::Array(Vec::new()));
    }
    let consumer = a.get(at + 3);
    let wanted = |pending: &Pending| {
        let old = idle == 0 || now.saturating_sub(pending.at) as i64 >= idle;
        old && consumer.is_none_or(|consumer| pending.consumer == *consumer)
    };
    let found = group.pending.range(start..=end).filter(|(_, pending)| wanted(pending)).take(count);
    let row = |(id, pending): (&Id, &Pending)| {
        let idle = now.saturating_sub(pending.at) as i64;
        let who = Reply::Bulk(pending.consumer.clone());
        Reply::Array(vec![id.reply(), who, Reply::Int(idle), Reply::Int(pending.deliveries)])
    };
    Ok(Reply::Array(found.map(row).collect()))
}

fn summary(group: &Group) -> Reply {
    let ends = group.pending.first_key_value().zip(group.pending.last_key_value());
    let Some(((first, _), (last, _))) = ends else {
        return Reply::Array(vec![Reply::Int(0), Reply::NilBulk, Reply::NilBulk, Reply::NilArray]);
    };
    let mut counts: BTreeMap<&Bytes, usize> = BTreeMap::new();
    group.pending.values().for_each(|pending| *counts.entry(&pending.consumer).or_default() += 1);
    let row = |(name, count): (&Bytes, usize)| {
        Reply::Array(vec![Reply::Bulk(name.clone()), Reply::bulk(count.to_string())])
    };
    let counts = Reply::Array(counts.into_iter().map(row).collect());
    Reply::Array(vec![Reply::count(group.pending.len()), first.reply(), last.reply(), counts])
}

/// What XCLAIM says behind its ids.
#[derive(Default)]
struct Claim {
    at: Option<i64>,
    count: Option<i64>,
    force: bool,
    only_ids: bool,
    last: Id,
}

impl Claim {
    fn read(words: &[Bytes], now: i64) -> Result<Claim, ErrorText> {
        let (mut claim, mut rest) = (Claim::default(), words);
        while let [word, after @ ..] = rest {
            rest = after;
            let number = |what: &str, after: &[Bytes]| {
                let text = format!("ERR Invalid {what} option argument for XCLAIM");
                parse_int(&after[0]).ok_or(ErrorText::from(text))
            };
            match after {
                _ if is(word, "force") => claim.force = true,
                _ if is(word, "justid") => claim.only_ids = true,
                [_, next @ ..] if is(word, "idle") => {
                    (claim.at, rest) = (Some(now.wrapping_sub(number("IDLE", after)?)), next);
                }
                [_, next @ ..] if is(word, "time") => (claim.at, rest) = (Some(number("TIME", after)?), next),
                [_, next @ ..] if is(word, "retrycount") => {
                    (claim.count, rest) = (Some(number("RETRYCOUNT", after)?), next);
                }
                [id, next @ ..] if is(word, "lastid") => (claim.last, rest) = (Id::read(id, 0)?, next),
                _ => {
                    let word = repeated(word);
                    return Err(format!("ERR Unrecognized XCLAIM option '{word}'").into());
                }
            }
        }
        Ok(claim)
    }
}

pub(super) fn claim(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let now = keyspace.now;
    let Some((stream, mut group)) = keyspace.group(&a[0], &a[1])? else { return Err(no_group(&a[0], &a[1])) };
    let idle = parse_int(&a[3]).ok_or(error("ERR Invalid min-idle-time argument for XCLAIM"))?.max(0);
    let ids: Vec<Id> = a[4..].iter().map_while(|text| Id::read(text, 0).ok()).collect();
    let claim = Claim::read(&a[4 + ids.len()..], now as i64)?;
    group.last = group.last.max(claim.last);
    // What lies in the future, or before all time, is now. (-1 stands for nothing said.)
    let at = claim.at.filter(|&at| at >= 0 && at <= now as i64).map_or(now, |at| at as u64);
    let mut claimed = Vec::new();
    for id in ids {
        if !stream.has(id) {
            group.pending.remove(&id);
            continue;
        }
        let old = group.pending.get(&id);
        if old.is_none() && !claim.force
            || old.is_some_and(|old| idle > 0 && (now.saturating_sub(old.at) as i64) < idle)
        {
            continue;
        }
        let before = old.map_or(0, |old| old.deliveries);
        // A new one has been delivered once, as far as its counter goes.
        let before = if old.is_none() { 1 } else { before };
        let deliveries = match claim.count {
            Some(count) if count >= 0 => count,
            _ => before + i64::from(!claim.only_ids),
        };
        group.join(&a[2]);
        group.pending.insert(id, Pending { consumer: a[2].clone(), at, deliveries });
        claimed.push(if claim.only_ids { id.reply() } else { stream.entry_reply(id) });
    }
    stream.groups.insert(a[1].clone(), group);
    keyspace.signal(&a[0]);
    Ok(Reply::Array(claimed))
}

pub(super) fn claim_idle(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let idle = parse_int(&a[3]).ok_or(error("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?.max(0);
    let start = interval_start(&a[4])?;
    let (mut count, mut only_ids, mut rest) = (100, false, &a[5..]);
    while let [word, after @ ..] = rest {
        rest = after;
        match after {
            [most, next @ ..] if is(word, "count") => {
                let fits = |&most: &i64| (1..=i64::MAX / 16).contains(&most);
                let most = parse_int(most).filter(fits);
                (count, rest) = (most.ok_or(error("ERR COUNT must be > 0"))?, next);
            }
            _ if is(word, "justid") => only_ids = true,
            _ => return Err(SYNTAX),
        }
    }
    let now = keyspace.now;
    let Some((stream, mut group)) = keyspace.group(&a[0], &a[1])? else { return Err(no_group(&a[0], &a[1])) };
    let (mut claimed, mut gone, mut cursor) = (Vec::new(), Vec::new(), Id::ZERO);
    let mut attempts = count.saturating_mul(10);
    for id in group.pending.range(start..).map(|(id, _)| *id).collect::<Vec<_>>() {
        if attempts == 0 || count == 0 {
            cursor = id;
            break;
        }
        attempts -= 1;
        if !stream.has(id) {
            group.pending.remove(&id);
            gone.push(id.reply());
            count -= 1;
            continue;
        }
        let Some(pending) = group.pending.get_mut(&id) else { continue };
        if idle > 0 && (now.saturating_sub(pending.at) as i64) < idle {
            continue;
        }
        (pending.consumer, pending.at) = (a[2].clone(), now);
        pending.deliveries += i64::from(!only_ids);
        group.join(&a[2]);
        claimed.push(if only_ids { id.reply() } else { stream.entry_reply(id) });
        count -= 1;
    }
    stream.groups.insert(a[1].clone(), group);
    keyspace.signal(&a[0]);
    Ok(Reply::Array(vec![cursor.reply(), Reply::Array(claimed), Reply::Array(gone)]))
}

/// An id that is no place in a range.
pub(super) fn strict(text: &[u8]) -> Result<Id, ErrorText> {
    Id::read(text, 0).map_err(|_| INVALID)
}
