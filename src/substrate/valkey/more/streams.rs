//! Streams: entries by ids that only grow, and what is done to them. Who reads them in groups: `groups.rs`.

use super::super::keyspace::Keyspace;
use super::super::parse::{int, is, wrong_number};
use super::super::reply::{Answer, Bytes, ErrorText, Reply, SYNTAX, WRONG_TYPE, error};
use super::super::value::Value;
use super::More;
use super::groups::Group;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// An entry's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) ms: u64,
    pub(super) seq: u64,
}

pub(super) const INVALID: ErrorText = error("ERR Invalid stream ID specified as stream command argument");

impl Id {
    pub(super) const ZERO: Id = Id { ms: 0, seq: 0 };
    pub(super) const MAX: Id = Id { ms: u64::MAX, seq: u64::MAX };

    /// `5-3`, or `5` with this sequence number.
    pub(super) fn read(text: &[u8], missing: u64) -> Result<Id, ErrorText> {
        let (ms, seq) = match text.iter().position(|&byte| byte == b'-') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let ms = unsigned(ms).ok_or(INVALID)?;
        let seq = seq.map_or(Some(missing), unsigned).ok_or(INVALID)?;
        Ok(Id { ms, seq })
    }

    /// The same, or `-` and `+` for the least and the greatest; `(` leaves the id itself out.
    fn read_end(text: &[u8], is_start: bool) -> Result<Id, ErrorText> {
        let missing = if is_start { 0 } else { u64::MAX };
        let (left_out, text) = match text {
            b"-" => return Ok(Id::ZERO),
            b"+" => return Ok(Id::MAX),
            [b'(', rest @ ..] if !rest.is_empty() => (true, rest),
            text => (false, text),
        };
        let id = Id::read(text, missing)?;
        if !left_out {
            return Ok(id);
        }
        let (next, what) = if is_start { (id.next(), "start") } else { (id.previous(), "end") };
        next.ok_or_else(|| format!("ERR invalid {what} ID for the interval").into())
    }

    pub(super) fn next(self) -> Option<Id> {
        match self {
            Id::MAX => None,
            Id { ms, seq: u64::MAX } => Some(Id { ms: ms + 1, seq: 0 }),
            Id { ms, seq } => Some(Id { ms, seq: seq + 1 }),
        }
    }

    fn previous(self) -> Option<Id> {
        match self {
            Id::ZERO => None,
            Id { ms, seq: 0 } => Some(Id { ms: ms - 1, seq: u64::MAX }),
            Id { ms, seq } => Some(Id { ms, seq: seq - 1 }),
        }
    }

    pub(super) fn reply(self) -> Reply {
        Reply::bulk(format!("{}-{}", self.ms, self.seq))
    }
}

/// As the server reads unsigned numbers: as it would write them, or with what the C library allows.
fn unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter().try_fold(0u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

/// Two ids between which entries are looked for; the second may be before the first.
pub(super) fn interval(start: &[u8], end: &[u8]) -> Result<(Id, Id), ErrorText> {
    Ok((Id::read_end(start, true)?, Id::read_end(end, false)?))
}

pub(super) fn interval_start(start: &[u8]) -> Result<Id, ErrorText> {
    Id::read_end(start, true)
}

/// An entry's fields and values, and the node of the server's tree that it is in.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    fields: Vec<Bytes>,
    node: u64,
}

/// So many entries are in a node, those that were deleted included.
const NODE_MAX: u64 = 100;

/// A stream. One without entries stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Stream {
    entries: BTreeMap<Id, Entry>,
    pub(super) last: Id,
    /// How many entries were ever put into the last node, and its number.
    filled: u64,
    node: u64,
    pub(super) groups: BTreeMap<Bytes, Group>,
}

impl Stream {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn size(&self) -> u64 {
        let fields = self.entries.values().flat_map(|entry| &entry.fields);
        fields.map(|field| field.len() as u64 + 16).sum::<u64>() + self.entries.len() as u64 * 16
    }

    pub(super) fn has(&self, id: Id) -> bool {
        self.entries.contains_key(&id)
    }

    /// The id of the last entry that is still there.
    pub(super) fn last_there(&self) -> Option<Id> {
        self.entries.last_key_value().map(|(id, _)| *id)
    }

    fn append(&mut self, id: Id, fields: &[Bytes]) {
        let is_new = self.entries.values().next_back().is_none_or(|entry| entry.node != self.node);
        if is_new || self.filled >= NODE_MAX {
            (self.node, self.filled) = (self.node + 1, 0);
        }
        self.filled += 1;
        self.last = id;
        self.entries.insert(id, Entry { fields: fields.to_vec(), node: self.node });
    }

