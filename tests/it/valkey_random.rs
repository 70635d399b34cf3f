//! Random commands from several clients: what must hold after every step, whatever they are. With `GLASSHIVE_REAL=1`
//! the real server gets the same commands, and must give the same replies.

use super::support::for_seeds;
use super::valkey_cases::{Model, Server, notation};
use super::valkey_real::RealServer;
use glasshive::kernel::Rng;
use glasshive::substrate::valkey::{Config, Disk, Persistence, Reply, Version};
use std::collections::BTreeMap;

const STEPS: usize = 120;
const BLOCKING: [&str; 5] = ["BRPOP", "BLPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP"];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len() as u64) as usize]
}

fn key<'a>(rng: &mut Rng) -> &'a str {
    pick(rng, &["q", "r", "s", "h", "none"])
}

/// A value, or what stands where a number should.
fn word<'a>(rng: &mut Rng) -> &'a str {
    pick(
        rng,
        &["a", "b", "1", "2", "-1", "0", "3", "-2", "1.5", "x", "", "007", "9223372036854775807", "-5", "10"],
    )
}

/// A command of the right shape more often than not.
pub fn command(rng: &mut Rng) -> Vec<String> {
    const SHAPES: [&str; 84] = [
        "LPUSH K W W",
        "RPUSH K W",
        "LPUSHX K W",
        "RPUSHX K W W",
        "LPOP K",
        "RPOP K",
        "LPOP K N",
        "RPOP K N",
        "LLEN K",
        "LRANGE K N N",
        "LREM K N W",
        "LINDEX K N",
        "LINSERT K BEFORE W W",
        "LINSERT K AFTER W W",
        "LINSERT K MID W W",
        "LPOS K W",
        "LPOS K W RANK N",
        "LPOS K W COUNT N",
        "LPOS K W RANK N COUNT N MAXLEN N",
        "LSET K N W",
        "LTRIM K N N",
        "LMOVE K K LEFT RIGHT",
        "LMOVE K K RIGHT LEFT",
        "LMOVE K K UP LEFT",
        "RPOPLPUSH K K",
        "LMPOP 1 K LEFT",
        "LMPOP 2 K K RIGHT COUNT N",
        "LMPOP N K LEFT COUNT 2",
        "SET K W",
        "SET K W NX",
        "SET K W XX",
        "SET K W GET",
        "SET K W NX GET",
        "SET K W EX N",
        "SET K W PX 100000",
        "SET K W NX XX",
        "SET K W KEEPTTL",
        "SET K W EX 5 PX 5",
        "SET K W FOO",
        "GET K",
        "GETSET K W",
        "GETDEL K",
        "GETEX K EX N",
        "GETEX K PERSIST",
        "INCR K",
        "DECR K",
        "INCRBY K N",
        "DECRBY K N",
        "INCRBYFLOAT K N",
        "APPEND K W",
        "STRLEN K",
        "GETRANGE K N N",
        "SETRANGE K N W",
        "MGET K K",
        "MSET K W K W",
        "MSET K W K",
        "MSETNX K W K W",
        "SETNX K W",
        "SETEX K N W",
        "PSETEX K 100000 W",
        "HSET h W W W W",
        "HSET K W W",
        "HSET K W W W",
        "HSETNX K W W",
        "HGET K W",
        "HMGET K W W",
        "HGETALL K",
        "HKEYS K",
        "HVALS K",
        "HDEL K W W",
        "HLEN K",
        "HEXISTS K W",
        "HSTRLEN K W",
        "HINCRBY K W N",
        "HINCRBYFLOAT K W N",
        "DEL K K",
        "EXISTS K K",
        "TYPE K",
        "RENAME K K",
        "RENAMENX K K",
        "COPY K K",
        "COPY K K REPLACE",
        "EXPIRE K N",
        "PERSIST K",
    ];
    const MORE: [&str; 32] = [
        "EXPIRE K 100 NX",
        "EXPIRE K 100 XX",
        "EXPIRE K 50 GT",
        "EXPIRE K 50 LT",
        "EXPIRE K 50 NX GT",
        "EXPIRE K 50 GT LT",
        "EXPIRE K 10 FOO",
        "EXPIREAT K N",
        "PEXPIRE K 500000",
        "TTL K",
        "DBSIZE",
        "MOVE K N",
        "SELECT N",
        "MULTI",
        "EXEC",
        "EXEC",
        "DISCARD",
        "WATCH K",
        "UNWATCH",
        "PING",
        "PING W",
        "PING W W",
        "ECHO W",
        "NOSUCH W K",
        "CONFIG GET hz",
        "CONFIG NOPE",
        "CONFIG",
        "PUBSUB NUMPAT",
        "TOUCH K",
        "HSCAN K 0",
        "EVAL redis.call('LPUSH','q','x');return_redis.call('LLEN','q') 0",
        "CLIENT UNBLOCK N",
    ];
    let all = SHAPES.len() + MORE.len();
    let place = rng.below(all as u64) as usize;
    let shape = SHAPES.iter().chain(&MORE).nth(place).expect("a shape");
    let mut words: Vec<String> = shape
        .split(' ')
        .map(|part| match part {
            "K" => key(rng).to_owned(),
            "W" | "N" => word(rng).to_owned(),
            literal => literal.replace("return_", "return "),
        })
        .collect();
    if rng.chance(0.05) {
        words.push(word(rng).to_owned());
    }
    if rng.chance(0.05) && words.len() > 1 {
        words.pop();
    }
    words
}

