//! What the store's fuzzer sends: shapes of commands, by theme, whose places are filled with values at the edges.

use super::store_peer::{CONNS, Words};
use glasshive::kernel::Rng;
use std::sync::LazyLock;

/// Stands for a moment that passes on both sides.
pub const WAIT: &[u8] = b"(wait)";

/// A command of one of the connections.
#[derive(Clone, Debug)]
pub struct Step {
    pub conn: usize,
    pub words: Words,
}

const STEPS: u64 = 80;

const KEYS: &[&[u8]] = &[b"a", b"b", b"c", b"d"];
const VALUES: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"1",
    b"2",
    b"-1",
    b"0",
    b"10",
    b"1.5",
    b"",
    b"007",
    b"\xff\x00\xfe",
    b"x y",
    b"5",
    b"abc",
    b"9223372036854775807",
    b"hello world",
    b"-0",
    b"aa",
    b"3",
    b"\xc3\xa9",
];
const INTS: &[&[u8]] = &[
    b"0",
    b"1",
    b"2",
    b"3",
    b"-1",
    b"-2",
    b"-3",
    b"10",
    b"100",
    b"5",
    b"1",
    b"2",
    b"0",
    b"-1",
    b"x",
    b"",
    b"1.5",
    b"+1",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"4294967296",
    b"2147483648",
    b" 1",
    b"01",
];
const FLOATS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"1.5",
    b"0.1",
    b"0.2",
    b"3.14159",
    b"-2.5",
    b"1e3",
    b"5.0e3",
    b"2.0e2",
    b"1e-5",
    b"1e17",
    b"1e20",
    b"123456789.123456789",
    b"1000.1",
    b"999.999",
    b"0x1p3",
    b"0x.8",
    b"inf",
    b"-inf",
    b"+inf",
    b"nan",
    b"1e400",
    b"1e5000",
    b"1e-400",
    b"1e-5000",
    b"-0",
    b"-0.0",
    b".5",
    b"5.",
    b"+3",
    b" 1",
    b"1 ",
    b"x",
    b"",
    b"1e",
    b"1e+2",
    b"infinity",
    b"9007199254740993",
    b"18446744073709551617",
    b"1e300",
    b"-1e300",
    b"500.5",
    b"777.77",
    b"0.30000000000000004",
    b"12345678901234567890",
    b"1e4932",
    b"0.00000000000000001",
    b"99999999999999999",
    b"2.5e-17",
    b"1e-18",
    b"(1",
    b"(2",
];
const IDS: &[&[u8]] = &[
    b"1-1",
    b"1-2",
    b"2-0",
    b"2-1",
    b"3-*",
    b"5",
    b"7-7",
    b"0-0",
    b"0-1",
    b"0",
    b"10-5",
    b"-",
    b"+",
    b"$",
    b">",
    b"x",
    b"1-",
    b"18446744073709551615-18446744073709551615",
    b"18446744073709551615",
    b"4",
    b"6",
    b"8-1",
    b"9",
    b"11",
    b"12",
    b"13-3",
    b"1-*",
    b"(1-1",
    b"(5",
    b"(x",
    b"-1",
    b"01-1",
    b"",
    b"2-18446744073709551615",
];
const TIMES: &[&[u8]] = &[
    b"0",
    b"0",
    b"0",
    b"0.0",
    b"-1",
    b"x",
    b"-0",
    b"1e30",
    b"9223372036854775807",
    b"9223372036854776",
    b"inf",
    b"-inf",
    b"nan",
    b"1e-5000",
    b"9007199254740992",
    b"-0.0001",
    b"0x0",
    b"",
    b"-1e-30",
];
const MILLIS: &[&[u8]] = &[b"0", b"0", b"-1", b"x", b"1.5", b"9223372036854775808", b""];
const EXPIRIES: &[&[u8]] = &[
    b"100",
    b"1000",
    b"-1",
    b"0",
    b"100000000",
    b"9223372036854775807",
    b"9223372036854775",
    b"-9223372036854775808",
    b"9223372036854774",
    b"1000000000000000",
    b"x",
    b"2000000000",
    b"4000000000000",
    b"7500000000000000",
];
/// Too long for the server's compact forms.
const LONG_VALUES: [&[u8]; 2] = [&[b'y'; 65], &[b'z'; 80]];
const PATTERNS: &[&[u8]] =
    &[b"*", b"a*", b"?", b"[a-c]", b"[^a]", b"\\a", b"[", b"a", b"", b"*b", b"[a", b"**", b"ch*", b"\\"];
