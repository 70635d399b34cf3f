//! From arguments to commands: one small function for each shape. The server checks that a command exists and has a
//! fitting number of arguments before it looks at them; `table.rs` has seen to that when these are called.

use super::command::{Command, End, ExpireIf, Expiry, Only, SetExpiry};
use super::number::{parse_count, parse_int};
use super::reply::{Bytes, ErrorText, NOT_AN_INTEGER, NOT_POSITIVE, OUT_OF_RANGE, SYNTAX, error, repeated};

/// The arguments without the command's name.
pub(super) type Arguments<'a> = &'a [Bytes];
pub(super) type Parsed = Result<Command, ErrorText>;

pub(super) fn int(text: &[u8]) -> Result<i64, ErrorText> {
    parse_int(text).ok_or(NOT_AN_INTEGER)
}

/// The number of a database.
pub(super) fn database(text: &[u8]) -> Result<usize, ErrorText> {
    let n = i32::try_from(int(text)?)
        .map_err(|_| error("ERR value is out of range, value must between -2147483648 and 2147483647"))?;
    let n = usize::try_from(n).ok().filter(|&n| n < super::keyspace::DATABASES);
    n.ok_or(error("ERR DB index is out of range"))
}

pub(super) fn is(word: &[u8], expected: &str) -> bool {
    word.eq_ignore_ascii_case(expected.as_bytes())
}

fn end(word: &[u8]) -> Result<End, ErrorText> {
    match () {
        () if is(word, "left") => Ok(End::Left),
        () if is(word, "right") => Ok(End::Right),
        () => Err(SYNTAX),
    }
}

/// Seconds with a fraction, rounded up to milliseconds.
pub(super) fn wait(text: &[u8]) -> Result<u64, ErrorText> {
    let millis = millis(text).ok_or(error("ERR timeout is not a float or out of range"))?;
    u64::try_from(millis).map_err(|_| error("ERR timeout is negative"))
}

#[cfg(not(target_arch = "wasm32"))]
use super::more::millis;

/// What is beyond the machine's integers is their least, as its processor has it.
#[cfg(target_arch = "wasm32")]
fn millis(text: &[u8]) -> Option<i64> {
    let millis = (super::number::parse_float(text)? * 1000.0).ceil();
    Some(if millis < i64::MAX as f64 { millis as i64 } else { i64::MIN })
}

