//! The table of commands: name, how many arguments, what the server needs to know before it runs one, and how its
//! arguments are read.

use super::Version;
use super::command::{Command, End};
use super::parse::{self, Arguments, Parsed, int};
use super::reply::{Bytes, ErrorText, SYNTAX, repeated};
use crate::net::LookUp;
use std::sync::LazyLock;

/// What holds for a command whatever its arguments are.
pub(super) struct Spec {
    /// As it stands in error messages; subcommands as `config|get`.
    pub(super) name: &'static str,
    /// The name counted in: that many exactly, or at least that many when negative.
    arity: i8,
    flags: u8,
    parse: fn(Arguments) -> Parsed,
}

/// May need more memory: refused when `maxmemory` is reached.
pub(super) const GROWS: u8 = 1;
/// Works while the data set is being loaded.
pub(super) const LOADING: u8 = 2;
/// May be sent by a client that has subscriptions.
const SUBSCRIBED: u8 = 4;
/// Runs at once inside MULTI instead of being queued.
const UNQUEUED: u8 = 8;
/// Not for scripts.
pub(super) const NO_SCRIPT: u8 = 16;
/// Not for scripts of Redis 7.0; in Valkey 8 it just does not block there.
pub(super) const NO_SCRIPT_7: u8 = 32;
/// Valkey 8 refuses it inside MULTI and calls the transaction off.
const NO_MULTI_8: u8 = 64;

impl Spec {
    pub(super) fn grows(&self) -> bool {
        self.flags & GROWS != 0
    }

    pub(super) fn works_while_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    pub(super) fn works_with_subscriptions(&self) -> bool {
        self.flags & SUBSCRIBED != 0
    }

    pub(super) fn is_queued(&self) -> bool {
        self.flags & UNQUEUED == 0
    }

    pub(super) fn works_in_scripts(&self, version: Version) -> bool {
        self.flags & NO_SCRIPT == 0 && (self.flags & NO_SCRIPT_7 == 0 || version == Version::Valkey8)
    }

    pub(super) fn works_in_multi(&self, version: Version) -> bool {
        self.flags & NO_MULTI_8 == 0 || version == Version::Redis7
    }

    /// Reads the arguments, the name left out.
    pub(super) fn parse(&self, arguments: Arguments) -> Parsed {
        (self.parse)(arguments)
    }
}

/// The commands that consist of subcommands.
const CONTAINERS: [&str; 5] = ["client", "config", "pubsub", "script", "xgroup"];

/// Finds the command that `words` call, and says how many of the words are its name.
pub(super) fn look_up(words: &[Bytes]) -> Result<(&'static Spec, usize), ErrorText> {
    let Some(first) = words.first() else { return Err(unknown(&[])) };
    if let Some(spec) = find(first).filter(|spec| !spec.name.contains('|')) {
        return check_arity(spec, words.len()).map(|()| (spec, 1));
    }
    if let Some(name) = CONTAINERS.into_iter().find(|name| parse::is(first, name)) {
        let Some(second) = words.get(1) else { return Err(parse::wrong_number(name)) };
        let Some(spec) = find(&[name.as_bytes(), b"|", second].concat()) else {
            let (name, second) = (name.to_ascii_uppercase(), repeated(second));
            return Err(format!("ERR unknown subcommand '{second:.128}'. Try {name} HELP.").into());
        };
        return check_arity(spec, words.len()).map(|()| (spec, 2));
    }
    Err(unknown(words))
}

/// The longest name in the table is shorter.
const NAME_MAX: usize = 32;

fn find(name: &[u8]) -> Option<&'static Spec> {
    // In small letters, and in capitals as nearly everybody writes them.
    static BY_NAME: LazyLock<LookUp<Vec<u8>, &Spec>> = LazyLock::new(|| {
        let names = |spec: &'static Spec| {
            let name = spec.name.as_bytes();
            [(name.to_vec(), spec), (name.to_ascii_uppercase(), spec)]
        };
        TABLE.iter().chain(MORE).flat_map(names).collect()
    });
    if let Some(spec) = BY_NAME.get(name) {
        return Some(spec);
    }
    let mut lower = [0; NAME_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    BY_NAME.get(&*lower).copied()
}

fn check_arity(spec: &Spec, words: usize) -> Result<(), ErrorText> {
    let asked = usize::from(spec.arity.unsigned_abs());
    let fits = if spec.arity < 0 { words >= asked } else { words == asked };
    if fits { Ok(()) } else { Err(parse::wrong_number(spec.name)) }
}

