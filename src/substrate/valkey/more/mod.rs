//! What queues of other makes ask of the server, and none of the systems here: sets, sorted sets, streams, floating-point
//! counters, cursors, scripts by their digests. The page's programs are built without it: nothing in them can send these
//! commands, and their weight is a download. `GLASSHIVE_REAL=1 cargo test --test fuzz` compares it with the real server.

mod extended;
mod floats;
mod groups;
mod lex;
mod lua;
mod lua_reader;
mod protocol;
mod reading;
mod sets;
mod sorted;
mod streams;

pub(super) use floats::{double_text, millis};
pub(super) use lua::Script;
pub(super) use reading::Reading;

use super::command::{Attempt, Command, Handler};
use super::keyspace::Keyspace;
use super::parse::{self, Arguments, Parsed};
use super::reply::{Bytes, ErrorText, Reply};
use super::table::{GROWS, LOADING, NO_SCRIPT, NO_SCRIPT_7, Spec, row};

/// A value of these kinds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum More {
    /// Members.
    Set(sets::Set),
    /// Members with scores.
    Sorted(sorted::Sorted),
    /// Entries with ids.
    Stream(Box<streams::Stream>),
}

impl More {
    /// The name that TYPE answers.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            More::Set(_) => "set",
            More::Sorted(_) => "zset",
            More::Stream(_) => "stream",
        }
    }

    /// A stream without entries stays.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            More::Set(set) => set.len() == 0,
            More::Sorted(set) => set.len() == 0,
            More::Stream(_) => false,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            More::Set(set) => set.size(),
            More::Sorted(set) => set.size(),
            More::Stream(stream) => stream.size(),
        }
    }
}

fn on(run: Handler, a: Arguments) -> Parsed {
    Ok(Command::On(run, a.to_vec()))
}

type Run = fn(&mut Keyspace, &mut Attempt) -> Result<Option<Reply>, ErrorText>;

/// BZPOPMIN and BZPOPMAX.
fn pop_sorted(a: Arguments, run: Run) -> Parsed {
    let (timeout, keys) = a.split_last().ok_or(super::reply::SYNTAX)?;
    let wait = Some(parse::wait(timeout)?);
    Ok(Command::Await(Box::new(Attempt { run, keys: keys.to_vec(), kind: "zset", wait, reading: None })))
}

/// XGROUP's subcommand, which its handler reads as well.
fn group(name: &'static [u8], a: Arguments) -> Parsed {
    let words: Vec<Bytes> = [&[Bytes::from(name)], a].concat();
    Ok(Command::On(groups::manage, words))
}

