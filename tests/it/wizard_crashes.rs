//! Containers, processes and the store die at any instant, and links are cut. After every step each job is where the
//! laboratory says, and only there: its ledger is held against what the store has in its lists.

use super::support::{Case, OnFailure, for_seeds};
use glasshive::kernel::{Instant, Rng, Sink};
use glasshive::lab::wizard::{Place, WizardRun, wait_of};
use glasshive::lab::{Options, Run};
use glasshive::systems::wizard::fact::JOB_DONE;
use glasshive::systems::wizard::queue;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Faults begin before this.
const FAULTS_MS: u64 = 30_000;
/// And none lasts longer.
const FAULT_MAX_MS: u64 = 6_000;
/// All that was queued by then has to be over at the end.
const SETTLED: Instant = Instant::from_millis(40_000);
const SECONDS: u64 = 80;
/// What else than containers and their processes has trouble.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Nothing,
    Links,
    Store,
}

impl Trouble {
    fn of(seed: u64) -> Self {
        [Trouble::Nothing, Trouble::Links, Trouble::Store][(seed % 3) as usize]
    }
}

/// Crashes, graceful ends, restarts and slow spells of containers and of their processes, and what else there is.
fn faults(seed: u64, containers: u64, workers: u64) -> String {
    let mut rng = Rng::new(seed ^ 0xc4a5);
    let trouble = Trouble::of(seed);
    let one = |rng: &mut Rng| {
        let container = format!("c-{:02}", 1 + rng.below(containers));
        let start = rng.below(FAULTS_MS);
        let span = format!("{start}ms..{}ms", start + 1 + rng.below(FAULT_MAX_MS));
        if trouble != Trouble::Nothing && rng.chance(0.4) {
            let other = ["valkey", "valkey", "gateway"][rng.below(3) as usize];
            let link = format!("{container}{}{other}", ["~", ">"][rng.below(2) as usize]);
            let (kind, value) = [("cut", ""), ("drop", "=0.5"), ("slow", "=20")][rng.below(3) as usize];
            return format!("{kind}:{link}@{span}{value}");
        }
        if trouble == Trouble::Store && rng.chance(0.4) {
            return format!("{}:valkey@{span}", ["crash", "stop", "restart"][rng.below(3) as usize]);
        }
        let target = match rng.below(4) {
            0 => container,
            1 => format!("{container}-api"),
            _ => format!("{container}-worker-{}", 1 + rng.below(workers)),
        };
        let (kind, value) = [("crash", ""), ("crash", ""), ("stop", ""), ("restart", ""), ("slow", "=6")]
            [rng.below(5) as usize];
        format!("{kind}:{target}@{span}{value}")
    };
    let mut faults: Vec<String> = (0..2 + rng.below(7)).map(|_| one(&mut rng)).collect();
    if trouble == Trouble::Store {
        // One that ends makes a snapshot; one that dies later starts again with it, and what was done meanwhile is back.
        let (end, crash) = (5_000 + rng.below(10_000), 15_000 + rng.below(15_000));
        faults.push(format!(
            "stop:valkey@{end}ms..{}ms,crash:valkey@{crash}ms..{}ms",
            end + 500,
            crash + 1_000
        ));
    }
    faults.join(",")
}

/// What the store keeps when it dies.
fn persist(seed: u64) -> &'static str {
    ["snapshot", "aof", "none"][(seed / 3 % 3) as usize]
}

fn case(seed: u64, mode: &str) -> Case {
    let workers = 1 + seed % 2;
    let case = Case::preset("math-wizard", seed).set("mode", mode).set("workers", &workers.to_string());
    let case = case.set("users", "8").set("think", "300ms").set("work", "900ms").set("lease", "3s");
    let case = case.set("fail", ["0", "0.2"][(seed / 2 % 2) as usize]).set("persist", persist(seed));
    case.faults(&faults(seed, 3, workers)).seconds(SECONDS)
}

