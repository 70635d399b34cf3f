//! Cursors over keys and hashes, scripts by their digests, and HELLO.

use super::super::command::Command;
use super::super::keyspace::Keyspace;
use super::super::number::parse_int;
use super::super::parse;
use super::super::parse::is;
use super::super::reply::{Answer, Bytes, ErrorText, Reply, error, repeated};
use super::super::scan;
use super::super::store::{ConnId, Store};

pub(super) fn scan(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&a[0])?;
    let options = scan::Options::read(&a[1..], true)?;
    let items = keyspace.keys_of(keyspace.db).into_iter().map(|key| (key, Vec::new())).collect();
    let kind = options.kind.as_ref().map(|kind| kind.to_ascii_lowercase());
    // What is of another kind has its place in the table, but is not told; what has expired goes as it is met.
    options.answer_with(cursor, items, true, |key| {
        let found = keyspace.value(key).map(|value| value.type_name().as_bytes());
        found.is_some_and(|found| kind.as_ref().is_none_or(|kind| found == kind))
    })
}

pub(super) fn hash_scan(keyspace: &mut Keyspace, a: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&a[1])?;
    let Some(hash) = keyspace.hash(&a[0])? else { return Ok(scan::nothing()) };
    let (items, hashed) = (hash.iter().map(|(name, value)| (name, vec![value])).collect(), hash.is_hashed());
    scan::Options::read(&a[2..], false)?.answer(cursor, items, hashed)
}

const NO_SCRIPT: ErrorText = error("NOSCRIPT No matching script. Please use EVAL.");

pub(super) fn eval_sha(store: &mut Store, id: ConnId, a: &[Bytes]) -> Answer {
    if a[0].len() != 40 {
        return Err(NO_SCRIPT);
    }
    let command = parse::eval(a)?;
    let Command::Eval { script, keys, arguments } = command else { return Err(NO_SCRIPT) };
    let text = store.digests.get(&Bytes::from(script.to_ascii_lowercase())).cloned().ok_or(NO_SCRIPT)?;
    store.eval(id, &text, &keys, &arguments)
}

pub(super) fn script_load(store: &mut Store, _: ConnId, a: &[Bytes]) -> Answer {
    store.load_script(&a[0]).map(Reply::bulk)
}

pub(super) fn script_exists(store: &mut Store, _: ConnId, a: &[Bytes]) -> Answer {
    let known = |digest: &Bytes| store.digests.contains_key(&Bytes::from(digest.to_ascii_lowercase()));
    Ok(Reply::Array(a.iter().map(|digest| Reply::Int(i64::from(known(digest)))).collect()))
}

pub(super) fn script_flush(store: &mut Store, _: ConnId, a: &[Bytes]) -> Answer {
    match a {
        [] => {}
        [word] if is(word, "sync") || is(word, "async") => {}
        _ => return Err(error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")),
    }
    store.forget_scripts();
    Ok(Reply::OK)
}

/// Only the second version of the protocol is spoken here.
pub(super) fn hello(store: &mut Store, id: ConnId, a: &[Bytes]) -> Answer {
    if let Some(version) = a.first() {
        let version =
            parse_int(version).ok_or(error("ERR Protocol version is not an integer or out of range"))?;
        if version != 2 {
            return Err(error("NOPROTO unsupported protocol version"));
        }
    }
    let mut rest = a.get(1..).unwrap_or_default();
    while let [word, after @ ..] = rest {
        rest = match after {
            // The default user has no password, which any is.
            [user, _, next @ ..] if is(word, "auth") => {
                if &**user != b"default" {
                    return Err(error("WRONGPASS invalid username-password pair or user is disabled."));
                }
                next
            }
            [name, next @ ..] if is(word, "setname") => {
                store.on_server(id, &Command::ClientSetName { name: name.clone() })?;
                next
            }
            _ => return Err(format!("ERR Syntax error in HELLO option '{}'", repeated(word)).into()),
        };
    }
    let version = store.version();
    let rows = [
        ("server", Reply::bulk(version.name().to_ascii_lowercase())),
        ("version", Reply::bulk(version.number())),
        ("proto", Reply::Int(2)),
        ("id", Reply::Int(id.0 as i64)),
        ("mode", Reply::bulk("standalone")),
        ("role", Reply::bulk("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Array(rows.into_iter().flat_map(|(name, value)| [Reply::bulk(name), value]).collect()))
}

/// Of a client's line what has a meaning here.
pub(super) fn client_info(store: &mut Store, id: ConnId, _: &[Bytes]) -> Answer {
    let Some(client) = store.clients.get(&id) else { return Ok(Reply::NilBulk) };
    let (name, db) = (String::from_utf8_lossy(&client.name), client.db);
    Ok(Reply::bulk(format!(
        "id={} name={name} age=0 idle=0 db={db} cmd=client|info user=default resp=2\n",
        id.0
    )))
}