const CHANNELS: &[&[u8]] = &[b"ch", b"ch2", b"", b"news", b"\xff"];
const CURSORS: &[&[u8]] = &[b"0", b"0", b"0", b"x", b"", b" 0", b"-", b"18446744073709551616", b"0x"];
const LEXES: &[&[u8]] = &[b"-", b"+", b"[a", b"(a", b"[c", b"(", b"[", b"x", b"", b"[abc"];

/// The scripts that the model reads.
pub const SOURCES: &[&str] = &[
    "return redis.call('GET', KEYS[1])",
    "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    "return redis.call('INCR', KEYS[1])",
    "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])",
    "return 9223372036854775807",
    "return 9007199254740993",
    "return -9223372036854775808",
    "return redis.call('SET', KEYS[1], 9007199254740993)",
    "return redis.call('SET', KEYS[1], 9223372036854775807)",
    "return redis.call('LPUSH', KEYS[1], 100000000000000000000)",
    "return redis.call('LRANGE', KEYS[1], 0, -1)",
    "redis.call('SELECT', 1); return redis.call('SET', KEYS[1], 'other')",
    "redis.call('SELECT', 3) redis.call('SELECT', 1) return redis.call('GET', KEYS[1])",
    "return redis.call('HGETALL', KEYS[1])",
    "return redis.pcall('INCR', KEYS[1])",
    "return redis.call('NOSUCH')",
    "return redis.call('GET')",
    "return redis.call('BLPOP', KEYS[1], 0)",
    "return redis.call('SUBSCRIBE', 'x')",
    "return redis.call('TTL', KEYS[1])",
    "return nil",
    "return false",
    "return 'text'",
    "return ARGV[1]",
    "return KEYS[2]",
    "redis.call('DEL', KEYS[1])",
    "return redis.call('EXISTS', KEYS[1])",
    "redis.call('INCR', KEYS[1])\nreturn redis.call('INCR', KEYS[1])",
    "return redis.call('SMEMBERS', KEYS[1])",
    "return redis.call('ZSCORE', KEYS[1], ARGV[1])",
    "return redis.call('MGET', KEYS[1], KEYS[2])",
    "return redis.call('PING')",
    "return redis.pcall('NOSUCH')",
    "return redis.call('EVAL', 'return 1', 0)",
    "return redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '$')",
];

/// Commands that go together.
struct Theme {
    weight: u64,
    is_crowded: bool,
    is_long: bool,
    waits: bool,
    /// Shapes of commands. A capital alone stands for a value of its kind: see `fill`.
    shapes: Vec<&'static str>,
}

static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| {
    let lines =
        include_str!("store_shapes.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut themes: Vec<Theme> = Vec::new();
    for line in lines {
        if let Some(head) = line.strip_prefix("== ") {
            let words: Vec<&str> = head.split(' ').collect();
            let has = |word| words.contains(&word);
            let (is_crowded, is_long, waits) = (has("crowd"), has("long"), has("wait"));
            let weight = words[1].parse().expect("a weight");
            themes.push(Theme { weight, is_crowded, is_long, waits, shapes: Vec::new() });
        } else {
            themes.last_mut().expect("a theme").shapes.push(line);
        }
    }
    themes
});

fn pick<'a>(rng: &mut Rng, from: &[&'a [u8]]) -> &'a [u8] {
    from[rng.below(from.len() as u64) as usize]
}

/// The digest by which EVALSHA calls one of the scripts, or one that is nobody's.
fn digest(rng: &mut Rng) -> Vec<u8> {
    let place = rng.below(DIGESTS.len() as u64 + 1) as usize;
    DIGESTS
        .get(place)
        .map_or(b"0000000000000000000000000000000000000000".to_vec(), |text| text.as_bytes().to_vec())
}

/// SHA-1 of the first three scripts.
const DIGESTS: [&str; 3] = [
    "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f",
    "8cd00688c05c46bde4a2e60658ef20a2e5c0b248",
    "61636018f4e6b5817b89791bbed242f93fa089e3",
];