/// How much of a command that it does not know the server repeats.
const ECHO_MAX: usize = 128;

fn unknown(words: &[Bytes]) -> ErrorText {
    let text = |word: &Bytes, most: usize| {
        // Nothing behind a zero byte is repeated.
        let word = word.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(&word[..word.len().min(most)]).into_owned();
        text.replace(['\r', '\n'], " ")
    };
    let mut echoed = String::new();
    for word in words.iter().skip(1) {
        if echoed.len() >= ECHO_MAX {
            break;
        }
        echoed = format!("{echoed}'{}' ", text(word, ECHO_MAX - echoed.len()));
    }
    let name = words.first().map(|word| text(word, ECHO_MAX)).unwrap_or_default();
    format!("ERR unknown command '{name}', with args beginning with: {echoed}").into()
}

/// A row of the table.
pub(super) const fn row(name: &'static str, arity: i8, flags: u8, parse: fn(Arguments) -> Parsed) -> Spec {
    Spec { name, arity, flags, parse }
}

fn first(a: Arguments) -> Bytes {
    a[0].clone()
}

fn config_set(a: Arguments) -> Parsed {
    if a.len() % 2 == 1 {
        return Err(SYNTAX);
    }
    Ok(Command::ConfigSet { pairs: parse::pairs(a) })
}

fn ping(a: Arguments) -> Parsed {
    if a.len() > 1 {
        return Err(parse::wrong_number("ping"));
    }
    Ok(Command::Ping { message: a.first().cloned() })
}

fn channels(a: Arguments) -> Parsed {
    if a.len() > 1 {
        return Err(
            "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.".into()
        );
    }
    Ok(Command::Channels { pattern: a.first().cloned() })
}

#[cfg(not(target_arch = "wasm32"))]
use super::more::TABLE as MORE;

#[cfg(target_arch = "wasm32")]
const MORE: &[Spec] = &[];

