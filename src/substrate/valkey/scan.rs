//! SCAN and its kin: a cursor that goes through a table of buckets in the order of its reversed bits, as the server's
//! does, so that whatever stays while the table grows is found.

use super::glob;
use super::parse::{int, is};
use super::reply::{Answer, Bytes, ErrorText, Reply, SYNTAX, error};

/// How many items a call looks for when nothing is said.
const COUNT: i64 = 10;
/// The smallest table.
const BUCKETS_MIN: usize = 4;

/// MATCH, COUNT and TYPE.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pattern: Option<Bytes>,
    count: i64,
    pub(super) kind: Option<Bytes>,
}

/// What an empty collection answers.
pub(super) fn nothing() -> Reply {
    Reply::Array(vec![Reply::bulk("0"), Reply::Array(Vec::new())])
}

/// A cursor as the C library reads unsigned numbers: what is missing is 0, a sign is allowed.
pub(super) fn cursor(text: &[u8]) -> Result<u64, ErrorText> {
    const INVALID: ErrorText = error("ERR invalid cursor");
    // Nothing behind a zero byte is read.
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if text.is_empty() {
        return Ok(0);
    }
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    let number = digits.iter().try_fold(0u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')));
    number.map(|n| if negative { n.wrapping_neg() } else { n }).ok_or(INVALID)
}

impl Options {
    /// Reads them; TYPE only where it is `typed`.
    pub(super) fn read(words: &[Bytes], typed: bool) -> Result<Options, ErrorText> {
        let mut options = Options { pattern: None, count: COUNT, kind: None };
        for option in words.chunks(2) {
            let [word, value] = option else { return Err(SYNTAX) };
            match () {
                () if is(word, "match") => options.pattern = Some(value.clone()),
                () if is(word, "type") && typed => options.kind = Some(value.clone()),
                () if is(word, "count") => {
                    options.count = int(value)?;
                    if options.count < 1 {
                        return Err(SYNTAX);
                    }
                }
                () => return Err(SYNTAX),
            }
        }
        Ok(options)
    }

    /// The next cursor and the items that this call finds: all of them at once unless they are `hashed`.
    pub(super) fn answer(&self, cursor: u64, items: Vec<(Bytes, Vec<Bytes>)>, hashed: bool) -> Answer {
        self.answer_with(cursor, items, hashed, |_| true)
    }

    /// The same, but of the found ones only those that are `wanted`.
    pub(super) fn answer_with(
        &self,
        cursor: u64,
        items: Vec<(Bytes, Vec<Bytes>)>,
        hashed: bool,
        mut wanted: impl FnMut(&Bytes) -> bool,
    ) -> Answer {
        let (next, found) = if hashed { self.batch(cursor, items) } else { (0, items) };
        let fits = |name: &Bytes, pattern: &Bytes| **pattern == *b"*" || glob::matches(pattern, name);
        let mut is_told =
            |name: &Bytes| self.pattern.as_ref().is_none_or(|pattern| fits(name, pattern)) && wanted(name);
        let found = found.into_iter().filter(|(name, _)| is_told(name));
        let found = Reply::bulks(found.flat_map(|(name, rest)| [name].into_iter().chain(rest)));
        Ok(Reply::Array(vec![Reply::bulk(next.to_string()), found]))
    }

    fn batch(&self, cursor: u64, items: Vec<(Bytes, Vec<Bytes>)>) -> (u64, Vec<(Bytes, Vec<Bytes>)>) {
        let mask = items.len().next_power_of_two().max(BUCKETS_MIN) as u64 - 1;
        // How far along the walk a bucket is: its reversed bits, from the highest that the table has.
        let turn = |bucket: u64| (bucket & mask).reverse_bits() >> (mask.leading_zeros());
        let mut placed: Vec<(u64, (Bytes, Vec<Bytes>))> =
            items.into_iter().map(|item| (turn(hash(&item.0)), item)).collect();
        let begin = turn(cursor);
        placed.retain(|(place, _)| *place >= begin);
        placed.sort_by_key(|(place, _)| *place);
        let (mut found, mut at) = (Vec::new(), begin);
        let mut placed = placed.into_iter().peekable();
        let mut buckets = self.count.saturating_mul(10);
        while at <= mask && (found.len() as i64) < self.count && buckets >= 0 {
            while let Some((_, item)) = placed.next_if(|(place, _)| *place == at) {
                found.push(item);
            }
            (at, buckets) = (at + 1, buckets - 1);
        }
        (if at > mask { 0 } else { turn(at) }, found)
    }
}

/// FNV-1a: the server's own hash has a secret that differs with every start.
fn hash(name: &[u8]) -> u64 {
    name.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(options: &Options, cursor: u64, names: &[String]) -> (u64, usize) {
        let items = names.iter().map(|name| (name.as_bytes().into(), Vec::new())).collect();
        let (next, found) = options.batch(cursor, items);
        (next, found.len())
    }

    #[test]
    fn a_walk_finds_everything_once_and_ends() {
        let options = Options { pattern: None, count: 10, kind: None };
        for total in [1, 3, 4, 5, 100, 1000] {
            let names: Vec<String> = (0..total).map(|n| format!("key:{n}")).collect();
            let (mut cursor, mut seen, mut calls) = (0, 0, 0);
            loop {
                let (next, found) = call(&options, cursor, &names);
                (cursor, seen, calls) = (next, seen + found, calls + 1);
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(seen, total);
            assert!(calls <= 1 + total / 10, "{total} in {calls} calls");
        }
    }

    #[test]
    fn cursors_are_read_as_the_library_reads_numbers() {
        for (text, value) in
            [("", Some(0)), ("-1", Some(u64::MAX)), ("+7", Some(7)), (" 1", None), ("1x", None)]
        {
            assert_eq!(cursor(text.as_bytes()).ok(), value, "{text:?}");
        }
        assert!(cursor(b"18446744073709551616").is_err());
    }
}