/// The words for a place in a shape: one, or a crowd of members or of keys with values.
fn many(rng: &mut Rng, place: &str) -> Words {
    let number = |rng: &mut Rng| rng.below(60).to_string();
    match place {
        "B" => (0..20).map(|_| format!("m{}", number(rng)).into_bytes()).collect(),
        "D" => (0..40).map(|_| format!("k{}", number(rng)).into_bytes()).collect(),
        place => vec![fill(rng, place)],
    }
}

/// A value for a place in a shape.
fn fill(rng: &mut Rng, place: &str) -> Vec<u8> {
    let known = match place {
        "K" => pick(rng, KEYS),
        "V" => pick(rng, VALUES),
        "N" => pick(rng, INTS),
        "F" => pick(rng, FLOATS),
        "I" => pick(rng, IDS),
        "T" => pick(rng, TIMES),
        "M" => pick(rng, MILLIS),
        "E" => pick(rng, EXPIRIES),
        "P" => pick(rng, PATTERNS),
        "H" => pick(rng, CHANNELS),
        "C" => pick(rng, CURSORS),
        "L" => pick(rng, LEXES),
        "G" => pick(rng, &[b"g", b"g", b"h"]),
        "X" => pick(rng, &[b"x", b"y", b"z"]),
        "S" => SOURCES[rng.below(SOURCES.len() as u64) as usize].as_bytes(),
        "Y" => LONG_VALUES[rng.below(2) as usize],
        "J" => return (rng.below(250)).to_string().into_bytes(),
        "R" => return real(rng),
        "Z" => return digest(rng),
        literal => literal.as_bytes(),
    };
    known.to_vec()
}

/// A decimal with any number of digits, now and then with an exponent.
fn real(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    if rng.chance(0.3) {
        text.push('-');
    }
    for _ in 0..1 + rng.below(12) {
        text.push((b'0' + rng.below(10) as u8) as char);
    }
    if rng.chance(0.7) {
        text.push('.');
        for _ in 0..1 + rng.below(20) {
            text.push((b'0' + rng.below(10) as u8) as char);
        }
    }
    if rng.chance(0.15) {
        let sign = if rng.chance(0.5) { "-" } else { "" };
        let most = if rng.chance(0.1) { 400 } else { 30 };
        text += &format!("e{sign}{}", rng.below(most));
    }
    text.into_bytes()
}

/// A sequence of one theme, with a command of another now and then.
pub fn sequence(rng: &mut Rng) -> Vec<Step> {
    let all: u64 = THEMES.iter().map(|theme| theme.weight).sum();
    let mut place = rng.below(all);
    let theme = THEMES.iter().find(|theme| {
        let here = place < theme.weight;
        place = place.saturating_sub(theme.weight);
        here
    });
    let theme = theme.expect("a theme");
    let steps = if theme.is_long { 300 } else { 1 + rng.below(STEPS) };
    let mut sequence: Vec<Step> = Vec::new();
    for _ in 0..steps {
        if theme.waits && rng.chance(0.15) {
            sequence.push(Step { conn: 0, words: vec![WAIT.to_vec()] });
        }
        let words = command(rng, &theme.shapes);
        // Most talk is on one connection; where they wait for each other, all take part.
        let conn = if theme.is_crowded { rng.below(CONNS as u64) as usize } else { 0 };
        sequence.push(Step { conn, words });
    }
    sequence
}

fn command(rng: &mut Rng, shapes: &[&str]) -> Words {
    let shape = shapes[rng.below(shapes.len() as u64) as usize];
    let mut words: Words = shape.split(' ').flat_map(|place| many(rng, place)).collect();
    if rng.chance(0.02) {
        words.push(fill(rng, "V"));
    }
    if rng.chance(0.02) && words.len() > 1 {
        words.pop();
    }
    // The third version of the protocol is not modelled.
    if words[0] == b"HELLO" && words.get(1).is_some_and(|version| version == b"3") {
        words[1] = b"4".to_vec();
    }
    if words[0].is_empty() || words[0].contains(&b'\r') {
        words[0] = b"PING".to_vec();
    }
    words
}