#[rustfmt::skip]
pub(super) static TABLE: &[Spec] = &[
    // Numbers with a point.
    row("incrbyfloat", 3, GROWS, |a| on(Keyspace::add_float, a)),
    row("hincrbyfloat", 4, GROWS, |a| on(Keyspace::hash_add_float, a)),
    // Cursors.
    row("scan", -2, 0, |a| on(protocol::scan, a)),
    row("hscan", -3, 0, |a| on(protocol::hash_scan, a)),
    row("sscan", -3, 0, |a| on(sets::scan, a)),
    row("zscan", -3, 0, |a| on(sorted::scan, a)),
    // Sets.
    row("sadd", -3, GROWS, |a| on(sets::add, a)),
    row("srem", -3, 0, |a| on(sets::remove, a)),
    row("sismember", 3, 0, |a| on(sets::is_member, a)),
    row("smismember", -3, 0, |a| on(sets::are_members, a)),
    row("scard", 2, 0, |a| on(sets::count, a)),
    row("smembers", 2, 0, |a| on(sets::members, a)),
    row("smove", 4, 0, |a| on(sets::transfer, a)),
    row("sinter", -2, 0, |a| on(sets::inter, a)),
    row("sunion", -2, 0, |a| on(sets::union, a)),
    row("sdiff", -2, 0, |a| on(sets::diff, a)),
    row("sinterstore", -3, GROWS, |a| on(sets::inter_store, a)),
    row("sunionstore", -3, GROWS, |a| on(sets::union_store, a)),
    row("sdiffstore", -3, GROWS, |a| on(sets::diff_store, a)),
    row("sintercard", -3, 0, |a| on(sets::inter_count, a)),
    row("spop", -2, 0, |a| on(sets::pop, a)),
    row("srandmember", -2, 0, |a| on(sets::random, a)),
    // Sorted sets.
    row("zadd", -4, GROWS, |a| on(sorted::add, a)),
    row("zincrby", 4, GROWS, |a| on(sorted::increase, a)),
    row("zrem", -3, 0, |a| on(sorted::remove, a)),
    row("zcard", 2, 0, |a| on(sorted::count, a)),
    row("zscore", 3, 0, |a| on(sorted::score_of, a)),
    row("zmscore", -3, 0, |a| on(sorted::scores_of, a)),
    row("zrank", 3, 0, |a| on(sorted::rank, a)),
    row("zrevrank", 3, 0, |a| on(sorted::reverse_rank, a)),
    row("zcount", 4, 0, |a| on(sorted::count_by_score, a)),
    row("zlexcount", 4, 0, |a| on(sorted::count_by_lex, a)),
    row("zrange", -4, 0, |a| on(sorted::range_of, a)),
    row("zrevrange", -4, 0, |a| on(sorted::reverse_range, a)),
    row("zrangebyscore", -4, 0, |a| on(sorted::range_by_score, a)),
    row("zrevrangebyscore", -4, 0, |a| on(sorted::reverse_range_by_score, a)),
    row("zrangebylex", -4, 0, |a| on(sorted::range_by_lex, a)),
    row("zrevrangebylex", -4, 0, |a| on(sorted::reverse_range_by_lex, a)),
    row("zremrangebyrank", 4, 0, |a| on(sorted::remove_by_rank, a)),
    row("zremrangebyscore", 4, 0, |a| on(sorted::remove_by_score, a)),
    row("zremrangebylex", 4, 0, |a| on(sorted::remove_by_lex, a)),
    row("zpopmin", -2, 0, |a| on(sorted::pop_least, a)),
    row("zpopmax", -2, 0, |a| on(sorted::pop_greatest, a)),
    row("bzpopmin", -3, NO_SCRIPT_7, |a| pop_sorted(a, sorted::await_least)),
    row("bzpopmax", -3, NO_SCRIPT_7, |a| pop_sorted(a, sorted::await_greatest)),
    // Streams.
    row("xadd", -5, GROWS, |a| on(streams::add, a)),
    row("xlen", 2, 0, |a| on(streams::count, a)),
    row("xrange", -4, 0, |a| on(streams::range, a)),
    row("xrevrange", -4, 0, |a| on(streams::reverse_range, a)),
    row("xdel", -3, 0, |a| on(streams::delete, a)),
    row("xtrim", -4, 0, |a| on(streams::trim, a)),
    row("xread", -4, 0, reading::read),
    row("xreadgroup", -7, 0, reading::read_group),
    row("xack", -4, 0, |a| on(groups::acknowledge, a)),
    row("xpending", -3, 0, |a| on(groups::pending, a)),
    row("xclaim", -6, 0, |a| on(groups::claim, a)),
    row("xautoclaim", -6, 0, |a| on(groups::claim_idle, a)),
    row("xgroup|create", -5, GROWS, |a| group(b"CREATE", a)),
    row("xgroup|setid", -5, 0, |a| group(b"SETID", a)),
    row("xgroup|destroy", 4, 0, |a| group(b"DESTROY", a)),
    row("xgroup|createconsumer", 5, GROWS, |a| group(b"CREATECONSUMER", a)),
    row("xgroup|delconsumer", 5, 0, |a| group(b"DELCONSUMER", a)),
    // Scripts by their digests, and the protocol.
    row("evalsha", -3, NO_SCRIPT, |a| Ok(Command::OnStore(protocol::eval_sha, a.to_vec()))),
    row("script|load", 3, NO_SCRIPT, |a| Ok(Command::OnStore(protocol::script_load, a.to_vec()))),
    row("script|exists", -3, NO_SCRIPT, |a| Ok(Command::OnStore(protocol::script_exists, a.to_vec()))),
    row("script|flush", -2, NO_SCRIPT, |a| Ok(Command::OnStore(protocol::script_flush, a.to_vec()))),
    row("client|info", 2, LOADING | NO_SCRIPT, |a| Ok(Command::OnStore(protocol::client_info, a.to_vec()))),
    row("hello", -1, LOADING | NO_SCRIPT, |a| Ok(Command::OnStore(protocol::hello, a.to_vec()))),
];