    pub(super) fn entry_reply(&self, id: Id) -> Reply {
        let fields = self.entries.get(&id).map(|entry| Reply::bulks(entry.fields.iter().cloned()));
        Reply::Array(vec![id.reply(), fields.unwrap_or(Reply::NilArray)])
    }

    /// The ids between two, at most `count` of them, none for all.
    pub(super) fn ids(&self, between: RangeInclusive<Id>, count: Option<usize>) -> Vec<Id> {
        if between.is_empty() {
            return Vec::new();
        }
        self.entries.range(between).map(|(id, _)| *id).take(count.unwrap_or(usize::MAX)).collect()
    }

    /// How many entries it takes off.
    fn trim(&mut self, trim: &Trim) -> usize {
        let mut removed = 0;
        while let Some((&first, entry)) = self.entries.first_key_value() {
            let of_node = self.entries.values().take_while(|other| other.node == entry.node).count();
            let last = self.entries.keys().nth(of_node - 1).copied().unwrap_or(first);
            let whole = match trim.to {
                To::Len(len) if self.len() <= len => break,
                To::Len(len) => self.len() - of_node >= len,
                To::Id(id) => last < id,
            };
            if trim.limit > 0 && removed + of_node > trim.limit || trim.roughly && !whole {
                break;
            }
            let here = if whole { of_node } else { 1 };
            if !whole && matches!(trim.to, To::Id(id) if first >= id) {
                break;
            }
            (0..here).for_each(|_| drop(self.entries.pop_first()));
            removed += here;
        }
        removed
    }
}

/// To what a stream is cut down.
#[derive(Clone, Copy)]
enum To {
    Len(usize),
    Id(Id),
}

#[derive(Clone, Copy)]
struct Trim {
    to: To,
    /// Whole nodes only.
    roughly: bool,
    /// At most so many entries, 0 for any.
    limit: usize,
}

/// What XADD and XTRIM say before the id.
#[derive(Default)]
struct TrimOptions {
    trim: Option<Trim>,
    no_stream: bool,
    /// Where the id stands.
    id: usize,
}