pub(super) fn pairs(items: Arguments) -> Vec<(Bytes, Bytes)> {
    items.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

// --- lists --------------------------------------------------------------------------------------------------------

pub(super) fn push(a: Arguments, end: End, only_old: bool) -> Parsed {
    Ok(Command::Push { key: a[0].clone(), end, items: a[1..].to_vec(), only_old })
}

pub(super) fn pop(a: Arguments, end: End, name: &str) -> Parsed {
    let count = match a {
        [_] => None,
        [_, count] => Some(parse_count(count).ok_or(NOT_POSITIVE)? as usize),
        _ => return Err(wrong_number(name)),
    };
    Ok(Command::Pop { key: a[0].clone(), end, count })
}

pub(super) fn pop_first(a: Arguments, end: End) -> Parsed {
    let (timeout, keys) = a.split_last().ok_or(SYNTAX)?;
    Ok(Command::PopFirst { keys: keys.to_vec(), end, wait: wait(timeout)? })
}

pub(super) fn pop_many(a: Arguments, blocking: bool) -> Parsed {
    let (timeout, a) = if blocking { (Some(&a[0]), &a[1..]) } else { (None, a) };
    let count = parse_int(&a[0]).filter(|&n| n > 0);
    let numkeys = count.ok_or(error("ERR numkeys should be greater than 0"))? as usize;
    let rest = numkeys.checked_add(1).and_then(|from| a.get(from..)).filter(|rest| !rest.is_empty());
    let (side, options) = rest.and_then(|rest| rest.split_first()).ok_or(SYNTAX)?;
    let end = end(side)?;
    let count = match options {
        [] => 1,
        [word, count, rest @ ..] if is(word, "count") => {
            let count = parse_int(count).filter(|&n| n > 0);
            let count = count.ok_or(error("ERR count should be greater than 0"))? as usize;
            if !rest.is_empty() {
                return Err(SYNTAX);
            }
            count
        }
        _ => return Err(SYNTAX),
    };
    // The time is looked at last.
    let wait = timeout.map(|timeout| wait(timeout)).transpose()?;
    Ok(Command::PopMany { keys: a[1..=numkeys].to_vec(), end, count, wait })
}

pub(super) fn list_move(a: Arguments, blocking: bool) -> Parsed {
    let (from, to) = (end(&a[2])?, end(&a[3])?);
    let wait = if blocking { Some(wait(&a[4])?) } else { None };
    Ok(Command::Move { source: a[0].clone(), target: a[1].clone(), from, to, wait })
}

pub(super) fn right_to_left(a: Arguments, blocking: bool) -> Parsed {
    let wait = if blocking { Some(wait(&a[2])?) } else { None };
    let (source, target) = (a[0].clone(), a[1].clone());
    Ok(Command::Move { source, target, from: End::Right, to: End::Left, wait })
}

pub(super) fn list_insert(a: Arguments) -> Parsed {
    let before = match () {
        () if is(&a[1], "before") => true,
        () if is(&a[1], "after") => false,
        () => return Err(SYNTAX),
    };
    Ok(Command::ListInsert { key: a[0].clone(), before, pivot: a[2].clone(), item: a[3].clone() })
}

pub(super) fn list_position(a: Arguments) -> Parsed {
    let (mut rank, mut count, mut longest) = (1, None, 0);
    let mut options = a[2..].chunks_exact(2);
    for option in &mut options {
        let (word, value) = (&option[0], &option[1]);
        match () {
            () if is(word, "rank") => {
                rank = int(value)?;
                if rank == 0 {
                    return Err(error(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
                    ));
                }
            }
            () if is(word, "count") => {
                count = Some(parse_count(value).ok_or(error("ERR COUNT can't be negative"))? as usize);
            }
            () if is(word, "maxlen") => {
                longest = parse_count(value).ok_or(error("ERR MAXLEN can't be negative"))? as usize;
            }
            () => return Err(SYNTAX),
        }
    }
    if !options.remainder().is_empty() {
        return Err(SYNTAX);
    }
    if rank == i64::MIN {
        // The server's number overflows: any match from the end on will do, however many are asked for.
        (rank, count) = (-1, count.map(|_| 0));
    }
    Ok(Command::ListPosition { key: a[0].clone(), item: a[1].clone(), rank, count, longest })
}

// --- strings ------------------------------------------------------------------------------------------------------

/// `amount` of seconds or milliseconds, from now or since 1970, for the command `name`.
pub(super) fn expiry(
    amount: &[u8],
    seconds: bool,
    absolute: bool,
    name: &'static str,
) -> Result<Expiry, ErrorText> {
    let amount = int(amount)?;
    let millis = if seconds { amount.checked_mul(1000) } else { Some(amount) };
    let millis = millis.ok_or_else(|| invalid_expiry(name))?;
    Ok(if absolute { Expiry::At(millis) } else { Expiry::In(millis) })
}

pub(super) fn invalid_expiry(name: &str) -> ErrorText {
    format!("ERR invalid expire time in '{name}' command").into()
}

/// The expiry of SET, SETEX and GETEX, which has to be positive.
pub(super) fn set_expiry(amount: &[u8], word: &[u8], name: &'static str) -> Result<Expiry, ErrorText> {
    let (seconds, absolute) = match () {
        () if is(word, "ex") => (true, false),
        () if is(word, "px") => (false, false),
        () if is(word, "exat") => (true, true),
        () => (false, true),
    };
    let expiry = expiry(amount, seconds, absolute, name)?;
    let (Expiry::In(millis) | Expiry::At(millis)) = expiry;
    if millis <= 0 { Err(invalid_expiry(name)) } else { Ok(expiry) }
}

pub(super) fn is_expiry_word(word: &[u8]) -> bool {
    ["ex", "px", "exat", "pxat"].iter().any(|expected| is(word, expected))
}

pub(super) fn set(a: Arguments) -> Parsed {
    let (mut only, mut get, mut keep) = (None, false, false);
    let mut timed: Option<(&Bytes, &Bytes)> = None;
    let mut options = a[2..].iter();
    while let Some(word) = options.next() {
        match () {
            () if is(word, "nx") && only != Some(Only::Old) => only = Some(Only::New),
            () if is(word, "xx") && only != Some(Only::New) => only = Some(Only::Old),
            () if is(word, "get") => get = true,
            () if is(word, "keepttl") && timed.is_none() => keep = true,
            () if is_expiry_word(word) && timed.is_none() && !keep => {
                timed = Some((options.next().ok_or(SYNTAX)?, word));
            }
            () => return Err(SYNTAX),
        }
    }
    let expiry = match timed {
        Some((amount, word)) => SetExpiry::To(set_expiry(amount, word, "set")?),
        None if keep => SetExpiry::Keep,
        None => SetExpiry::Unsaid,
    };
    Ok(Command::Set { key: a[0].clone(), value: a[1].clone(), expiry, only, get })
}

pub(super) fn set_for(a: Arguments, seconds: bool, name: &'static str) -> Parsed {
    let expiry = set_expiry(&a[1], if seconds { b"ex" } else { b"px" }, name)?;
    Ok(Command::SetFor { key: a[0].clone(), value: a[2].clone(), expiry, name })
}

pub(super) fn get_expire(a: Arguments) -> Parsed {
    let expiry = match &a[1..] {
        [] => Ok(SetExpiry::Unsaid),
        [word] if is(word, "persist") => Ok(SetExpiry::Clear),
        [word, amount] if is_expiry_word(word) => set_expiry(amount, word, "getex").map(SetExpiry::To),
        _ => return Err(SYNTAX),
    };
    Ok(Command::GetExpire { key: a[0].clone(), expiry })
}

pub(super) fn decrease_by(a: Arguments) -> Parsed {
    let amount = int(&a[1])?;
    let delta = amount.checked_neg().ok_or(error("ERR decrement would overflow"))?;
    Ok(Command::Add { key: a[0].clone(), delta })
}

pub(super) fn set_range(a: Arguments) -> Parsed {
    let offset = int(&a[1])?;
    if offset < 0 {
        return Err(error("ERR offset is out of range"));
    }
    Ok(Command::SetRange { key: a[0].clone(), offset, value: a[2].clone() })
}

pub(super) fn set_many(a: Arguments, only_new: bool, name: &str) -> Parsed {
    if a.len() % 2 == 1 {
        return Err(wrong_number(name));
    }
    Ok(Command::SetMany { pairs: pairs(a), only_new })
}

pub(super) fn wrong_number(name: &str) -> ErrorText {
    format!("ERR wrong number of arguments for '{name}' command").into()
}

// --- hashes -------------------------------------------------------------------------------------------------------

pub(super) fn hash_set(a: Arguments, counted: bool, name: &str) -> Parsed {
    if a.len().is_multiple_of(2) {
        return Err(wrong_number(name));
    }
    Ok(Command::HashSet { key: a[0].clone(), pairs: pairs(&a[1..]), counted })
}

// --- keys ---------------------------------------------------------------------------------------------------------

pub(super) fn expire(a: Arguments, seconds: bool, absolute: bool, name: &'static str) -> Parsed {
    let mut only = ExpireIf::default();
    for word in &a[2..] {
        match () {
            () if is(word, "nx") => only.none = true,
            () if is(word, "xx") => only.some = true,
            () if is(word, "gt") => only.later = true,
            () if is(word, "lt") => only.sooner = true,
            () => {
                return Err(format!("ERR Unsupported option {}", repeated(word)).into());
            }
        }
    }
    if only.none && (only.some || only.later || only.sooner) {
        return Err(error("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if only.later && only.sooner {
        return Err(error("ERR GT and LT options at the same time are not compatible"));
    }
    let expiry = expiry(&a[1], seconds, absolute, name)?;
    Ok(Command::Expire { key: a[0].clone(), expiry, only, name })
}

pub(super) fn copy(a: Arguments) -> Parsed {
    let (mut db, mut replace) = (None, false);
    let mut options = a[2..].iter();
    while let Some(word) = options.next() {
        match () {
            () if is(word, "replace") => replace = true,
            () if is(word, "db") => {
                db = Some(database(options.next().ok_or(SYNTAX)?)?);
            }
            () => return Err(SYNTAX),
        }
    }
    Ok(Command::Copy { from: a[0].clone(), to: a[1].clone(), db, replace })
}

pub(super) fn flush(a: Arguments, every: bool) -> Parsed {
    match a {
        [] => Ok(Command::Flush { every }),
        [word] if is(word, "sync") || is(word, "async") => Ok(Command::Flush { every }),
        _ => Err(SYNTAX),
    }
}

// --- the rest -----------------------------------------------------------------------------------------------------

pub(super) fn shutdown(a: Arguments) -> Parsed {
    let save = match a {
        [] => None,
        [word] if is(word, "save") => Some(true),
        [word] if is(word, "nosave") => Some(false),
        _ => return Err(SYNTAX),
    };
    Ok(Command::Shutdown { save })
}

pub(super) fn client_unblock(a: Arguments) -> Parsed {
    let with_error = match &a[1..] {
        [] => false,
        [word] if is(word, "timeout") => false,
        [word] if is(word, "error") => true,
        [_, _, ..] => {
            return Err(error(
                "ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.",
            ));
        }
        _ => return Err(error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    Ok(Command::ClientUnblock { id: int(&a[0])?, with_error })
}

pub(super) fn eval(a: Arguments) -> Parsed {
    let numkeys = int(&a[1])?;
    if numkeys < 0 {
        return Err(error("ERR Number of keys can't be negative"));
    }
    let rest = &a[2..];
    if numkeys as usize > rest.len() {
        return Err(error("ERR Number of keys can't be greater than number of args"));
    }
    let (keys, arguments) = rest.split_at(numkeys as usize);
    Ok(Command::Eval { script: a[0].clone(), keys: keys.to_vec(), arguments: arguments.to_vec() })
}

/// The place of an index that counts from the end when it is negative.
pub(super) fn place(index: i64, len: usize) -> Result<usize, ErrorText> {
    let at = if index < 0 { index.saturating_add(len as i64) } else { index };
    usize::try_from(at).ok().filter(|&at| at < len).ok_or(OUT_OF_RANGE)
}