/// How often each job stands in each list.
fn listed(wizard: &WizardRun) -> BTreeMap<String, [u32; 3]> {
    let mut jobs = BTreeMap::<String, [u32; 3]>::new();
    for (place, key) in [queue::QUEUE, queue::PROCESSING, queue::DEAD_LETTER].into_iter().enumerate() {
        for element in wizard.wizard().probe().list(key) {
            let job: serde_json::Value = serde_json::from_str(&element).unwrap();
            jobs.entry(job["task_id"].as_str().unwrap().to_owned()).or_default()[place] += 1;
        }
    }
    jobs
}

fn check_places(run: &Run, lmove: bool, forgets: bool) {
    let wizard = glasshive::lab::wizard::of(run.system()).unwrap();
    let (ledger, lists, is_up) = (wizard.ledger(), listed(wizard), wizard.wizard().probe().is_up());
    for id in lists.keys() {
        assert!(ledger.job(id).is_some(), "{id} is in a list, and nobody knows it");
    }
    for job in ledger.jobs() {
        let counts = lists.get(&*job.id).copied().unwrap_or_default();
        // A store that forgets a dead letter changes nothing any more.
        let forgotten = forgets && job.place == Some(Place::DeadLetter) && counts == [0; 3];
        assert!(!is_up || forgotten || counts == job.copies(), "{counts:?} at {:?}: {job:#?}", run.now());
        match job.place {
            Some(Place::Queue) => assert!(job.copies()[0] > 0, "{job:#?}"),
            Some(Place::Processing) => assert!(lmove && job.copies()[1] > 0 || job.is_held(), "{job:#?}"),
            Some(Place::Done | Place::Lost) | None => assert_eq!(job.copies(), [0; 3], "{job:#?}"),
            Some(Place::DeadLetter) => {}
        }
        assert!(job.acknowledged_at.is_none() || job.place.is_some(), "{} is nowhere", job.id);
        assert_eq!(job.place == Some(Place::Lost), job.lost.is_some());
    }
    let acknowledged = ledger.jobs().filter(|job| job.acknowledged_at.is_some()).count() as u64;
    assert_eq!(acknowledged, wizard.tally().counts().acknowledged);
}

/// Plays a case step by step, and returns how many jobs were lost, done twice, and back with an older snapshot.
fn play(seed: u64, mode: &str) -> [u64; 3] {
    let (case, lmove, trouble) = (case(seed, mode), mode == "lmove", Trouble::of(seed));
    let _on_failure = OnFailure::say(format!("replay: {}", case.command()));
    let mut run = Run::new(&case.scenario, Options { sink: Sink::Full, ..Options::default() }).unwrap();
    // What a store keeps that dies decides what may be lost, and what comes again.
    let forgets = trouble == Trouble::Store && persist(seed) != "aof";
    let goes_back = trouble == Trouble::Store && persist(seed) == "snapshot";
    while run.step() {
        check_places(&run, lmove, forgets);
    }
    let wizard = glasshive::lab::wizard::of(run.system()).unwrap();
    let (ledger, counts) = (wizard.ledger(), wizard.tally().counts());
    let mut sums = BTreeMap::<u64, u32>::new();
    for record in run.trace().records().filter(|record| record.kind == JOB_DONE) {
        *sums.entry(record.tag).or_default() += 1;
    }
    for job in ledger.jobs().filter(|job| job.queued_at.is_some_and(|at| at < SETTLED)) {
        assert!(job.is_over(), "{job:#?}");
        // What the workers did is what the ledger says, each time; but a store that dies takes what is on its way.
        let done = sums.get(&job.submission).copied().unwrap_or_default();
        let all = done == job.completions || trouble == Trouble::Store && done > job.completions;
        assert!(all, "{done} times: {job:#?}");
        assert!(wait_of(job).is_some() || job.lost.is_some(), "{job:#?}");
    }
    let again: u64 = ledger.jobs().map(|job| u64::from(job.completions.saturating_sub(1))).sum();
    assert_eq!(again, counts.done_again);
    let restored: u64 = ledger.jobs().map(|job| u64::from(job.restored)).sum();
    assert_eq!(restored, counts.restored);
    assert!(goes_back || restored == 0, "{restored} are back");
    assert!(lmove || goes_back || again == 0, "BRPOP gives a job to one worker only");
    assert!(!lmove || forgets || counts.lost == 0, "{} lost with LMOVE", counts.lost);
    assert!(run.system().checks().iter().all(|check| check.ok), "{:?}", run.system().checks());
    [counts.lost, again, restored]
}