/// One that may block.
fn blocking(rng: &mut Rng) -> Vec<String> {
    let name = pick(rng, &BLOCKING);
    let wait = pick(rng, &["0", "0", "0", "100", "-1", "x"]);
    let text = match name {
        "BLMOVE" => format!("BLMOVE {} {} {} {} {wait}", key(rng), key(rng), side(rng), side(rng)),
        "BRPOPLPUSH" => format!("BRPOPLPUSH {} {} {wait}", key(rng), key(rng)),
        "BLMPOP" => format!("BLMPOP {wait} 2 {} {} {} COUNT 2", key(rng), key(rng), side(rng)),
        _ => format!("{name} {} {} {wait}", key(rng), key(rng)),
    };
    text.split(' ').map(str::to_owned).collect()
}

fn side<'a>(rng: &mut Rng) -> &'a str {
    pick(rng, &["LEFT", "RIGHT"])
}

/// Replies of one step by connection; what time changes is left out.
fn by_connection(arrived: &[(char, Reply, f64)]) -> BTreeMap<char, Vec<String>> {
    let mut replies: BTreeMap<char, Vec<String>> = BTreeMap::new();
    for (conn, reply, _) in arrived {
        replies.entry(*conn).or_default().push(notation(reply));
    }
    replies
}

/// Asks on a connection of its own.
fn ask(server: &mut Model, command: &str) -> Reply {
    server.send('Z', &[command.split(' ').map(str::to_owned).collect()]);
    let arrived = server.listen(0);
    arrived.into_iter().next().map(|(_, reply, _)| reply).expect("a reply")
}

#[test]
fn random_commands_keep_the_store_in_order() {
    for_seeds("random_commands_keep", 0..400, |seed| {
        let mut rng = Rng::new(seed);
        let mut model = Model::new(Config::new([Version::Redis7, Version::Valkey8][seed as usize % 2]));
        for step in 0..STEPS {
            let conn = ['A', 'B', 'C', 'D'][rng.below(4) as usize];
            let words = if rng.chance(0.2) { blocking(&mut rng) } else { command(&mut rng) };
            model.send(conn, std::slice::from_ref(&words));
            let arrived = model.listen(rng.below(50));
            check_keys(&mut model, &format!("seed {seed} step {step} {words:?} {arrived:?}"));
        }
    });
}

/// No empty list or hash exists, and nobody waits for a list that is there.
fn check_keys(model: &mut Model, at: &str) {
    for db in 0..4 {
        ask(model, &format!("SELECT {db}"));
        for key in ["q", "r", "s", "h", "none"] {
            let Reply::Simple(kind) = ask(model, &format!("TYPE {key}")) else { panic!("{at}: no type") };
            let len = match &*kind {
                "list" => ask(model, &format!("LLEN {key}")),
                "hash" => ask(model, &format!("HLEN {key}")),
                _ => continue,
            };
            assert!(matches!(len, Reply::Int(1..)), "{at}: {key} is an empty {kind}");
            let waiting = kind == "list" && model.store().0.waits_for(db, key.as_bytes()) > 0;
            assert!(!waiting, "{at}: somebody waits for {key}, which is there");
        }
    }
}

/// Every key with all that it holds.
fn contents(model: &mut Model) -> Vec<(String, Reply)> {
    let mut found = Vec::new();
    for db in 0..4 {
        ask(model, &format!("SELECT {db}"));
        for key in ["q", "r", "s", "h", "none"] {
            let Reply::Simple(kind) = ask(model, &format!("TYPE {key}")) else { panic!("no type") };
            let look = match &*kind {
                "list" => format!("LRANGE {key} 0 -1"),
                "hash" => format!("HGETALL {key}"),
                "string" => format!("GET {key}"),
                _ => continue,
            };
            found.push((format!("{db} {key} expires"), ask(model, &format!("PEXPIRETIME {key}"))));
            found.push((format!("{db} {key}"), ask(model, &look)));
        }
    }
    found
}

