//! The store answers as the real servers did: every recorded case, on the model or on the real server.

use super::valkey_cases::{play, read};
use glasshive::substrate::valkey::Version;

fn passes(path: &str, version: Version, at_least: usize) {
    let cases = read(path).expect("cases with steps");
    assert!(cases.len() >= at_least, "{path} has only {} cases", cases.len());
    let wrong = play(&cases, version);
    assert!(wrong.is_empty(), "{path}: {} steps differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn conformance_store_every_case_of_redis_7() {
    passes("tests/data/conformance/redis-7.0.15.json", Version::Redis7, 65);
}

#[test]
fn conformance_store_every_case_of_valkey_8() {
    passes("tests/data/conformance/valkey-8.0.1.json", Version::Valkey8, 65);
}

/// What the first cases leave out: every other command with its options and errors, and what several clients do to each other.
#[test]
fn conformance_store_every_command() {
    passes("tests/data/conformance/redis-7.0.15-commands.json", Version::Redis7, 39);
}

#[test]
fn conformance_store_cases_of_the_named_folder() {
    let Ok(folder) = std::env::var("GLASSHIVE_CASES") else { return };
    let mut paths: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("GLASSHIVE_CASES={folder}: {error}"))
        .map(|entry| entry.unwrap().path().to_str().expect("UTF-8").to_owned())
        .filter(|path| path.ends_with(".json"))
        .collect();
    paths.sort();
    for path in paths {
        if read(&path).is_some() {
            let valkey = path.rsplit('/').next().is_some_and(|name| name.contains("valkey"));
            passes(&path, if valkey { Version::Valkey8 } else { Version::Redis7 }, 1);
        }
    }
}
