//! The recorded rows that no file of cases holds: scripts, unblocking, memory, durability, limits.

use super::valkey_cases::{Model, Server, notation};
use glasshive::kernel::{Duration, Instant};
use glasshive::substrate::valkey::{
    Config, ConnId, Disk, Effect, OutputLimit, Persistence, Reply, Store, Version, Words,
};

const VERSIONS: [Version; 2] = [Version::Redis7, Version::Valkey8];

fn send(model: &mut Model, conn: char, words: &[&str]) -> Vec<String> {
    model.send(conn, &[words.iter().map(|word| (*word).to_owned()).collect()]);
    let replies = model.listen(30);
    replies.iter().map(|(conn, reply, _)| format!("{conn}: {}", notation(reply))).collect()
}

fn line(model: &mut Model, conn: char, text: &str) -> Vec<String> {
    send(model, conn, &text.split(' ').collect::<Vec<_>>())
}

#[test]
fn conformance_brpop_lua_push_two_keys() {
    for (version, served) in [(Version::Redis7, "A: ['q2', 'x']"), (Version::Valkey8, "A: ['q1', 'y']")] {
        let mut model = Model::new(Config::new(version));
        line(&mut model, 'A', "BRPOP q1 q2 0");
        let script = "redis.call('LPUSH','q2','x');redis.call('LPUSH','q1','y')";
        assert_eq!(send(&mut model, 'D', &["EVAL", script, "0"]), ["D: $nil", served]);
    }
}

#[test]
fn conformance_brpop_in_lua() {
    let error = "D: -ERR This Redis command is not allowed from script script: \
                 20935c65ba120a564e3fcc3e2f4b8e3360d521d7, on @user_script:1.";
    for (version, reply) in [(Version::Redis7, error), (Version::Valkey8, "D: $nil")] {
        let mut model = Model::new(Config::new(version));
        assert_eq!(send(&mut model, 'D', &["EVAL", "return redis.call('BRPOP','q',0)", "0"]), [reply]);
    }
}

#[test]
fn scripts_are_sequences_of_calls_and_say_so_otherwise() {
    let mut model = Model::new(Config::new(Version::Redis7));
    let mut eval = |script: &str| send(&mut model, 'D', &["EVAL", script, "1", "k", "v w"]).remove(0);
    assert_eq!(eval("redis.call('SET', KEYS[1], ARGV[1])\nreturn redis.call('GET', 'k')"), "D: 'v w'");
    assert_eq!(eval("return 7"), "D: :7");
    assert!(eval("redis.call('LPUSH', 'k', 1)").starts_with("D: -WRONGTYPE Operation"));
    assert!(eval("return redis.pcall('LPUSH', 'k', 1)").ends_with("wrong kind of value"));
    assert!(
        eval("return redis.call('NOSUCH')").starts_with("D: -ERR Unknown Redis command called from script")
    );
    // As the real server answers them.
    for (script, reply) in
        [("local t = redis.call('TIME')", "D: $nil"), ("if 1 then end", "D: $nil"), ("return 1 + 1", "D: :2")]
    {
        assert_eq!(eval(script), reply, "{script}");
    }
    for script in ["redis.call('", "goto out"] {
        assert!(eval(script).contains("only sequences of redis.call"), "{script}");
    }
}

#[test]
fn conformance_client_unblock() {
    let error = "A: -UNBLOCKED client unblocked via CLIENT UNBLOCK";
    for version in VERSIONS {
        for (reason, answer) in [("", "A: *nil"), (" TIMEOUT", "A: *nil"), (" ERROR", error)] {
            let mut model = Model::new(Config::new(version));
            line(&mut model, 'A', "BRPOP q 0");
            let id = model.client_id('A');
            let unblock = format!("CLIENT UNBLOCK {id}{reason}");
            assert_eq!(line(&mut model, 'D', &unblock), [answer, "D: :1"]);
            assert_eq!(line(&mut model, 'D', &unblock), ["D: :0"]);
        }
    }
}

