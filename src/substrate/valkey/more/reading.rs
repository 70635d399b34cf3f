//! XREAD and XREADGROUP: from where a client has read to, waiting for more if it likes.

use super::super::command::{Attempt, Command};
use super::super::keyspace::Keyspace;
use super::super::number::parse_int;
use super::super::parse::{Arguments, Parsed, int, is};
use super::super::reply::{Bytes, ErrorText, Reply, SYNTAX, error, repeated};
use super::groups::strict;
use super::streams::Id;

/// What is read, besides the keys and from where.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Reading {
    /// At most so many entries of each stream, 0 for all.
    count: usize,
    group: Option<(Bytes, Bytes)>,
    unacknowledged: bool,
    /// Where each key is read from, as it was said.
    texts: Vec<Bytes>,
    /// The same, once the client waits.
    from: Vec<(Bytes, Id)>,
}

impl Reading {
    pub(in super::super) fn is_of_group(&self) -> bool {
        self.group.is_some()
    }
}

/// Who waits and said nothing gets at most so many.
const WAITING_COUNT: usize = 1000;

pub(super) fn read(a: Arguments) -> Parsed {
    parse(a, false)
}

pub(super) fn read_group(a: Arguments) -> Parsed {
    parse(a, true)
}

fn parse(a: Arguments, grouped: bool) -> Parsed {
    let (mut reading, mut wait, mut rest) = (Reading::default(), None, a);
    let streams = loop {
        let [word, after @ ..] = rest else { return Err(SYNTAX) };
        rest = match after {
            [millis, next @ ..] if is(word, "block") => {
                let millis =
                    parse_int(millis).ok_or(error("ERR timeout is not an integer or out of range"))?;
                wait = Some(u64::try_from(millis).map_err(|_| error("ERR timeout is negative"))?);
                next
            }
            [count, next @ ..] if is(word, "count") => {
                reading.count = int(count)?.max(0) as usize;
                next
            }
            [_, ..] if is(word, "streams") => {
                if after.len() % 2 == 1 {
                    return Err(error(
                        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
                    ));
                }
                break after;
            }
            [group, consumer, next @ ..] if is(word, "group") => {
                if !grouped {
                    return Err(error(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                    ));
                }
                reading.group = Some((group.clone(), consumer.clone()));
                next
            }
            next if is(word, "noack") => {
                if !grouped {
                    return Err(error(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                    ));
                }
                reading.unacknowledged = true;
                next
            }
            _ => return Err(SYNTAX),
        };
    };
    if grouped && reading.group.is_none() {
        return Err(error("ERR Missing GROUP option for XREADGROUP"));
    }
    let (keys, texts) = streams.split_at(streams.len() / 2);
    reading.texts = texts.to_vec();
    let attempt = Attempt { run: attempt, keys: keys.to_vec(), kind: "stream", wait, reading: Some(reading) };
    Ok(Command::Await(Box::new(attempt)))
}

