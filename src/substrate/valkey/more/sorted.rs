//! Sorted sets: members by score, and by their bytes where scores are equal.

use super::super::command::Attempt;
use super::super::keyspace::Keyspace;
use super::super::lists::range;
use super::super::number::parse_int;
use super::super::parse::{int, is};
use super::super::reply::{
    Answer, Bytes, ErrorText, NOT_A_FLOAT, NOT_POSITIVE, Reply, SYNTAX, WRONG_TYPE, error,
};
use super::super::scan;
use super::super::value::Value;
use super::More;
use super::floats::{bound, double_text, score, score_reply};
use super::lex::Lex;
use std::collections::{BTreeMap, BTreeSet};

/// A score that can be sorted by. Scores are never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl Ord for Score {
    fn cmp(&self, other: &Score) -> std::cmp::Ordering {
        // The two zeros are the same.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Members with their scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Sorted {
    scores: BTreeMap<Bytes, f64>,
    order: BTreeSet<(Score, Bytes)>,
    /// It has held too many members, or one that was too long, for the server to keep it as a list.
    hashed: bool,
}

const LISTED_MAX: usize = 128;
const LISTED_LEN_MAX: usize = 64;

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(super) fn size(&self) -> u64 {
        self.scores.keys().map(|member| member.len() as u64 + 24).sum()
    }

    fn put(&mut self, member: &Bytes, score: f64) {
        self.remove(member);
        self.hashed |= self.len() >= LISTED_MAX || member.len() > LISTED_LEN_MAX;
        // A small set keeps whole scores as integers, of which none is -0.
        let score = if self.hashed { score } else { score + 0.0 };
        self.scores.insert(member.clone(), score);
        self.order.insert((Score(score), member.clone()));
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let old = self.scores.remove_entry(member);
        old.is_some_and(|(member, score)| self.order.remove(&(Score(score), member)))
    }

    fn all(&self) -> Vec<(Bytes, f64)> {
        self.order.iter().map(|(score, member)| (member.clone(), score.0)).collect()
    }
}

/// By what members are looked for.
enum By {
    Rank(i64, i64),
    Score(Bounds),
    Lex(Lex),
}

/// Between two scores, each counted in or not.
struct Bounds {
    from: (f64, bool),
    to: (f64, bool),
}

impl Bounds {
    fn read(from: &[u8], to: &[u8]) -> Result<Bounds, ErrorText> {
        let end = |text: &[u8]| match text.strip_prefix(b"(") {
            Some(rest) => bound(rest).map(|score| (score, true)),
            None => bound(text).map(|score| (score, false)),
        };
        let both = end(from).zip(end(to)).ok_or(error("ERR min or max is not a float"))?;
        Ok(Bounds { from: both.0, to: both.1 })
    }

    fn has(&self, score: f64) -> bool {
        let (above, below) = (score > self.from.0 || !self.from.1 && score == self.from.0, self.to);
        above && (score < below.0 || !below.1 && score == below.0)
    }
}

impl Keyspace {
    fn sorted(&mut self, key: &Bytes) -> Result<Option<&mut Sorted>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::More(More::Sorted(set))) => Ok(Some(set)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn pop_sorted(&mut self, key: &Bytes, greatest: bool, count: usize) -> Result<Vec<Reply>, ErrorText> {
        let Some(set) = self.sorted(key)? else { return Ok(Vec::new()) };
        let mut taken = Vec::new();
        for _ in 0..count {
            let Some((score, member)) = (if greatest { set.order.pop_last() } else { set.order.pop_first() })
            else {
                break;
            };
            set.scores.remove(&member);
            taken.extend([Reply::Bulk(member), score_reply(score.0)]);
        }
        if !taken.is_empty() {
            self.touch(key);
        }
        Ok(taken)
    }
}

#[derive(Default)]
struct AddOptions {
    new: bool,
    old: bool,
    greater: bool,
    less: bool,
    changed: bool,
    increment: bool,
}

