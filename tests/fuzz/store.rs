//! The store's fuzzer: sequences of random commands on several connections, on the model and on redis-server, which must
//! give the same replies. `GLASSHIVE_FUZZ` says how many commands, `GLASSHIVE_FROM` with which sequence to begin,
//! `GLASSHIVE_SEED` which one alone, `REDIS_SERVER` which server.
//!
//! Left out of the comparison is what chance or the clock decide: the order of unordered replies, idle times, the digits
//! of a time to live; what a server draws at random is looked at for its shape, and its key is deleted on both sides.

use super::store_input::{self, Step, WAIT};
use super::store_peer::{CONNS, ModelPeer, RealPeer, Words};
use super::store_talk::Talk;
use super::{amount, is_real, seeds, shrink};
use glasshive::kernel::Rng;
use glasshive::substrate::valkey::Reply;
use std::collections::BTreeMap;

/// By how many milliseconds times may differ: a busy machine takes its time between the two sides.
const SLACK_MS: i64 = 2500;
/// So many mismatches are enough to read.
const MISMATCHES_MAX: usize = 40;

/// How a command's reply is to be compared.
#[derive(Clone, Copy, PartialEq)]
pub enum Compared {
    Exactly,
    /// The order of the items is the server's own business.
    AsSet,
    /// Pairs in an order of its own.
    AsPairs,
    /// A number that the clock has a part in.
    Time,
    /// The same kind of reply, with as many items.
    Shape,
    /// A cursor, and items in any order.
    Scan,
    /// Of a farewell to one of several channels, not which.
    Confirmation,
    /// An id that the clock has a part in.
    Id,
    /// Items with idle times.
    Pending,
}

pub fn compared(words: &Words) -> Compared {
    let name = words[0].to_ascii_uppercase();
    match &name[..] {
        b"PUBSUB" if words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"CHANNELS")) => {
            Compared::AsSet
        }
        b"SMEMBERS" | b"SINTER" | b"SUNION" | b"SDIFF" | b"KEYS" => Compared::AsSet,
        b"HGETALL" => Compared::AsPairs,
        b"HKEYS" | b"HVALS" => Compared::AsSet,
        b"TTL" | b"PTTL" | b"EXPIRETIME" | b"PEXPIRETIME" | b"LASTSAVE" => Compared::Time,
        b"RANDOMKEY" | b"SPOP" | b"SRANDMEMBER" | b"TIME" | b"CLIENT" | b"INFO" => Compared::Shape,
        b"SCAN" | b"HSCAN" | b"SSCAN" | b"ZSCAN" => Compared::Scan,
        b"XPENDING" => Compared::Pending,
        b"XADD" if words.iter().any(|word| word == b"*") => Compared::Id,
        // Scripts hand on what they are answered.
        b"EVAL" if words.get(1).is_some_and(|text| has(text, b"SMEMBERS")) => Compared::AsSet,
        b"EVAL" if words.get(1).is_some_and(|text| has(text, b"HGETALL")) => Compared::AsPairs,
        _ => Compared::Exactly,
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What HELLO answers, without the number of the connection: the real server has had more of them.
fn without_number(reply: &Reply) -> Option<Vec<Reply>> {
    let Reply::Array(items) = reply else { return None };
    let place = items.iter().position(|item| *item == Reply::bulk("id")).filter(|&place| place == 6)?;
    let mut items = items.clone();
    matches!(items.get(place + 1), Some(Reply::Int(_))).then(|| items.remove(place + 1))?;
    (items[0] == Reply::bulk("server")).then_some(items)
}

/// That a script cannot be read, in the words of either: Lua's own are not modelled.
fn is_unread(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(text) if text.starts_with("ERR Error compiling script"))
}

/// The milliseconds of an entry's id.
fn id_ms(id: &[u8]) -> Option<u64> {
    std::str::from_utf8(id).ok()?.split_once('-')?.0.parse().ok()
}

/// Draws that leave the two sides different.
fn draws(words: &Words) -> bool {
    words[0].eq_ignore_ascii_case(b"SPOP")
}