#[test]
fn a_server_finds_on_disk_what_the_last_snapshot_saw() {
    for_seeds("a_server_finds_on_disk", 0..150, |seed| {
        let mut rng = Rng::new(seed);
        let (disk, mut config) = (Disk::new(), Config::new(Version::Redis7));
        config.persistence = Persistence::Snapshots(Vec::new());
        let mut model = Model::on_disk(config.clone(), disk.clone());
        let mut saved = Vec::new();
        for step in 0..STEPS {
            let conn = ['A', 'B', 'C'][rng.below(3) as usize];
            let words = if rng.chance(0.1) { blocking(&mut rng) } else { command(&mut rng) };
            model.send(conn, &[words]);
            model.listen(rng.below(5));
            if rng.chance(0.1) {
                ask(&mut model, "SAVE");
                saved = contents(&mut model);
            }
            if rng.chance(0.05) {
                // The process is killed, and another one starts.
                model = Model::on_disk(config.clone(), disk.clone());
                assert_eq!(contents(&mut model), saved, "seed {seed} step {step}");
            }
        }
    });
}

#[test]
fn whoever_waited_first_is_served_first() {
    for_seeds("whoever_waited_first", 0..300, |seed| {
        let mut rng = Rng::new(seed);
        let mut model = Model::new(Config::new([Version::Redis7, Version::Valkey8][seed as usize % 2]));
        let (mut waiting, mut next, mut pushed, mut taken) = (Vec::new(), 0u32, 0, 0);
        for _ in 0..200 {
            if rng.chance(0.55) && waiting.len() < 20 {
                let conn = char::from_u32('a' as u32 + next % 26).expect("a letter");
                next += 1;
                let name = pick(
                    &mut rng,
                    &["BRPOP q 0", "BLPOP q 0", "BLMOVE q done RIGHT LEFT 0", "BLMPOP 0 1 q LEFT"],
                );
                model.send(conn, &[name.split(' ').map(str::to_owned).collect()]);
                match model.listen(0).as_slice() {
                    [] => waiting.push(conn),
                    [(other, ..)] => {
                        assert_eq!((*other, waiting.len()), (conn, 0), "only an empty queue is waited for");
                        taken += 1;
                    }
                    more => panic!("{more:?}"),
                }
            } else {
                let items = 1 + rng.below(3);
                let mut words = vec![pick(&mut rng, &["LPUSH", "RPUSH"]).to_owned(), "q".to_owned()];
                words.extend((0..items).map(|i| format!("j{i}")));
                model.send('Z', &[words]);
                pushed += items;
                let served: Vec<char> = model.listen(0).iter().map(|a| a.0).filter(|&c| c != 'Z').collect();
                taken += served.len() as u64;
                let expected: Vec<char> = waiting.drain(..served.len()).collect();
                assert_eq!(served, expected);
                assert!(waiting.is_empty() || served.len() as u64 == items, "somebody was passed over");
            }
        }
        let Reply::Int(left) = ask(&mut model, "LLEN q") else { panic!("no length") };
        assert_eq!(taken + left as u64, pushed, "every element went to one client or is still there");
    });
}

#[test]
fn conformance_store_random_commands_on_model_and_real_server() {
    let Some(binary) = RealServer::wanted(Version::Redis7) else { return };
    let mut real = RealServer::start(&binary);
    let mut wrong = Vec::new();
    for seed in 0..std::env::var("GLASSHIVE_RANDOM").ok().and_then(|n| n.parse().ok()).unwrap_or(50) {
        real.reset();
        let mut rng = Rng::new(seed);
        let mut model = Model::new(Config::new(Version::Redis7));
        let (mut log, mut patience) = (Vec::new(), 3000);
        for _ in 0..STEPS {
            let conn = ['A', 'B', 'C'][rng.below(3) as usize];
            let words = if rng.chance(0.15) { blocking(&mut rng) } else { command(&mut rng) };
            log.push(format!("{conn}> {}", words.join(" ")));
            // Ids of clients differ: a real server that has been up for a while counts on.
            if words[0] == "CLIENT" {
                continue;
            }
            model.send(conn, std::slice::from_ref(&words));
            real.send(conn, std::slice::from_ref(&words));
            let got = model.listen(2);
            let mut arrived = real.listen(1);
            let late = |arrived: &Vec<_>| arrived.len() < got.len();
            while late(&arrived) && patience > 0 {
                arrived.extend(real.listen(1));
                patience -= 1;
            }
            let (expected, got) = (by_connection(&arrived), by_connection(&got));
            if expected != got {
                let last = log.len().saturating_sub(12);
                wrong.push(format!("seed {seed}: {:#?}\n real  {expected:?}\n model {got:?}", &log[last..]));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} runs differ\n{}", wrong.len(), wrong.join("\n"));
}
