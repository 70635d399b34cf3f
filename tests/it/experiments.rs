//! `glasshive sweep`, `size`, `compare` and `merge`, through the real binary; and the rows that a browser has to find too.

use super::support::{BINARY, OnFailure, glasshive, scratch};
use glasshive::lab::Invalid;
use glasshive::lab::experiment::{Plan, Sweep, rows, threads};
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Stdio};
use std::thread::yield_now;

const PLANS: &str = "tests/data/experiment_plans.json";
const ROWS: &str = "tests/data/experiment_rows.csv";

/// A plan of 24 points in a file of its own, of which each takes some hundredths of a second.
fn plan_file(name: &str, requests: u64) -> String {
    let workers: Vec<u32> = (1..=12).collect();
    let plan = json!({
        "version": 1, "base": {"preset": "oracle-http", "set": {"fail": 0.3, "timeout": "1.2s"}},
        "axes": [{"key": "workers", "values": workers}, {"key": "strategy", "values": ["average", "median"]}],
        "requests": requests, "seeds": {"first": 1, "count": 5},
        "goals": [{"metric": "error_mean", "below": 0.02}],
    });
    let path = scratch(name);
    fs::write(&path, plan.to_string()).unwrap();
    path
}

fn sweep(args: &[&str]) -> String {
    let ran = glasshive(&[&["sweep"], args].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
    ran.out
}

#[test]
fn the_golden_rows_hold_natively() {
    let plans: Vec<Value> = serde_json::from_str(&fs::read_to_string(PLANS).unwrap()).unwrap();
    let mut text = String::new();
    for plan in plans {
        let mut sweep = Sweep::new(Plan::from_json(&plan.to_string()).unwrap().check().unwrap());
        text += &rows::head(sweep.plan(), rows::Format::Csv, None);
        sweep.add(0..sweep.plan().points);
        let metrics = sweep.plan().metrics.clone();
        threads::drive(&mut sweep, &metrics, 2, |_| Ok::<(), Invalid>(())).unwrap();
        while let Some(row) = sweep.pop() {
            text += &rows::line(sweep.plan(), &row, rows::Format::Csv);
        }
    }
    if std::env::var_os("GLASSHIVE_BLESS").is_some() {
        fs::write(ROWS, &text).unwrap();
    }
    let _on_failure = OnFailure::say(
        "if the change is meant: GLASSHIVE_BLESS=1 cargo test --test it golden, and commit the file"
            .to_owned(),
    );
    assert_eq!(text, fs::read_to_string(ROWS).unwrap());
}

#[test]
fn parts_and_threads_make_the_same_file() {
    let plan = plan_file("experiment-parts.json", 20);
    for format in ["csv", "jsonl", "json"] {
        let whole = sweep(&[&plan, "--format", format, "--jobs", "1"]);
        assert_eq!(sweep(&[&plan, "--format", format, "--jobs", "7"]), whole);
        let mut files: Vec<String> = (1..=4)
            .map(|part| {
                let (shard, file) = (format!("{part}/4"), scratch(&format!("experiment-{part}.{format}")));
                sweep(&[&plan, "--format", format, "--shard", &shard, "--out", &file]);
                file
            })
            .collect();
        files.rotate_left(2);
        let arguments: Vec<&str> = ["merge"].into_iter().chain(files.iter().map(String::as_str)).collect();
        let merged = glasshive(&arguments);
        assert_eq!((merged.code, merged.err.as_str()), (0, ""));
        assert!(merged.out == whole, "{format}: {}\n{whole}", merged.out);
        let without = glasshive(&arguments[..4]);
        assert!(without.code == 2 && without.err.contains("is missing"), "{}", without.err);
        let other = scratch("experiment-other");
        fs::write(&other, "workers,requests\n1,2\n").unwrap();
        let wrong = glasshive(&["merge", files[0].as_str(), &other]);
        assert!(wrong.code == 2 && wrong.err.contains("experiment-other is not allowed"), "{}", wrong.err);
    }
}

#[test]
fn a_sweep_that_was_killed_goes_on_where_it_was() {
    let plan = plan_file("experiment-killed.json", 600);
    for format in ["csv", "jsonl"] {
        let whole = sweep(&[&plan, "--format", format]);
        let file = scratch(&format!("experiment-killed.{format}"));
        let args = ["sweep", plan.as_str(), "--format", format, "--out", &file, "--resume", "--jobs", "1"];
        let mut child = Command::new(BINARY).args(args).stdout(Stdio::null()).spawn().unwrap();
        // Some rows, and not all.
        while fs::read_to_string(&file).unwrap_or_default().lines().count() < 4 {
            assert!(child.try_wait().unwrap().is_none(), "it has ended too soon");
            yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = fs::read_to_string(&file).unwrap();
        assert!(left.len() < whole.len() && whole.starts_with(left.trim_end()), "{left}");
        // And the beginning of a row.
        fs::write(&file, format!("{left}{}", &whole[left.len()..][..9])).unwrap();
        let ran = glasshive(&args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(fs::read_to_string(&file).unwrap() == whole, "{format}");
        // The file of another plan is none to go on with.
        let other = plan_file("experiment-killed-other.json", 601);
        let wrong = glasshive(&["sweep", &other, "--format", format, "--out", &file, "--resume"]);
        assert_eq!(wrong.code, 2);
        assert!(wrong.err.contains("resume: ") && wrong.err.contains("the same plan"), "{}", wrong.err);
        assert!(fs::read_to_string(&file).unwrap() == whole, "nothing is lost");
    }
}

#[test]
fn what_is_wrong_with_an_experiment_is_named() {
    let plan = plan_file("experiment-wrong.json", 20);
    for (args, expected) in [
        (vec!["sweep", &plan, "--shard", "5/4"], "shard: 5/4 is not allowed; allowed: i/n"),
        (
            vec!["sweep", &plan, "--format", "xml"],
            "format: xml is not allowed; allowed: one of csv, jsonl, json",
        ),
        (vec!["sweep", &plan, "--jobs", "0"], "jobs: 0 is not allowed"),
        (
            vec!["size", "--vary", "workers=1..3", "--goal", "error_mean=1"],
            "goal: error_mean=1 is not allowed",
        ),
        (
            vec!["size", "--vary", "workers=3..1/0", "--goal", "error_mean<1%"],
            "vary: workers=3..1/0 is not allowed",
        ),
        (
            vec!["compare", "--against", "workers=3", "--requests", "18446744073709551615"],
            "requests: 18446744073709551615 is not allowed; allowed: a whole number from 1 to 1000000",
        ),
        (vec!["compare", "--set", "workers=3"], "against: nothing is not allowed"),
        (
            vec!["compare", "--metric", "tasks", "--against", "workers=3"],
            "metric: tasks is not allowed; allowed: a number within",
        ),
    ] {
        let ran = glasshive(&args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.starts_with(&format!("glasshive: {expected}")), "{}", ran.err);
    }
}

#[test]
fn size_says_from_where_on_all_goals_hold() {
    // All of w workers fail with 0.5^w: four are the least of which fewer than a tenth do.
    let args =
        ["size", "--set", "fail=0.5", "--set", "timeout=3s", "--vary", "workers=1..6", "--requests", "100"];
    let asked = [&args[..], &["--goal", "unanswered_share<10%"]].concat();
    let ran = glasshive(&asked);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("From workers 4 on all goals hold.\n"), "{}", ran.out);
    assert!(ran.out.contains("on fresh seeds: workers 4: meets"), "{}", ran.out);
    assert!(ran.out.contains("before it: workers 3: misses"), "{}", ran.out);
    let json = glasshive(&[&asked[..], &["--json"]].concat()).json();
    assert_eq!((&json["answer"]["workers"], &json["again"]["verdict"]), (&json!(4), &json!("meets")));
    assert!(json["answer"]["unanswered_share_hi"].as_f64().unwrap() < 0.1);
    assert_eq!(json["methods"]["unanswered_share"], "wilson");
    let none = glasshive(&[&args[..], &["--goal", "unanswered_share<0.01%", "--budget", "2000"]].concat());
    assert_eq!(none.code, 1);
    assert!(none.out.starts_with("No value meets all goals. workers 6: "), "{}", none.out);
}

#[test]
fn compare_prints_the_paired_difference() {
    let sides = ["average", "median"].map(|strategy| {
        let path = scratch(&format!("experiment-{strategy}.json"));
        let scenario = json!({"version": 1, "preset": "oracle-http", "seed": 1, "faults": "", "set": {"lie": 0.1, "strategy": strategy}});
        fs::write(&path, scenario.to_string()).unwrap();
        path
    });
    let files = glasshive(&["compare", &sides[0], &sides[1], "--json"]).json();
    let error = &files["figures"]["error_mean"];
    assert!(error["difference"]["hi"].as_f64().unwrap() < 0.0, "the median is better: {error}");
    assert_eq!(error["pairs"], 20);
    let preset = glasshive(&[
        "compare",
        "--set",
        "lie=0.1",
        "--set",
        "strategy=average",
        "--against",
        "strategy=median",
        "--json",
    ]);
    assert_eq!(preset.json(), files, "the same two scenarios");
    let text =
        glasshive(&["compare", "--set", "lie=0.1", "--against", "strategy=median", "--metric", "tasks.late"]);
    assert!(text.out.contains("tasks.late ") && text.out.contains("20 pairs of runs"), "{}", text.out);
}
