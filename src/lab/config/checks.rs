//! The invariants of every run, whatever its faults.

use crate::lab::check::Check;
use crate::systems::config::log::{Log, VersionEntry};
use crate::systems::config::{Config, Version};

/// Checks a run so far: what its log kept, against the controller's disk.
pub fn check(config: &Config) -> Vec<Check> {
    let log = config.log();
    let result = |name: &str, result: Result<(), String>| Check {
        name: name.to_owned(),
        ok: result.is_ok(),
        detail: result.err().unwrap_or_default(),
    };
    vec![
        result(
            "a version that was acknowledged is on the controller's disk as it was",
            all(&log, |entry| survives(entry, config.stored(entry.number))),
        ),
        result("versions are acknowledged in order, each after it was stored", in_order(&log)),
        result("nobody has a version before the controller", all(&log, nobody_was_early)),
        result(
            "no version goes back, and nobody has a newer one than its source",
            log.first_wrong.clone().map_or(Ok(()), Err),
        ),
    ]
}

fn all(log: &Log, mut holds: impl FnMut(&VersionEntry) -> Result<(), String>) -> Result<(), String> {
    log.versions()
        .iter()
        .try_for_each(|entry| holds(entry).map_err(|why| format!("version {}: {why}", entry.number)))
}

fn survives(entry: &VersionEntry, stored: Option<Version>) -> Result<(), String> {
    match stored {
        Some(stored) if stored.number == entry.number && stored.settings == entry.settings => Ok(()),
        Some(stored) => Err(format!("there is version {} with {:?}", stored.number, stored.settings)),
        None => Err("it is gone".to_owned()),
    }
}

fn in_order(log: &Log) -> Result<(), String> {
    let mut last = None;
    all(log, |entry| {
        let Some(at) = entry.acknowledged_at else { return Ok(()) };
        let before = last.replace(at);
        match before {
            _ if at < entry.stored_at => Err("it was acknowledged before it was stored".to_owned()),
            Some(before) if at < before => Err("it was acknowledged before its predecessor".to_owned()),
            _ => Ok(()),
        }
    })
}

fn nobody_was_early(entry: &VersionEntry) -> Result<(), String> {
    let early = entry.agents.iter().chain(&entry.workers).flatten().find(|&&at| at < entry.stored_at);
    match early {
        Some(at) => Err(format!("somebody had it {} before the controller", entry.stored_at.since(*at))),
        None => Ok(()),
    }
}