pub(super) fn add(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let mut options = AddOptions::default();
    let mut rest = &a[1..];
    while let [word, after @ ..] = rest {
        match () {
            () if is(word, "nx") => options.new = true,
            () if is(word, "xx") => options.old = true,
            () if is(word, "gt") => options.greater = true,
            () if is(word, "lt") => options.less = true,
            () if is(word, "ch") => options.changed = true,
            () if is(word, "incr") => options.increment = true,
            () => break,
        }
        rest = after;
    }
    if rest.is_empty() || rest.len() % 2 == 1 {
        return Err(SYNTAX);
    }
    if options.new && options.old {
        return Err(error("ERR XX and NX options at the same time are not compatible"));
    }
    if (options.greater || options.less) && options.new || options.greater && options.less {
        return Err(error("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if options.increment && rest.len() > 2 {
        return Err(error("ERR INCR option supports a single increment-element pair"));
    }
    add_pairs(keyspace, &a[0], rest, &options)
}

pub(super) fn increase(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    add_pairs(keyspace, &a[0], &a[1..], &AddOptions { increment: true, ..AddOptions::default() })
}

fn add_pairs(keyspace: &mut Keyspace, key: &Bytes, pairs: &[Bytes], options: &AddOptions) -> Answer {
    let mut scored = Vec::new();
    for pair in pairs.chunks(2) {
        scored.push((score(&pair[0]).ok_or(NOT_A_FLOAT)?, &pair[1]));
    }
    if keyspace.sorted(key)?.is_none() {
        if options.old {
            return Ok(if options.increment { Reply::NilBulk } else { Reply::Int(0) });
        }
        keyspace.create(key, Value::More(More::Sorted(Sorted::default())));
    }
    let Some(set) = keyspace.sorted(key)? else { return Err(WRONG_TYPE) };
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (score, member) in scored {
        let old = set.scores.get(member).copied();
        let score = old.filter(|_| options.increment).map_or(score, |old| old + score);
        let refused = match old {
            Some(old) => options.new || options.less && score >= old || options.greater && score <= old,
            None => options.old,
        };
        if score.is_nan() && !(options.new && old.is_some()) {
            return Err(error("ERR resulting score is not a number (NaN)"));
        }
        if refused {
            continue;
        }
        last = Some(score);
        match old {
            None => added += 1,
            Some(old) if old != score => updated += 1,
            Some(_) => continue,
        }
        set.put(member, score);
    }
    if added + updated > 0 {
        keyspace.touch(key);
    }
    Ok(match (options.increment, last) {
        (true, Some(score)) => score_reply(score),
        (true, None) => Reply::NilBulk,
        (false, _) => Reply::Int(added + if options.changed { updated } else { 0 }),
    })
}

pub(super) fn remove(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let Some(set) = keyspace.sorted(&a[0])? else { return Ok(Reply::Int(0)) };
    let removed = a[1..].iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        keyspace.touch(&a[0]);
    }
    Ok(Reply::count(removed))
}

pub(super) fn count(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    Ok(Reply::count(keyspace.sorted(&a[0])?.map_or(0, |set| set.len())))
}

pub(super) fn score_of(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let score = keyspace.sorted(&a[0])?.and_then(|set| set.scores.get(&a[1]).copied());
    Ok(score.map_or(Reply::NilBulk, score_reply))
}

pub(super) fn scores_of(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let set = keyspace.sorted(&a[0])?;
    let score = |member: &Bytes| set.as_ref().and_then(|set| set.scores.get(member).copied());
    Ok(Reply::Array(a[1..].iter().map(|member| score(member).map_or(Reply::NilBulk, score_reply)).collect()))
}

fn rank_of(keyspace: &mut Keyspace, a: &[Bytes], reversed: bool) -> Answer {
    let Some(set) = keyspace.sorted(&a[0])? else { return Ok(Reply::NilBulk) };
    let at = set.order.iter().position(|(_, member)| *member == a[1]);
    Ok(at.map_or(Reply::NilBulk, |at| Reply::count(if reversed { set.len() - 1 - at } else { at })))
}

pub(super) fn rank(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    rank_of(keyspace, a, false)
}

pub(super) fn reverse_rank(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    rank_of(keyspace, a, true)
}

/// ZRANGE and its older forms, in which kind and direction are part of the name.
fn look_up(keyspace: &mut Keyspace, a: &[Bytes], kind: Option<&str>, direction: Option<bool>) -> Answer {
    let (mut kind, mut reversed, mut scores, mut offset, mut limit) = (kind, direction, false, 0, -1);
    let (fixed_kind, fixed_direction) = (kind.is_some(), direction.is_some());
    let mut options = &a[3..];
    while let [word, rest @ ..] = options {
        options = rest;
        match rest {
            _ if is(word, "withscores") => scores = true,
            [from, most, rest @ ..] if is(word, "limit") => {
                (offset, limit, options) = (int(from)?, int(most)?, rest);
            }
            _ if is(word, "rev") && !fixed_direction => reversed = Some(true),
            // Once a kind was chosen, another is no option any more.
            _ if is(word, "bylex") && !fixed_kind && kind.is_none() => kind = Some("lex"),
            _ if is(word, "byscore") && !fixed_kind && kind.is_none() => kind = Some("score"),
            _ => return Err(SYNTAX),
        }
    }
    let (kind, reversed) = (kind.unwrap_or("rank"), reversed.unwrap_or(false));
    if limit != -1 && kind == "rank" {
        return Err(error(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    if scores && kind == "lex" {
        return Err(error("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
    }
    let (low, high) = if reversed && kind != "rank" { (&a[2], &a[1]) } else { (&a[1], &a[2]) };
    let by = match kind {
        "rank" => By::Rank(int(low)?, int(high)?),
        "score" => By::Score(Bounds::read(low, high)?),
        _ => By::Lex(Lex::read(low, high)?),
    };
    let Some(set) = keyspace.sorted(&a[0])? else { return Ok(Reply::Array(Vec::new())) };
    let mut found = set.all();
    if reversed {
        found.reverse();
    }
    match by {
        By::Rank(from, to) => found = found[range(from, to, found.len())].to_vec(),
        By::Score(bounds) => found.retain(|(_, score)| bounds.has(*score)),
        By::Lex(lex) => found.retain(|(member, _)| lex.has(member)),
    }
    if kind != "rank" {
        // A negative offset finds nothing; a negative limit is none.
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX).min(found.len());
        found.drain(..skipped);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let both = |(member, score)| [Some(Reply::Bulk(member)), scores.then(|| score_reply(score))];
    Ok(Reply::Array(found.into_iter().flat_map(both).flatten().collect()))
}

pub(super) fn range_of(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, None, None)
}

pub(super) fn reverse_range(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, Some("rank"), Some(true))
}

pub(super) fn range_by_score(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, Some("score"), Some(false))
}

pub(super) fn reverse_range_by_score(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, Some("score"), Some(true))
}

pub(super) fn range_by_lex(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, Some("lex"), Some(false))
}

pub(super) fn reverse_range_by_lex(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    look_up(keyspace, a, Some("lex"), Some(true))
}

fn between(keyspace: &mut Keyspace, a: &[Bytes], by: By) -> Result<Vec<Bytes>, ErrorText> {
    let Some(set) = keyspace.sorted(&a[0])? else { return Ok(Vec::new()) };
    let all = set.all();
    let place = match by {
        By::Rank(from, to) => range(from, to, all.len()),
        _ => 0..all.len(),
    };
    let fits = |(member, score): &(Bytes, f64)| match &by {
        By::Rank(..) => true,
        By::Score(bounds) => bounds.has(*score),
        By::Lex(lex) => lex.has(member),
    };
    Ok(all[place].iter().filter(|item| fits(item)).map(|(member, _)| member.clone()).collect())
}

pub(super) fn count_by_score(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let by = By::Score(Bounds::read(&a[1], &a[2])?);
    between(keyspace, a, by).map(|found| Reply::count(found.len()))
}

pub(super) fn count_by_lex(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let by = By::Lex(Lex::read(&a[1], &a[2])?);
    between(keyspace, a, by).map(|found| Reply::count(found.len()))
}

fn remove_between(keyspace: &mut Keyspace, a: &[Bytes], by: By) -> Answer {
    let found = between(keyspace, a, by)?;
    if found.is_empty() {
        return Ok(Reply::Int(0));
    }
    remove(keyspace, &[&a[..1], &found].concat())
}

pub(super) fn remove_by_rank(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let by = By::Rank(int(&a[1])?, int(&a[2])?);
    remove_between(keyspace, a, by)
}

pub(super) fn remove_by_score(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let by = By::Score(Bounds::read(&a[1], &a[2])?);
    remove_between(keyspace, a, by)
}

pub(super) fn remove_by_lex(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let by = By::Lex(Lex::read(&a[1], &a[2])?);
    remove_between(keyspace, a, by)
}

fn pop(keyspace: &mut Keyspace, a: &[Bytes], greatest: bool) -> Answer {
    let count = match a {
        [_] => 1,
        [_, count] => parse_int(count).and_then(|n| usize::try_from(n).ok()).ok_or(NOT_POSITIVE)?,
        _ => return Err(SYNTAX),
    };
    keyspace.pop_sorted(&a[0], greatest, count).map(Reply::Array)
}

pub(super) fn pop_least(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    pop(keyspace, a, false)
}

pub(super) fn pop_greatest(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    pop(keyspace, a, true)
}

/// BZPOPMIN and BZPOPMAX without the waiting.
fn pop_first(keyspace: &mut Keyspace, attempt: &Attempt, greatest: bool) -> Result<Option<Reply>, ErrorText> {
    for key in &attempt.keys {
        if keyspace.sorted(key)?.is_some() {
            let taken = keyspace.pop_sorted(key, greatest, 1)?;
            return Ok(Some(Reply::Array([vec![Reply::Bulk(key.clone())], taken].concat())));
        }
    }
    Ok(None)
}

pub(super) fn await_least(
    keyspace: &mut Keyspace,
    attempt: &mut Attempt,
) -> Result<Option<Reply>, ErrorText> {
    pop_first(keyspace, attempt, false)
}

pub(super) fn await_greatest(
    keyspace: &mut Keyspace,
    attempt: &mut Attempt,
) -> Result<Option<Reply>, ErrorText> {
    pop_first(keyspace, attempt, true)
}

pub(super) fn scan(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&a[1])?;
    let Some(set) = keyspace.sorted(&a[0])? else { return Ok(scan::nothing()) };
    let (all, hashed) = (set.all(), set.hashed);
    // A small set keeps its scores as texts, and whole ones as integers.
    let is_short = |score: f64| !hashed && score.fract() == 0.0 && score.abs() < (i64::MAX / 2) as f64;
    let text = |score: f64| if is_short(score) { (score as i64).to_string() } else { double_text(score) };
    let text = |score| text(score).into_bytes().into();
    let items = all.into_iter().map(|(member, score)| (member, vec![text(score)])).collect();
    scan::Options::read(&a[2..], false)?.answer(cursor, items, hashed)
}