impl TrimOptions {
    fn read(a: &[Bytes], adding: bool) -> Result<TrimOptions, ErrorText> {
        let (mut options, mut limit, mut at) = (TrimOptions::default(), None, 1);
        while at < a.len() {
            let (word, more) = (&a[at], a.len() - 1 - at);
            match () {
                () if adding && **word == *b"*" => break,
                () if (is(word, "maxlen") || is(word, "minid")) && more > 0 => {
                    if options.trim.is_some() {
                        return Err(error(
                            "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                        ));
                    }
                    let roughly = more > 1 && *a[at + 1] == *b"~";
                    at += 1 + usize::from(roughly || more > 1 && *a[at + 1] == *b"=");
                    let to = if is(word, "maxlen") {
                        let most = int(&a[at])?;
                        To::Len(
                            usize::try_from(most)
                                .map_err(|_| error("ERR The MAXLEN argument must be >= 0."))?,
                        )
                    } else {
                        To::Id(Id::read(&a[at], 0)?)
                    };
                    options.trim = Some(Trim { to, roughly, limit: 0 });
                }
                () if is(word, "limit") && more > 0 => {
                    at += 1;
                    let most = usize::try_from(int(&a[at])?);
                    limit = Some(most.map_err(|_| error("ERR The LIMIT argument must be >= 0."))?);
                }
                () if adding && is(word, "nomkstream") => options.no_stream = true,
                () if adding => break,
                () => return Err(SYNTAX),
            }
            at += 1;
        }
        options.id = at;
        if adding && at < a.len() {
            read_new_id(&a[at])?;
        }
        options.finish(limit, adding)
    }

    fn finish(mut self, limit: Option<usize>, adding: bool) -> Result<TrimOptions, ErrorText> {
        if limit.is_some_and(|limit| limit > 0) && self.trim.is_none() {
            return Err(error(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if !adding && self.trim.is_none() {
            return Err(error("ERR syntax error, XTRIM must be called with a trimming strategy"));
        }
        let roughly = self.trim.is_some_and(|trim| trim.roughly);
        if limit.is_some() && !roughly {
            return Err(error("ERR syntax error, LIMIT cannot be used without the special ~ option"));
        }
        if let Some(trim) = &mut self.trim {
            trim.limit = limit.unwrap_or(if roughly { 100 * NODE_MAX as usize } else { 0 });
        }
        Ok(self)
    }
}

/// What XADD calls its entry: `*`, `5-*`, `5-3`.
enum NewId {
    Auto,
    Within(u64),
    Given(Id),
}

fn read_new_id(text: &[u8]) -> Result<NewId, ErrorText> {
    match text {
        b"*" => Ok(NewId::Auto),
        [ms @ .., b'-', b'*'] => unsigned(ms).map(NewId::Within).ok_or(INVALID),
        text => Id::read(text, 0).map(NewId::Given),
    }
}

impl Keyspace {
    pub(super) fn stream(&mut self, key: &Bytes) -> Result<Option<&mut Stream>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::More(More::Stream(stream))) => Ok(Some(stream)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    pub(super) fn stream_or_new(&mut self, key: &Bytes) -> Result<&mut Stream, ErrorText> {
        if self.stream(key)?.is_none() {
            self.create(key, Value::More(More::Stream(Box::default())));
        }
        self.stream(key)?.ok_or(WRONG_TYPE)
    }
}

pub(super) fn add(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let options = TrimOptions::read(a, true)?;
    let fields = a.get(options.id + 1..).unwrap_or_default();
    if fields.len() < 2 || fields.len() % 2 == 1 {
        return Err(wrong_number("xadd"));
    }
    let wanted = read_new_id(&a[options.id])?;
    if matches!(wanted, NewId::Given(Id::ZERO)) {
        return Err(error("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let now = keyspace.now;
    if keyspace.stream(&a[0])?.is_none() && options.no_stream {
        return Ok(Reply::NilBulk);
    }
    let stream = keyspace.stream_or_new(&a[0])?;
    let last = stream.last;
    if last == Id::MAX {
        return Err(error("ERR The stream has exhausted the last possible ID, unable to add more items"));
    }
    let id = match wanted {
        NewId::Auto if now > last.ms => Some(Id { ms: now, seq: 0 }),
        NewId::Auto => last.next(),
        NewId::Within(ms) if ms == last.ms => last.seq.checked_add(1).map(|seq| Id { ms, seq }),
        NewId::Within(ms) => Some(Id { ms, seq: 0 }),
        NewId::Given(id) => Some(id),
    };
    let Some(id) = id.filter(|id| *id > last) else {
        return Err(error(
            "ERR The ID specified in XADD is equal or smaller than the target stream top item",
        ));
    };
    stream.append(id, fields);
    if let Some(trim) = &options.trim {
        stream.trim(trim);
    }
    keyspace.touch(&a[0]);
    keyspace.signal(&a[0]);
    Ok(id.reply())
}

pub(super) fn count(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    Ok(Reply::count(keyspace.stream(&a[0])?.map_or(0, |stream| stream.len())))
}

fn look_up(keyspace: &mut Keyspace, a: &[Bytes], reversed: bool) -> Answer {
    let (start, end) = if reversed { (&a[2], &a[1]) } else { (&a[1], &a[2]) };
    let (start, end) = interval(start, end)?;
    let mut count = None;
    for option in a[3..].chunks(2) {
        let [word, most] = option else { return Err(SYNTAX) };
        if !is(word, "count") {
            return Err(SYNTAX);
        }
        count = Some(int(most)?.max(0) as usize);
    }
    let Some(stream) = keyspace.stream(&a[0])? else { return Ok(Reply::Array(Vec::new())) };
    if count == Some(0) {
        return Ok(Reply::NilArray);
    }
    let mut ids = stream.ids(start..=end, if reversed { None } else { count });
    if reversed {
        ids.reverse();
        ids.truncate(count.unwrap_or(usize::MAX));
    }
    Ok(Reply::Array(ids.into_iter().map(|id| stream.entry_reply(id)).collect()))
}

pub(super) fn range(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, false)
}

pub(super) fn reverse_range(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, true)
}

/// All of the ids, or none.
pub(super) fn read_ids(texts: &[Bytes]) -> Result<Vec<Id>, ErrorText> {
    texts.iter().map(|text| Id::read(text, 0)).collect()
}

pub(super) fn delete(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let Some(stream) = keyspace.stream(&a[0])? else { return Ok(Reply::Int(0)) };
    let ids = read_ids(&a[1..])?;
    let removed = ids.iter().filter(|id| stream.entries.remove(id).is_some()).count();
    if removed > 0 {
        keyspace.touch(&a[0]);
    }
    Ok(Reply::count(removed))
}

pub(super) fn trim(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let options = TrimOptions::read(a, false)?;
    let Some(stream) = keyspace.stream(&a[0])? else { return Ok(Reply::Int(0)) };
    let removed = options.trim.map_or(0, |trim| stream.trim(&trim));
    if removed > 0 {
        keyspace.touch(&a[0]);
    }
    Ok(Reply::count(removed))
}