/// Where a key is to be read from: `None` for `>`, what the group has not read.
fn place(
    keyspace: &mut Keyspace,
    key: &Bytes,
    reading: &Reading,
    text: &[u8],
) -> Result<Option<Id>, ErrorText> {
    let stream = keyspace.stream(key)?;
    if let Some((group, _)) = &reading.group
        && !stream.as_ref().is_some_and(|stream| stream.groups.contains_key(group))
    {
        let [key, group] = [key, group].map(|bytes| repeated(bytes));
        return Err(format!(
            "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option"
        )
        .into());
    }
    match (text, reading.group.is_some()) {
        (b"$", true) => Err(error(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
        )),
        (b"$", false) => Ok(Some(stream.map_or(Id::ZERO, |stream| stream.last))),
        (b">", false) => Err(error(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        (b">", true) => Ok(None),
        // The greatest id of all means the same as `>`.
        (text, grouped) => strict(text).map(|id| (id != Id::MAX || !grouped).then_some(id)),
    }
}

fn attempt(keyspace: &mut Keyspace, attempt: &mut Attempt) -> Result<Option<Reply>, ErrorText> {
    let Some(mut reading) = attempt.reading.take() else { return Ok(None) };
    let found = if reading.from.is_empty() {
        first_attempt(keyspace, &attempt.keys, &mut reading)
    } else {
        later_attempt(keyspace, &attempt.keys, &reading)
    };
    if reading.count == 0 {
        reading.count = WAITING_COUNT;
    }
    attempt.reading = Some(reading);
    found
}

fn first_attempt(
    keyspace: &mut Keyspace,
    keys: &[Bytes],
    reading: &mut Reading,
) -> Result<Option<Reply>, ErrorText> {
    let mut places = Vec::new();
    for (key, text) in keys.iter().zip(&reading.texts) {
        places.push(place(keyspace, key, reading, text)?);
    }
    let mut found = Vec::new();
    for (key, place) in keys.iter().zip(&places) {
        found.extend(new_entries(keyspace, key, *place, reading, false)?);
    }
    let from = keys.iter().zip(places);
    reading.from = from.map(|(key, place)| (key.clone(), place.unwrap_or(Id::MAX))).collect();
    Ok((!found.is_empty()).then_some(Reply::Array(found)))
}

/// Somebody has added to one of the streams, or changed its groups.
fn later_attempt(
    keyspace: &mut Keyspace,
    keys: &[Bytes],
    reading: &Reading,
) -> Result<Option<Reply>, ErrorText> {
    for (key, from) in reading.from.iter().filter(|(key, _)| keys.contains(key)) {
        let place = (*from != Id::MAX).then_some(*from);
        if let Some(stream) = keyspace.stream(key)?
            && let Some((group, _)) = &reading.group
            && !stream.groups.contains_key(group)
        {
            return Err(error("NOGROUP the consumer group this client was blocked on no longer exists"));
        }
        if let Some(found) = new_entries(keyspace, key, place, reading, true)? {
            return Ok(Some(Reply::Array(vec![found])));
        }
    }
    Ok(None)
}

/// A stream's name and what it has for the reader; `None` when that is nothing.
fn new_entries(
    keyspace: &mut Keyspace,
    key: &Bytes,
    from: Option<Id>,
    reading: &Reading,
    waiting: bool,
) -> Result<Option<Reply>, ErrorText> {
    let now = keyspace.now;
    let Some(stream) = keyspace.stream(key)? else { return Ok(None) };
    let most = if reading.count == 0 { usize::MAX } else { reading.count };
    let named =
        |entries: Vec<Reply>| Some(Reply::Array(vec![Reply::Bulk(key.clone()), Reply::Array(entries)]));
    let Some((name, consumer)) = &reading.group else {
        let start = from.unwrap_or(Id::MAX).next();
        let ids = start.map_or(Vec::new(), |start| stream.ids(start..=Id::MAX, Some(most)));
        // Who waits is told of what came, even if it is gone again.
        let due = if waiting { stream.last > from.unwrap_or(Id::MAX) } else { !ids.is_empty() };
        return Ok(if !due {
            None
        } else {
            named(ids.into_iter().map(|id| stream.entry_reply(id)).collect())
        });
    };
    let Some(mut group) = stream.groups.remove(name) else { return Ok(None) };
    let found = if let Some(from) = from {
        group.join(consumer);
        let start = from.next().unwrap_or(Id::MAX);
        let ids = group.pending_of(consumer, start, most);
        ids.iter().filter(|id| stream.has(**id)).for_each(|id| group.deliver_again(*id, now));
        named(ids.into_iter().map(|id| stream.entry_reply(id)).collect())
    } else if if waiting { Some(stream.last) } else { stream.last_there() }
        .is_some_and(|last| last > group.last)
    {
        group.join(consumer);
        let start = group.last.next().unwrap_or(Id::MAX);
        let ids = stream.ids(start..=Id::MAX, Some(most));
        for &id in &ids {
            group.last = group.last.max(id);
            if !reading.unacknowledged {
                group.deliver(id, consumer, now);
            }
        }
        named(ids.into_iter().map(|id| stream.entry_reply(id)).collect())
    } else {
        None
    };
    stream.groups.insert(name.clone(), group);
    if found.is_some() {
        keyspace.changes += 1;
    }
    Ok(found)
}