fn play_all(seeds: std::ops::Range<u64>) {
    let sums = Cell::new([[0; 3]; 2]);
    for_seeds("wizard_crashes", seeds.clone(), |seed| {
        let played = [play(seed, "brpop"), play(seed, "lmove")];
        let mut all = sums.get();
        all.iter_mut().flatten().zip(played.iter().flatten()).for_each(|(sum, count)| *sum += count);
        sums.set(all);
    });
    let [[lost, .., back], [_, again, back_too]] = sums.get();
    println!("{lost} jobs lost with BRPOP, {again} done twice with LMOVE, {} back", back + back_too);
    // The schedules are hard enough for the statements to say something.
    let seeds = seeds.end - seeds.start;
    if std::env::var_os("GLASSHIVE_SEED").is_none() {
        assert!(lost >= seeds / 2, "{lost} lost");
        assert!(again >= seeds / 10, "{again} again");
        assert!(back + back_too >= seeds / 20, "{back} and {back_too} back");
    }
}

#[test]
fn trouble_meets_processes_links_and_the_store() {
    let all: Vec<String> = (0..60).map(|seed| faults(seed, 3, 2)).collect();
    let all = all.join(",");
    let links = ["cut:c-", "drop:c-", "slow:c-", "~valkey", ">valkey", "~gateway", ">gateway"];
    let nodes = ["crash:valkey", "stop:valkey", "restart:valkey", "crash:c-01@", "-api@", "-worker-2@"];
    for part in links.iter().chain(&nodes) {
        assert!(all.contains(part), "no fault has {part}");
    }
}

#[test]
fn every_job_is_in_exactly_one_place_whoever_dies() {
    play_all(0..60);
}

/// The answer to a retry, or to a burial, is held up for longer than a worker waits, wherever in the talk that begins.
#[test]
fn what_was_said_without_hearing_an_answer_is_not_done_again() {
    for mode in ["brpop", "lmove"] {
        let cut_at = (1_200..1_900).step_by(20).map(|ms| ("3", ms));
        for (attempts, ms) in cut_at.chain((1_200..1_900).step_by(20).map(|ms| ("1", ms))) {
            let case =
                Case::preset("math-wizard", 7).set("mode", mode).set("attempts", attempts).set("fail", "1");
            let case = case.set("containers", "1").set("load", "constant").set("period", "1h");
            let case = case.set("work", "1s").set("work-law", "constant").set("lease", "30s");
            let case = case.faults(&format!("cut:valkey>c-01@{ms}ms..9s")).seconds(60);
            let _on_failure = OnFailure::say(format!("replay: {}", case.command()));
            let mut run = case.start();
            while run.step() {
                check_places(&run, mode == "lmove", false);
            }
            let lists = listed(glasshive::lab::wizard::of(run.system()).unwrap());
            assert_eq!(lists.values().collect::<Vec<_>>(), [&[0, 0, 1]], "it is dead, once");
        }
    }
}

#[cfg(not(debug_assertions))]
mod heavy {
    #[test]
    fn every_job_is_in_exactly_one_place_whoever_dies_under_1000_seeds() {
        super::play_all(1_000..2_000);
    }
}