pub fn same(how: Compared, real: &Reply, model: &Reply) -> bool {
    if real == model || is_unread(real) && is_unread(model) {
        return true;
    }
    if let (Some(a), Some(b)) = (without_number(real), without_number(model)) {
        return a == b;
    }
    match (how, real, model) {
        (Compared::AsSet, Reply::Array(_), Reply::Array(_)) => sorted(real) == sorted(model),
        (Compared::AsPairs, Reply::Array(a), Reply::Array(b)) => pairs(a) == pairs(b),
        (Compared::Time, Reply::Int(a), Reply::Int(b)) => {
            // What is close in milliseconds is close in seconds.
            (*a >= 0) == (*b >= 0) && a.abs_diff(*b) <= SLACK_MS as u64 && *a > 0
        }
        (Compared::Shape, Reply::Array(a), Reply::Array(b)) => a.len() == b.len(),
        (Compared::Shape, Reply::Bulk(_), Reply::Bulk(_)) => true,
        (Compared::Shape, Reply::Int(_), Reply::Int(_)) => true,
        (Compared::Scan, Reply::Array(a), Reply::Array(b)) => match (&a[..], &b[..]) {
            // How far a call comes depends on the server's secret hash; what a whole walk finds does not: see `walk`.
            ([from, a], [to, b]) => {
                *from != Reply::bulk("0") || *to != Reply::bulk("0") || sorted(a) == sorted(b)
            }
            _ => false,
        },
        (Compared::Confirmation, Reply::Array(a), Reply::Array(b)) => {
            let is_farewell = [b"unsubscribe".as_slice(), b"punsubscribe"].map(Reply::bulk).contains(&a[0]);
            is_farewell && a.first() == b.first() && a.get(2) == b.get(2)
        }
        (Compared::Id, Reply::Bulk(a), Reply::Bulk(b)) => {
            id_ms(a).zip(id_ms(b)).is_some_and(|(a, b)| a.abs_diff(b) <= SLACK_MS as u64)
        }
        (Compared::Pending, Reply::Array(a), Reply::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).all(|(a, b)| match (a, b) {
                (Reply::Array(a), Reply::Array(b)) if a.len() == 4 && b.len() == 4 => {
                    a[0] == b[0] && a[1] == b[1] && a[3] == b[3] && same(Compared::Shape, &a[2], &b[2])
                }
                _ => a == b,
            })
        }
        _ => false,
    }
}

fn sorted(reply: &Reply) -> Vec<String> {
    let Reply::Array(items) = reply else { return vec![format!("{reply:?}")] };
    let mut items: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    items.sort();
    items
}

fn pairs(items: &[Reply]) -> BTreeMap<String, String> {
    items.chunks(2).map(|pair| (format!("{:?}", pair[0]), format!("{:?}", pair.get(1)))).collect()
}

pub fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Reply::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        reply => format!("{reply:?}"),
    }
}