#[rustfmt::skip]
static TABLE: &[Spec] = &[
    // Lists.
    row("lpush", -3, GROWS, |a| parse::push(a, End::Left, false)),
    row("rpush", -3, GROWS, |a| parse::push(a, End::Right, false)),
    row("lpushx", -3, GROWS, |a| parse::push(a, End::Left, true)),
    row("rpushx", -3, GROWS, |a| parse::push(a, End::Right, true)),
    row("lpop", -2, 0, |a| parse::pop(a, End::Left, "lpop")),
    row("rpop", -2, 0, |a| parse::pop(a, End::Right, "rpop")),
    row("blpop", -3, NO_SCRIPT_7, |a| parse::pop_first(a, End::Left)),
    row("brpop", -3, NO_SCRIPT_7, |a| parse::pop_first(a, End::Right)),
    row("lmpop", -4, 0, |a| parse::pop_many(a, false)),
    row("blmpop", -5, 0, |a| parse::pop_many(a, true)),
    row("lmove", 5, GROWS, |a| parse::list_move(a, false)),
    row("blmove", 6, GROWS | NO_SCRIPT_7, |a| parse::list_move(a, true)),
    row("rpoplpush", 3, GROWS, |a| parse::right_to_left(a, false)),
    row("brpoplpush", 4, GROWS | NO_SCRIPT_7, |a| parse::right_to_left(a, true)),
    row("llen", 2, 0, |a| Ok(Command::ListLen { key: first(a) })),
    row("lrange", 4, 0, |a| Ok(Command::ListRange { key: first(a), start: int(&a[1])?, stop: int(&a[2])? })),
    row("lrem", 4, 0, |a| Ok(Command::ListRemove { key: first(a), count: int(&a[1])?, item: a[2].clone() })),
    row("lindex", 3, 0, |a| Ok(Command::ListIndex { key: first(a), index: a[1].clone() })),
    row("linsert", 5, GROWS, parse::list_insert),
    row("lpos", -3, 0, parse::list_position),
    row("lset", 4, GROWS, |a| Ok(Command::ListSet { key: first(a), index: a[1].clone(), item: a[2].clone() })),
    row("ltrim", 4, 0, |a| Ok(Command::ListTrim { key: first(a), start: int(&a[1])?, stop: int(&a[2])? })),
    // Strings.
    row("set", -3, GROWS, parse::set),
    row("setnx", 3, GROWS, |a| Ok(Command::SetNew { key: first(a), value: a[1].clone() })),
    row("setex", 4, GROWS, |a| parse::set_for(a, true, "setex")),
    row("psetex", 4, GROWS, |a| parse::set_for(a, false, "psetex")),
    row("get", 2, 0, |a| Ok(Command::Get { key: first(a) })),
    row("getset", 3, GROWS, |a| Ok(Command::GetSet { key: first(a), value: a[1].clone() })),
    row("getdel", 2, 0, |a| Ok(Command::GetDelete { key: first(a) })),
    row("getex", -2, 0, parse::get_expire),
    row("incr", 2, GROWS, |a| Ok(Command::Add { key: first(a), delta: 1 })),
    row("decr", 2, GROWS, |a| Ok(Command::Add { key: first(a), delta: -1 })),
    row("incrby", 3, GROWS, |a| Ok(Command::Add { key: first(a), delta: int(&a[1])? })),
    row("decrby", 3, GROWS, parse::decrease_by),
    row("append", 3, GROWS, |a| Ok(Command::Append { key: first(a), value: a[1].clone() })),
    row("strlen", 2, 0, |a| Ok(Command::TextLen { key: first(a) })),
    row("getrange", 4, 0, |a| Ok(Command::GetRange { key: first(a), start: int(&a[1])?, stop: int(&a[2])? })),
    row("substr", 4, 0, |a| Ok(Command::GetRange { key: first(a), start: int(&a[1])?, stop: int(&a[2])? })),
    row("setrange", 4, GROWS, parse::set_range),
    row("mget", -2, 0, |a| Ok(Command::GetMany { keys: a.to_vec() })),
    row("mset", -3, GROWS, |a| parse::set_many(a, false, "mset")),
    row("msetnx", -3, GROWS, |a| parse::set_many(a, true, "msetnx")),
    // Hashes.
    row("hset", -4, GROWS, |a| parse::hash_set(a, true, "hset")),
    row("hmset", -4, GROWS, |a| parse::hash_set(a, false, "hmset")),
    row("hsetnx", 4, GROWS, |a| Ok(Command::HashSetNew { key: first(a), field: a[1].clone(), value: a[2].clone() })),
    row("hget", 3, 0, |a| Ok(Command::HashGet { key: first(a), field: a[1].clone() })),
    row("hmget", -3, 0, |a| Ok(Command::HashGetMany { key: first(a), fields: a[1..].to_vec() })),
    row("hgetall", 2, 0, |a| Ok(Command::HashAll { key: first(a), names: true, values: true })),
    row("hkeys", 2, 0, |a| Ok(Command::HashAll { key: first(a), names: true, values: false })),
    row("hvals", 2, 0, |a| Ok(Command::HashAll { key: first(a), names: false, values: true })),
    row("hdel", -3, 0, |a| Ok(Command::HashDelete { key: first(a), fields: a[1..].to_vec() })),
    row("hlen", 2, 0, |a| Ok(Command::HashLen { key: first(a) })),
    row("hexists", 3, 0, |a| Ok(Command::HashExists { key: first(a), field: a[1].clone() })),
    row("hstrlen", 3, 0, |a| Ok(Command::HashTextLen { key: first(a), field: a[1].clone() })),
    row("hincrby", 4, GROWS, |a| Ok(Command::HashAdd { key: first(a), field: a[1].clone(), delta: int(&a[2])? })),
    // Keys.
    row("del", -2, 0, |a| Ok(Command::Delete { keys: a.to_vec() })),
    row("unlink", -2, 0, |a| Ok(Command::Delete { keys: a.to_vec() })),
    row("exists", -2, 0, |a| Ok(Command::Exists { keys: a.to_vec() })),
    row("touch", -2, 0, |a| Ok(Command::Exists { keys: a.to_vec() })),
    row("type", 2, 0, |a| Ok(Command::Type { key: first(a) })),
    row("rename", 3, 0, |a| Ok(Command::Rename { from: first(a), to: a[1].clone(), only_new: false })),
    row("renamenx", 3, 0, |a| Ok(Command::Rename { from: first(a), to: a[1].clone(), only_new: true })),
    row("copy", -3, GROWS, parse::copy),
    row("move", 3, 0, |a| Ok(Command::MoveTo { key: first(a), db: parse::database(&a[1])? })),
    row("keys", 2, 0, |a| Ok(Command::Keys { pattern: first(a) })),
    row("randomkey", 1, 0, |_| Ok(Command::RandomKey)),
    row("expire", -3, 0, |a| parse::expire(a, true, false, "expire")),
    row("pexpire", -3, 0, |a| parse::expire(a, false, false, "pexpire")),
    row("expireat", -3, 0, |a| parse::expire(a, true, true, "expireat")),
    row("pexpireat", -3, 0, |a| parse::expire(a, false, true, "pexpireat")),
    row("ttl", 2, 0, |a| Ok(Command::Ttl { key: first(a), seconds: true, absolute: false })),
    row("pttl", 2, 0, |a| Ok(Command::Ttl { key: first(a), seconds: false, absolute: false })),
    row("expiretime", 2, 0, |a| Ok(Command::Ttl { key: first(a), seconds: true, absolute: true })),
    row("pexpiretime", 2, 0, |a| Ok(Command::Ttl { key: first(a), seconds: false, absolute: true })),
    row("persist", 2, 0, |a| Ok(Command::Persist { key: first(a) })),
    row("dbsize", 1, 0, |_| Ok(Command::DbSize)),
    row("flushall", -1, 0, |a| parse::flush(a, true)),
    row("flushdb", -1, 0, |a| parse::flush(a, false)),
    // Transactions.
    row("multi", 1, LOADING | UNQUEUED | NO_SCRIPT | NO_MULTI_8, |_| Ok(Command::Multi)),
    row("exec", 1, LOADING | UNQUEUED | NO_SCRIPT, |_| Ok(Command::Exec)),
    row("discard", 1, LOADING | UNQUEUED | NO_SCRIPT, |_| Ok(Command::Discard)),
    row("watch", -2, LOADING | UNQUEUED | NO_SCRIPT | NO_MULTI_8, |a| Ok(Command::Watch { keys: a.to_vec() })),
    row("unwatch", 1, LOADING | NO_SCRIPT, |_| Ok(Command::Unwatch)),
    // Publish and subscribe.
    row("subscribe", -2, LOADING | SUBSCRIBED | NO_SCRIPT, |a| Ok(Command::Subscribe { channels: a.to_vec(), patterns: false })),
    row("psubscribe", -2, LOADING | SUBSCRIBED | NO_SCRIPT, |a| Ok(Command::Subscribe { channels: a.to_vec(), patterns: true })),
    row("unsubscribe", -1, LOADING | SUBSCRIBED | NO_SCRIPT, |a| Ok(Command::Unsubscribe { channels: a.to_vec(), patterns: false })),
    row("punsubscribe", -1, LOADING | SUBSCRIBED | NO_SCRIPT, |a| Ok(Command::Unsubscribe { channels: a.to_vec(), patterns: true })),
    row("publish", 3, LOADING, |a| Ok(Command::Publish { channel: first(a), message: a[1].clone() })),
    row("pubsub|channels", -2, LOADING, channels),
    row("pubsub|numsub", -2, LOADING, |a| Ok(Command::Subscribers { channels: a.to_vec() })),
    row("pubsub|numpat", 2, LOADING, |_| Ok(Command::PatternCount)),
    // Connections and the server.
    row("ping", -1, SUBSCRIBED, ping),
    row("echo", 2, LOADING, |a| Ok(Command::Echo { message: first(a) })),
    row("select", 2, LOADING, |a| Ok(Command::Select { db: parse::database(&a[0])? })),
    row("quit", -1, LOADING | SUBSCRIBED | UNQUEUED | NO_SCRIPT, |_| Ok(Command::Quit)),
    row("reset", 1, LOADING | SUBSCRIBED | UNQUEUED | NO_SCRIPT, |_| Ok(Command::Reset)),
    row("time", 1, LOADING, |_| Ok(Command::Time)),
    row("info", -1, LOADING, |a| Ok(Command::Info { sections: a.to_vec() })),
    row("config|get", -3, LOADING | NO_SCRIPT, |a| Ok(Command::ConfigGet { patterns: a.to_vec() })),
    row("config|set", -4, LOADING | NO_SCRIPT, config_set),
    row("save", 1, NO_SCRIPT, |_| Ok(Command::Save { background: false })),
    row("bgsave", -1, NO_SCRIPT, |_| Ok(Command::Save { background: true })),
    row("lastsave", 1, LOADING, |_| Ok(Command::LastSave)),
    row("shutdown", -1, LOADING | NO_SCRIPT, parse::shutdown),
    row("client|id", 2, LOADING | NO_SCRIPT, |_| Ok(Command::ClientId)),
    row("client|getname", 2, LOADING | NO_SCRIPT, |_| Ok(Command::ClientGetName)),
    row("client|setname", 3, LOADING | NO_SCRIPT, |a| Ok(Command::ClientSetName { name: first(a) })),
    row("client|unblock", -3, LOADING | NO_SCRIPT, parse::client_unblock),
    row("eval", -3, NO_SCRIPT, parse::eval),
];