#[test]
fn conformance_config_defaults() {
    let mut model = Model::new(Config::new(Version::Redis7));
    for (name, value) in [
        ("hash-max-listpack-entries", "512"),
        ("hash-max-listpack-value", "64"),
        ("hz", "10"),
        ("maxmemory-policy", "noeviction"),
        ("timeout", "0"),
        ("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
        ("maxclients", "10000"),
        ("proto-max-bulk-len", "536870912"),
    ] {
        let reply = line(&mut model, 'D', &format!("CONFIG GET {name}"));
        assert_eq!(reply, [format!("D: ['{name}', '{value}']")]);
    }
}

#[test]
fn conformance_oom_noeviction() {
    for version in VERSIONS {
        let mut model = Model::new(Config::new(version));
        line(&mut model, 'D', "LPUSH q a");
        line(&mut model, 'D', "HSET h x 1");
        line(&mut model, 'D', "CONFIG SET maxmemory 1");
        let oom = "D: -OOM command not allowed when used memory > 'maxmemory'.";
        for (command, reply) in [
            ("LPUSH q c", oom),
            ("HSET h y 2", oom),
            ("BRPOP q 0", "D: ['q', 'a']"),
            ("HDEL h x", "D: :1"),
            ("GET k", "D: $nil"),
            ("PUBLISH ch m", "D: :0"),
            ("MULTI", "D: +OK"),
            ("DEL q", oom),
            ("EXEC", "D: -EXECABORT Transaction discarded because of previous errors."),
        ] {
            assert_eq!(line(&mut model, 'D', command), [reply], "{command}");
        }
    }
}

#[test]
fn conformance_brpop_timeout_lateness() {
    let mut store = Store::new(Config::new(Version::Redis7), Disk::new(), Instant::ZERO);
    let (id, _) = store.connect(Instant::ZERO);
    let (busy, _) = store.connect(Instant::ZERO);
    let words = |text: &str| vec![text.split(' ').map(|w| w.as_bytes().into()).collect::<Words>()];
    assert!(store.execute(id, words("BRPOP nope 0.33"), Instant::ZERO).is_empty());
    // An idle server looks at its clock ten times a second.
    assert_eq!(store.next_tick(Instant::ZERO), Some(Instant::from_millis(400)));
    // One that is kept busy notices within a millisecond.
    assert_eq!(store.execute(busy, words("PING"), Instant::from_millis(330)).len(), 1);
    let effects = store.execute(busy, words("PING"), Instant::from_millis(331));
    assert_eq!(effects[1], Effect::Send(id, Reply::NilArray));
}

#[test]
fn conformance_maxclients() {
    let config = Config { max_clients: 3, ..Config::new(Version::Redis7) };
    let mut store = Store::new(config, Disk::new(), Instant::ZERO);
    let outcomes: Vec<bool> = (0..5).map(|_| store.connect(Instant::ZERO).1.is_empty()).collect();
    assert_eq!(outcomes, [true, true, true, false, false]);
    let (id, effects) = store.connect(Instant::ZERO);
    let refusal = Reply::Error("ERR max number of clients reached".into());
    assert_eq!(effects, [Effect::Send(id, refusal), Effect::Close(id)]);
}

/// Pushes once, ends the server, and says how many elements the next one finds.
fn survivors(persistence: Persistence, graceful: bool, wait_s: u64) -> String {
    let config = Config { persistence, ..Config::new(Version::Redis7) };
    let disk = Disk::new();
    let mut model = Model::on_disk(config.clone(), disk.clone());
    line(&mut model, 'D', "LPUSH q a");
    model.listen(wait_s * 1000);
    if graceful {
        let (store, now) = model.store();
        store.shut_down(now);
    }
    drop(model);
    line(&mut Model::on_disk(config, disk), 'D', "LLEN q").remove(0)
}

#[test]
fn conformance_durability() {
    let default = Persistence::default_save_points;
    assert_eq!(survivors(default(), false, 0), "D: :0", "durability-default-save-SIGKILL");
    assert_eq!(survivors(default(), true, 0), "D: :1", "durability-default-save-SIGTERM");
    assert_eq!(survivors(Persistence::None, true, 0), "D: :0", "durability-nosave-SIGTERM");
    assert_eq!(survivors(Persistence::AppendOnly, false, 0), "D: :1", "durability-aof-everysec-SIGKILL");
    // An hour after one change the first save point is reached.
    assert_eq!(survivors(default(), false, 3590), "D: :0");
    assert_eq!(survivors(default(), false, 3601), "D: :1");
}

#[test]
fn commands_are_refused_while_the_data_set_is_loaded() {
    for (version, name) in [(Version::Redis7, "Redis"), (Version::Valkey8, "Valkey")] {
        let disk = Disk::new();
        let config = Config {
            persistence: Persistence::AppendOnly,
            load_time_per_mb: Duration::from_secs(1),
            ..Config::new(version)
        };
        let mut model = Model::on_disk(config.clone(), disk.clone());
        send(&mut model, 'D', &["SET", "k", &"x".repeat(100_000)]);
        drop(model);
        let mut model = Model::on_disk(config, disk);
        let loading = format!("D: -LOADING {name} is loading the dataset in memory");
        assert_eq!(line(&mut model, 'D', "STRLEN k"), [loading]);
        model.listen(100);
        assert_eq!(line(&mut model, 'D', "STRLEN k"), ["D: :100000"]);
    }
}

#[test]
fn subscribers_that_do_not_read_are_cut_off() {
    let limit = OutputLimit { hard: 1000, soft: 100, soft_seconds: 10 };
    let config = Config { pubsub_limit: limit, ..Config::new(Version::Redis7) };
    let mut store = Store::new(config, Disk::new(), Instant::ZERO);
    let (id, _) = store.connect(Instant::ZERO);
    let at = |s: u64| Instant::from_millis(s * 1000);
    assert!(!store.exceeds_output_limit(id, 5000, at(0)), "nobody who has not subscribed");
    store.execute(id, vec![[b"SUBSCRIBE"[..].into(), b"ch"[..].into()].into()], at(0));
    assert!(store.exceeds_output_limit(id, 1001, at(0)), "the hard limit");
    assert!(!store.exceeds_output_limit(id, 99, at(0)));
    assert!(!store.exceeds_output_limit(id, 500, at(1)));
    assert!(!store.exceeds_output_limit(id, 500, at(11)));
    assert!(store.exceeds_output_limit(id, 500, at(12)), "the soft limit");
    assert!(!store.exceeds_output_limit(ConnId(99), 5000, at(12)));
}

#[test]
fn pipelines_serve_waiters_between_commands_and_wait_behind_a_blocked_one() {
    let mut model = Model::new(Config::new(Version::Redis7));
    line(&mut model, 'A', "BRPOP q 0");
    let batch = |texts: &[&str]| -> Vec<Vec<String>> {
        texts.iter().map(|text| text.split(' ').map(str::to_owned).collect()).collect()
    };
    model.send('D', &batch(&["LPUSH q a", "LLEN q"]));
    let replies: Vec<String> =
        model.listen(1).iter().map(|(c, r, _)| format!("{c}: {}", notation(r))).collect();
    assert_eq!(replies, ["D: :1", "A: ['q', 'a']", "D: :0"]);
    model.send('A', &batch(&["BRPOP q 0", "PING", "ECHO x"]));
    assert!(model.listen(1).is_empty());
    assert_eq!(line(&mut model, 'D', "LPUSH q b"), ["D: :1", "A: ['q', 'b']", "A: +PONG", "A: 'x'"]);
}

#[test]
fn times_at_the_end_of_all_days_do_not_trouble_the_clock() {
    let mut model = Model::new(Config::new(Version::Redis7));
    line(&mut model, 'D', "SET k v");
    assert_eq!(line(&mut model, 'D', "PEXPIREAT k 9223372036854775807"), ["D: :1"]);
    line(&mut model, 'D', "CONFIG SET save 18446744073709551615");
    assert_eq!(send(&mut model, 'D', &["CONFIG", "SET", "save", "18446744073709551615 1"]), ["D: +OK"]);
    assert!(line(&mut model, 'A', "BRPOP q 9000000000000000").len() <= 1);
    model.listen(100);
    assert_eq!(line(&mut model, 'D', "GET k"), ["D: 'v'"]);
}

#[test]
fn a_set_that_has_expired_goes_when_something_is_to_be_moved_to_it() {
    let now = Instant::from_millis(1000);
    let mut store = Store::new(Config::new(Version::Redis7), Disk::new(), now);
    let (conn, _) = store.connect(now);
    let mut ask = |text: &str, now| {
        let words = text.split(' ').map(|word| word.as_bytes().into()).collect();
        store.execute(conn, vec![words], now)
    };
    ask("PSETEX b 1 x", now);
    // Its own clock has not ticked.
    let later = now + Duration::from_millis(5);
    assert_eq!(ask("SMOVE c b a", later), [Effect::Send(conn, Reply::Int(0))]);
    assert_eq!(ask("DBSIZE", later), [Effect::Send(conn, Reply::Int(0))]);
}

#[test]
fn who_waits_for_lists_is_served_in_the_order_of_lists() {
    let mut model = Model::new(Config::new(Version::Redis7));
    line(&mut model, 'C', "BRPOP c b 0");
    for command in ["MULTI", "XADD c 1-1 f v", "RPUSH b first", "DEL c", "LPUSH c second"] {
        line(&mut model, 'B', command);
    }
    // A stream was there first; nobody waits for one.
    assert_eq!(line(&mut model, 'B', "EXEC").last().map(String::as_str), Some("C: ['b', 'first']"));
}

#[test]
fn who_hears_its_own_messages_hears_them_among_its_replies() {
    let mut model = Model::new(Config::new(Version::Redis7));
    for command in ["MULTI", "SUBSCRIBE ch", "PUBLISH ch a"] {
        line(&mut model, 'A', command);
    }
    let heard = line(&mut model, 'A', "EXEC");
    assert_eq!(heard, ["A: [['subscribe', 'ch', :1], ['message', 'ch', 'a']]", "A: :1"]);
}
