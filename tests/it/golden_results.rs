//! The golden results: what every shipped scenario amounts to over its whole horizon at three seeds. Trace hashes
//! change with what is recorded; these change only when a run's outcome does.
//!
//! The file keeps, for each run, how many units ended how, and a digest of the lines of each tenth of the horizon. When
//! they differ, the lines are in `target/golden/<preset>-<seed>.txt`; `GLASSHIVE_LINES=1` writes them in any case, so
//! that two trees can be compared. After a change that is meant to change results:
//! `GLASSHIVE_BLESS=1 cargo test --test it golden_results` writes the file anew.

mod lines;

use glasshive::kernel::Instant;
use glasshive::lab::{Run, Scenario, presets};
use lines::{Line, Outcome, options};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::sync::Mutex;
use std::thread;

const FILE: &str = "tests/data/golden_results.json";
const LINES: &str = "target/golden";
const SEEDS: [u64; 3] = [3, 17, 90_210];
const TENTHS: usize = 10;
const THREADS: usize = 2;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Golden {
    preset: String,
    seed: u64,
    /// How many units ended how.
    counts: BTreeMap<String, u64>,
    /// A digest of the lines of the units that began in each tenth of the horizon.
    tenths: Vec<String>,
    /// A digest of all lines.
    all: String,
}

impl Golden {
    fn of(preset: &str, seed: u64, outcome: &Outcome, horizon: Instant) -> Self {
        let Outcome { lines, counts } = outcome;
        let tenths =
            (0..TENTHS).map(|tenth| digest(lines.iter().filter(|line| tenth_of(line.at, horizon) == tenth)));
        Golden {
            preset: preset.to_owned(),
            seed,
            counts: counts.clone(),
            tenths: tenths.collect(),
            all: digest(lines.iter()),
        }
    }

    fn key(&self) -> (&str, u64) {
        (&self.preset, self.seed)
    }

    /// What of it is not as it was, for a person.
    fn difference(&self, stored: &Golden) -> String {
        let tenths = self.tenths.iter().zip(&stored.tenths).zip(1..);
        let differ = tenths.filter(|((now, then), _)| now != then).map(|(_, tenth): (_, u32)| tenth);
        let tenths: Vec<String> = differ.map(|tenth| tenth.to_string()).collect();
        let Golden { preset, seed, counts, .. } = self;
        let mut text = format!("{preset}, seed {seed}: of the tenths differ: {}", tenths.join(", "));
        for (end, count) in counts {
            let then = stored.counts.get(end).copied().unwrap_or_default();
            if *count != then {
                let _ = write!(text, "\n  {end}: {then}, now {count}");
            }
        }
        for (end, then) in stored.counts.iter().filter(|(end, _)| !counts.contains_key(*end)) {
            let _ = write!(text, "\n  {end}: {then}, now none");
        }
        text
    }
}

fn tenth_of(at: Instant, horizon: Instant) -> usize {
    let share = u128::from(at.as_nanos()) * TENTHS as u128 / u128::from(horizon.as_nanos());
    (share as usize).min(TENTHS - 1)
}

/// FNV-1a over the lines' bytes.
fn digest<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let bytes = lines.flat_map(|line| line.text.bytes().chain([b'\n']));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Plays every shipped scenario at every seed, on several threads: what each amounted to, and its lines.
fn play_all() -> Vec<(Golden, String)> {
    let cases: Vec<(&str, u64)> =
        presets::all().flat_map(|preset| SEEDS.map(|seed| (preset.name, seed))).collect();
    let (next, played) = (Mutex::new(0), Mutex::new(BTreeMap::new()));
    let work = || loop {
        let place = {
            let mut next = next.lock().unwrap();
            *next += 1;
            *next - 1
        };
        let Some(&(preset, seed)) = cases.get(place) else { return };
        let result = play(preset, seed);
        played.lock().unwrap().insert(place, result);
    };
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    played.into_inner().unwrap().into_values().collect()
}

fn play(preset: &str, seed: u64) -> (Golden, String) {
    let mut run = Run::new(&Scenario::preset(preset, seed), options()).unwrap();
    run.run_until(Instant::MAX);
    let outcome = Outcome::of(&run);
    let text = outcome.lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
    (Golden::of(preset, seed, &outcome, run.horizon()), text)
}

fn write_lines(golden: &Golden, text: &str) {
    fs::create_dir_all(LINES).unwrap();
    fs::write(format!("{LINES}/{}-{}.txt", golden.preset, golden.seed), text).unwrap();
}

fn stored() -> Vec<Golden> {
    serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap()
}

#[test]
fn the_results_of_every_shipped_scenario_are_what_they_were() {
    let played = play_all();
    if std::env::var_os("GLASSHIVE_LINES").is_some() {
        played.iter().for_each(|(golden, text)| write_lines(golden, text));
    }
    if std::env::var_os("GLASSHIVE_BLESS").is_some() {
        let rows: Vec<String> =
            played.iter().map(|(golden, _)| serde_json::to_string(golden).unwrap()).collect();
        fs::write(FILE, format!("[\n{}\n]\n", rows.join(",\n"))).unwrap();
    }
    let stored = stored();
    let keys = |all: &mut dyn Iterator<Item = &Golden>| {
        all.map(|golden| format!("{:?}", golden.key())).collect::<Vec<_>>()
    };
    let (now, then) = (keys(&mut played.iter().map(|(now, _)| now)), keys(&mut stored.iter()));
    assert_eq!(now, then, "{FILE} has other runs than there are shipped scenarios");
    let mut differences = Vec::new();
    for ((now, text), then) in played.iter().zip(&stored).filter(|((now, _), then)| now != *then) {
        write_lines(now, text);
        differences.push(now.difference(then));
    }
    assert!(
        differences.is_empty(),
        "{} of {} runs have other results; their lines are in {LINES}:\n{}",
        differences.len(),
        stored.len(),
        differences.join("\n")
    );
}

#[test]
fn the_golden_results_are_of_every_kind() {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (end, count) in stored().into_iter().flat_map(|golden| golden.counts) {
        *counts.entry(end).or_default() += count;
    }
    let several = [
        "request answered",
        "request 429 rate_limited",
        "request 503 no_workers",
        "request 503 nats_unavailable",
        "submission Accepted",
        "submission Refused(503)",
        "job Done",
        "job Lost ContainerDied",
        "job Lost WorkerDied",
        "version everywhere",
        "try answered",
    ];
    for end in several {
        assert!(counts.get(end).is_some_and(|count| *count >= 3), "{end}: {counts:?}");
    }
}
