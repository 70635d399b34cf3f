//! What the laboratory makes of a Math Wizard's facts: figures that do not depend on what is kept, every job and every
//! refused submission reported once, duplicates counted whatever lies between, and stores that go back in time.

use super::support::{Case, Ran, for_seeds, glasshive};
use glasshive::kernel::{Instant, Sink};
use glasshive::lab::wizard::{Place, WizardRun};
use glasshive::lab::{Options, Run};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Everything goes wrong at some time.
const FAULTS: &str = "crash:c-01-worker-1@3s..9s,drop:gateway>client@4s..20s=0.4,crash:c-02@15s..18s,\
    stop:valkey@25s..26s,crash:c-03@28s..35s,crash:valkey@30s..31s,crash:client@40s..42s,cut:c-01~valkey@44s..51s";

fn case(seed: u64, mode: &str) -> Case {
    let case = Case::preset("math-wizard", seed).set("mode", mode).set("fail", "0.2").set("repeat", "on");
    case.set("timeout", "1s").set("users", "15").faults(FAULTS).seconds(90)
}

fn wizard(run: &Run) -> &WizardRun {
    glasshive::lab::wizard::of(run.system()).unwrap()
}

/// A run that keeps so much, and the units of work that it reported: those that ended, then the others.
fn played(case: &Case, keep: usize) -> (Run, Vec<Value>) {
    let entries = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&entries);
    let listener = Rc::new(RefCell::new(move |entry| sink.borrow_mut().push(entry)));
    let options = Options { sink: Sink::None, keep, entries: Some(listener), ..Options::default() };
    let mut run = Run::new(&case.scenario, options).unwrap();
    run.run_until(Instant::MAX);
    let mut all = entries.borrow().clone();
    all.extend(run.system().open_entries());
    (run, all)
}

#[test]
fn figures_checks_and_entries_do_not_depend_on_what_is_kept() {
    for_seeds("wizard_lab", 0..4, |seed| {
        for mode in ["brpop", "lmove"] {
            let case = case(seed, mode);
            let of = |keep: usize| {
                let (run, entries) = played(&case, keep);
                let (system, hash) = (run.system(), run.trace_hash());
                (hash, system.figures(), system.checks(), system.progress(), entries)
            };
            let whole = of(usize::MAX);
            assert!(of(0) == whole && of(25) == whole, "{}", case.command());
        }
    });
}

#[test]
fn every_job_and_every_refused_submission_is_reported_once() {
    for_seeds("wizard_lab", 0..4, |seed| {
        for mode in ["brpop", "lmove"] {
            let (run, entries) = played(&case(seed, mode), usize::MAX);
            let numbers = |key: &str, is: fn(&Value) -> bool| {
                let of: Vec<u64> = entries
                    .iter()
                    .filter(|entry| is(&entry["number"]))
                    .filter_map(|e| e[key].as_u64())
                    .collect();
                let set: BTreeSet<u64> = of.iter().copied().collect();
                assert_eq!(set.len(), of.len(), "{key}: none twice");
                set
            };
            let ledger = wizard(&run).ledger();
            assert_eq!(numbers("number", Value::is_u64), ledger.jobs().map(|job| job.number).collect());
            let without = ledger.submissions().filter(|submission| submission.jobs == 0);
            assert_eq!(numbers("submission", Value::is_null), without.map(|s| s.number).collect());
            for entry in entries.iter().filter(|entry| entry["number"].is_u64()) {
                let job = ledger.job(entry["id"].as_str().unwrap()).unwrap();
                assert_eq!(entry["completions"], job.completions);
                assert_eq!(entry["claims"].as_array().unwrap().len(), job.claims.len());
                assert_eq!(entry["end"] == "lost", job.place == Some(Place::Lost), "{entry}");
                assert_eq!(entry["cause"], job.lost.map_or(Value::Null, |(_, cause)| cause.words().into()));
            }
            let counts = wizard(&run).tally().counts();
            let ended = |end: &str| entries.iter().filter(|entry| entry["end"] == end).count() as u64;
            assert_eq!(
                [ended("done"), ended("lost"), ended("dead")],
                [counts.done, counts.lost, counts.dead]
            );
        }
    });
}

#[test]
fn a_report_has_the_jobs_in_its_json_and_their_figures_in_words() {
    let arguments = ["run", "--preset", "duplicate-by-retry", "--seed", "31", "--for", "60s"];
    let Ran { code, out, .. } = glasshive(&arguments);
    assert_eq!(code, 0);
    for words in [
        "jobs ",
        "duplicates by a second try",
        "who ",
        "c-03 took",
        "wait ",
        "job time ",
        "jobs done a second",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let report = glasshive(&[&arguments[..], &["--json"]].concat()).json();
    let jobs = report["jobs"].as_array().unwrap();
    assert_eq!(
        jobs.iter().filter(|job| job["end"] == "done").count() as u64,
        report["summary"]["counts"]["done"]
    );
    let by: u64 = ["c-01", "c-02", "c-03"]
        .iter()
        .map(|name| report["summary"]["containers"][name]["handled"].as_u64().unwrap())
        .sum();
    assert_eq!(by, report["summary"]["counts"]["done"]);
}

#[test]
fn duplicates_are_counted_whatever_lies_between_the_tries() {
    // A second try comes ten seconds later; meanwhile there are some hundred other jobs.
    let case = Case::preset("math-wizard", 5).set("users", "300").set("repeat", "on").set("timeout", "10s");
    let case =
        case.set("queue-limit", "off").set("polls", "off").set("containers", "20").set("work", "200ms");
    case.faults("drop:gateway>client@2s..30s=0.3").seconds(60).check(|run| {
        let ledger = wizard(run).ledger();
        let placed: Vec<_> = ledger.jobs().filter(|job| job.place.is_some()).collect();
        let submissions: BTreeSet<u64> = placed.iter().map(|job| job.submission).collect();
        let duplicates = wizard(run).tally().counts().duplicates;
        assert!(duplicates > 100, "{duplicates}");
        assert_eq!(submissions.len() as u64 + duplicates, placed.len() as u64);
    });
}

#[test]
fn a_job_that_a_restored_snapshot_brings_back_is_told_and_breaks_nothing() {
    let faults = "stop:valkey@9s..9500ms,crash:c-01@11s,crash:c-02@11s..13s,crash:c-03@11s..13s,crash:valkey@12s..12500ms";
    Case::preset("math-wizard", 1).set("users", "20").faults(faults).seconds(60).check(|run| {
        let checks = run.system().checks();
        assert!(checks.iter().all(|check| check.ok), "{checks:?}");
        let ledger = wizard(run).ledger();
        let back: Vec<_> = ledger.jobs().filter(|job| job.restored > 0).collect();
        assert_eq!(back.len() as u64, wizard(run).tally().counts().restored);
        assert!(back.iter().any(|job| job.place == Some(Place::Done) && job.lost.is_none()), "{back:#?}");
    });
}
