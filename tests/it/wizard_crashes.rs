//! Containers and processes die at any instant. After every step each job is where the log says, and only there: the log is
//! held against what the store has in its lists.

use super::support::{Case, OnFailure, for_seeds};
use glasshive::kernel::{Duration, Instant, Rng, Sink};
use glasshive::lab::wizard::{ClaimEnd, Job, Place, WizardRun, wait_of};
use glasshive::lab::{Options, Run};
use glasshive::systems::wizard::fact::JOB_DONE;
use glasshive::systems::wizard::queue;
use std::collections::BTreeMap;

/// Faults begin before this.
const FAULTS_MS: u64 = 30_000;
/// And none lasts longer.
const FAULT_MAX_MS: u64 = 6_000;
/// All that was queued by then has to be over at the end.
const SETTLED: Instant = Instant::from_millis(40_000);
const SECONDS: u64 = 80;
/// The longest that a word to the store travels: 40 ms, or so many of them behind each other.
const WORD: Duration = Duration::from_millis(200);

/// Crashes, graceful ends, restarts and slow spells of containers and of their processes.
fn faults(seed: u64, containers: u64, workers: u64) -> String {
    let mut rng = Rng::new(seed ^ 0xc4a5);
    let one = |rng: &mut Rng| {
        let container = format!("c-{:02}", 1 + rng.below(containers));
        let target = match rng.below(4) {
            0 => container,
            1 => format!("{container}-api"),
            _ => format!("{container}-worker-{}", 1 + rng.below(workers)),
        };
        let (kind, value) = [("crash", ""), ("crash", ""), ("stop", ""), ("restart", ""), ("slow", "=6")]
            [rng.below(5) as usize];
        let start = rng.below(FAULTS_MS);
        format!("{kind}:{target}@{start}ms..{}ms{value}", start + 1 + rng.below(FAULT_MAX_MS))
    };
    let faults: Vec<String> = (0..2 + rng.below(7)).map(|_| one(&mut rng)).collect();
    faults.join(",")
}

fn case(seed: u64, mode: &str) -> Case {
    let workers = 1 + seed % 2;
    let case = Case::preset("math-wizard", seed).set("mode", mode).set("workers", &workers.to_string());
    let case = case.set("users", "8").set("think", "300ms").set("work", "900ms").set("lease", "3s");
    case.set("fail", ["0", "0.2"][(seed / 2 % 2) as usize]).faults(&faults(seed, 3, workers)).seconds(SECONDS)
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

/// Some living worker has it, or it is on its way to one; or its worker's last word is on its way to the store.
fn is_held(job: &Job, now: Instant) -> bool {
    job.is_on_the_way()
        || job.claims.last().is_some_and(|claim| match (claim.end, claim.until) {
            (ClaimEnd::Open, _) => true,
            (_, until) => until.is_some_and(|until| now.since(until) <= WORD),
        })
}

fn check_places(run: &Run, lmove: bool) {
    let wizard = glasshive::lab::wizard::of(run.system()).unwrap();
    let (ledger, lists) = (wizard.ledger(), listed(wizard));
    for id in lists.keys() {
        assert!(ledger.job(id).is_some(), "{id} is in a list, and nobody knows it");
    }
    for job in ledger.jobs() {
        let counts = lists.get(&*job.id).copied().unwrap_or_default();
        let expected = match job.place {
            Some(Place::Queue) => [1, 0, 0],
            Some(Place::Processing) if lmove => [0, 1, 0],
            Some(Place::DeadLetter) => [0, 0, 1],
            Some(Place::Processing | Place::Done | Place::Lost) | None => [0, 0, 0],
        };
        assert_eq!(counts, expected, "{} is {:?} at {:?}", job.id, job.place, run.now());
        if job.place == Some(Place::Processing) && !lmove {
            assert!(is_held(job, run.now()), "nobody has {job:#?} at {:?}", run.now());
        }
        assert!(job.acknowledged_at.is_none() || job.place.is_some(), "{} is nowhere", job.id);
        assert_eq!(job.place == Some(Place::Lost), job.lost.is_some());
    }
    let acknowledged = ledger.jobs().filter(|job| job.acknowledged_at.is_some()).count() as u64;
    assert_eq!(acknowledged, wizard.tally().counts().acknowledged);
}

/// Plays a case step by step, and returns how many jobs were lost, and how many were done twice.
fn play(seed: u64, mode: &str) -> (u64, u64) {
    let (case, lmove) = (case(seed, mode), mode == "lmove");
    let _on_failure = OnFailure::say(format!("replay: {}", case.command()));
    let mut run = Run::new(&case.scenario, Options { sink: Sink::Full, ..Options::default() }).unwrap();
    while run.step() {
        check_places(&run, lmove);
    }
    let wizard = glasshive::lab::wizard::of(run.system()).unwrap();
    let ledger = wizard.ledger();
    for job in ledger.jobs().filter(|job| job.queued_at.is_some_and(|at| at < SETTLED)) {
        assert!(job.is_over(), "{job:#?}");
        // What the workers did is what the log says, each time.
        let of_job = |r: &&glasshive::kernel::Record| r.kind == JOB_DONE && r.tag == job.submission;
        let done = run.trace().records().filter(of_job).count();
        assert_eq!(done as u32, job.completions, "{job:#?}");
        assert!(wait_of(job).is_some());
    }
    let again: u64 = ledger.jobs().map(|job| u64::from(job.completions.saturating_sub(1))).sum();
    assert_eq!(again, wizard.tally().counts().done_again);
    assert!(!lmove || wizard.tally().counts().lost == 0, "{} lost with LMOVE", wizard.tally().counts().lost);
    assert!(run.system().checks().iter().all(|check| check.ok), "{:?}", run.system().checks());
    (wizard.tally().counts().lost, wizard.tally().counts().done_again)
}

fn play_all(seeds: std::ops::Range<u64>) {
    let (lost, again) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_seeds("wizard_crashes", seeds.clone(), |seed| {
        let (brpop, lmove) = (play(seed, "brpop"), play(seed, "lmove"));
        assert_eq!(brpop.1, 0, "BRPOP gives a job to one worker only");
        lost.set(lost.get() + brpop.0);
        again.set(again.get() + lmove.1);
    });
    println!("{} jobs lost with BRPOP, {} done twice with LMOVE", lost.get(), again.get());
    // The schedules are hard enough for the statements to say something.
    let seeds = seeds.end - seeds.start;
    assert!(std::env::var_os("GLASSHIVE_SEED").is_some() || lost.get() >= seeds / 2, "{} lost", lost.get());
    assert!(
        std::env::var_os("GLASSHIVE_SEED").is_some() || again.get() >= seeds / 10,
        "{} again",
        again.get()
    );
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
                check_places(&run, mode == "lmove");
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