fn text(words: &Words) -> String {
    let word = |word: &Vec<u8>| match std::str::from_utf8(word) {
        Ok(text) if !text.is_empty() && !text.contains([' ', '"']) && text.is_ascii() => text.to_owned(),
        _ => format!("{:?}", word.escape_ascii().to_string()),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Plays a sequence on both sides: what differed, and after how many steps.
fn play(real: &mut RealPeer, steps: &[Step]) -> Option<(usize, String)> {
    real.reset();
    let mut model = ModelPeer::new();
    let mut talks: [Talk; CONNS] = Default::default();
    for (at, Step { conn, words }) in steps.iter().enumerate() {
        let told = |why| (at, format!("{}> {}\n{why}", ['A', 'B', 'C'][*conn], text(words)));
        if words[0] == WAIT {
            std::thread::sleep(core::time::Duration::from_millis(4));
            continue;
        }
        if let Some(why) = step(real, &mut model, *conn, words, &mut talks) {
            return Some(told(why));
        }
        // A cursor's whole way; not where it would be queued.
        if talks[*conn].is_free()
            && let Some(why) = walk(real, &mut model, *conn, words)
        {
            return Some(told(why));
        }
        if draws(words) && words.len() > 1 {
            let delete: Words = vec![b"DEL".to_vec(), words[1].clone()];
            if let Some(why) = step(real, &mut model, *conn, &delete, &mut talks) {
                return Some(told(why));
            }
        }
    }
    // Whoever is not blocked has nothing more to say.
    (0..CONNS).find_map(|conn| {
        let ping: Words = vec![b"PING".to_vec()];
        step(real, &mut model, conn, &ping, &mut talks).map(|why| (steps.len(), format!("at the end, {why}")))
    })
}

/// A cursor's whole way, on both sides: everything that is found, in any order.
fn walk(real: &mut RealPeer, model: &mut ModelPeer, conn: usize, words: &Words) -> Option<String> {
    let place = if words[0].eq_ignore_ascii_case(b"SCAN") { 1 } else { 2 };
    if compared(words) != Compared::Scan || words.get(place).is_none_or(|cursor| cursor != b"0") {
        return None;
    }
    let ways = [true, false].map(|is_real| {
        let (mut found, mut words) = (Vec::new(), words.clone());
        for _ in 0..1000 {
            let reply = if is_real {
                real.send(conn, &words);
                real.take(conn, 1)
            } else {
                model.send(conn, &words);
                model.take(conn)
            };
            let Some(Reply::Array(parts)) = reply.first() else { return found };
            let [Reply::Bulk(cursor), Reply::Array(items)] = &parts[..] else { return found };
            let width = if [b"HSCAN", b"ZSCAN"].iter().any(|name| words[0].eq_ignore_ascii_case(&name[..])) {
                2
            } else {
                1
            };
            found.extend(items.chunks(width).map(|item| format!("{item:?}")));
            words[place] = cursor.to_vec();
            if &**cursor == b"0" {
                break;
            }
        }
        found.sort();
        found
    });
    (ways[0] != ways[1])
        .then(|| format!("  real   finds {}\n  model  finds {}", ways[0].join(" "), ways[1].join(" ")))
}

fn step(
    real: &mut RealPeer,
    model: &mut ModelPeer,
    conn: usize,
    words: &Words,
    talks: &mut [Talk],
) -> Option<String> {
    real.send(conn, words);
    let mut words = words.clone();
    let mut first = Vec::new();
    // The clock chooses the id: the model is told what it chose.
    let auto =
        words[0].eq_ignore_ascii_case(b"XADD").then(|| words.iter().position(|word| word == b"*")).flatten();
    if let Some(place) = auto {
        first = real.take(conn, 1);
        if let Some(Reply::Bulk(id)) = first.first() {
            words[place] = id.to_vec();
        }
    }
    model.send(conn, &words);
    talks[conn].ask(&words);
    if model.is_silent(conn) {
        real.settle();
    }
    for (other, talk) in talks.iter_mut().enumerate() {
        let expected = model.take(other);
        let mut got = if other == conn { std::mem::take(&mut first) } else { Vec::new() };
        let already = got.len();
        got.extend(real.take(other, expected.len().saturating_sub(already)));
        if let Some(missing) = expected.get(got.len()) {
            return Some(format!("  real   nothing more on {other}\n  model  {}", shown(missing)));
        }
        if let Err((reply, wanted)) = talk.hear(got, expected) {
            return Some(format!("  real   {}\n  model  {}", shown(&reply), shown(&wanted)));
        }
    }
    None
}

#[test]
fn fuzz_store_random_commands_on_model_and_real_server() {
    if !is_real() {
        return;
    }
    let binary = std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    let mut real = RealPeer::start(&binary);
    let wanted = amount("GLASSHIVE_FUZZ", 1_000_000);
    let (from, only) = seeds();
    let (mut commands, mut passing, mut wrong) = (0u64, 0, Vec::new());
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    let mut seed = from;
    while commands < wanted && wrong.len() < MISMATCHES_MAX {
        let mut steps = store_input::sequence(&mut Rng::new(seed));
        for step in &steps {
            *names.entry(String::from_utf8_lossy(&step.words[0]).to_uppercase()).or_default() += 1;
        }
        commands += steps.len() as u64;
        if let Some((at, _)) = play(&mut real, &steps) {
            steps.truncate(at + 1);
            match shortest(&mut real, steps) {
                Some(why) => wrong.push(format!("seed {seed}\n{why}")),
                // A moment between the two sides: it does not come again.
                None => passing += 1,
            }
        }
        seed += 1;
        if only {
            break;
        }
    }
    println!(
        "store: {commands} commands of {} kinds in {} sequences from {from} on, {} mismatches, {passing} that did not come again",
        names.len(),
        seed - from,
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The shortest form of a mismatch; none when it does not come again.
fn shortest(real: &mut RealPeer, mut steps: Vec<Step>) -> Option<String> {
    play(real, &steps)?;
    shrink(&mut steps, |fewer| play(real, fewer).is_some());
    for at in 0..steps.len() {
        let mut words = steps[at].words.clone();
        let name = words.remove(0);
        let rebuilt = |words: &[Vec<u8>]| -> Words { [std::slice::from_ref(&name), words].concat() };
        shrink(&mut words, |fewer| {
            let mut tried = steps.clone();
            tried[at].words = rebuilt(fewer);
            play(real, &tried).is_some()
        });
        steps[at].words = rebuilt(&words);
    }
    let (at, why) = play(real, &steps)?;
    let before =
        steps[..at].iter().map(|step| format!("{}> {}\n", ['A', 'B', 'C'][step.conn], text(&step.words)));
    Some(before.collect::<String>() + &why)
}
