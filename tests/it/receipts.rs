//! Receipts: what `glasshive explain` says, recomputed from exported traces by scripts that share no code with it; and the
//! formats in which traces are written.

use super::support::{BINARY, Case, glasshive, keys, scratch};
use glasshive::kernel::{Instant, Sink};
use glasshive::lab::receipt::{Line, Receipt};
use glasshive::lab::{Options, Run};
use serde_json::{Value, json};
use std::process::Command;

/// Runs a script of `tests/receipts`; what it prints last.
fn script(name: &str, args: &[&str]) -> Value {
    let ran =
        Command::new("python3").arg("-B").arg(format!("tests/receipts/{name}")).args(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name} {args:?}:\n{out}{err}");
    serde_json::from_str(out.lines().next_back().unwrap()).unwrap()
}

// --- recomputed from the trace --------------------------------------------------------------------------------------

#[test]
fn receipts_follow_from_the_exported_trace_alone() {
    let told = script("check.py", &[BINARY, "60", "4"]);
    assert_eq!((&told["receipts"], &told["wrong"]), (&json!(60), &json!(0)), "{told}");
    for kind in
        ["request answered", "job done", "working", "failed", "done", "change made", "message arrived"]
    {
        assert!(told["kinds"][kind].as_u64().is_some_and(|count| count > 0), "no {kind}: {told}");
    }
}

#[cfg(not(debug_assertions))]
mod heavy {
    use super::*;

    /// Two hundred of each seed's, and every way to be left out or to be lost at least once.
    #[test]
    fn receipts_follow_from_the_exported_trace_alone_over_many_seeds() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 1..=16 {
            let told = script("check.py", &[BINARY, "200", &seed.to_string()]);
            assert_eq!((&told["receipts"], &told["wrong"]), (&json!(200), &json!(0)), "seed {seed}: {told}");
            seen.extend(told["kinds"].as_object().unwrap().keys().cloned());
        }
        for kind in [
            "answer_lost",
            "answer_on_the_way",
            "dead",
            "died",
            "done_again",
            "failed",
            "hold missing",
            "hold skipped",
            "job lost",
            "lost_with_broker",
            "message lost",
            "message on_the_way",
            "message refused",
            "not_reached",
            "outlier",
            "refused",
            "refused_by",
            "reset",
            "request pending",
            "request unanswered",
            "task_lost",
            "trimmed",
            "version spreading",
            "working",
        ] {
            assert!(seen.contains(kind), "{kind} is not among {seen:?}");
        }
    }
}

#[test]
fn traces_are_written_for_shiviz_and_for_perfetto_as_they_read_them() {
    for preset in ["oracle-http", "oracle-jetstream", "math-wizard", "config"] {
        let files = ["ndjson", "shiviz", "perfetto"].map(|format| {
            let file = scratch(&format!("{preset}.{format}"));
            let args = ["run", "--preset", preset, "--seed", "7", "--for", "12s", "--trace", &file];
            let ran = glasshive(&[&args[..], &["--trace-format", format]].concat());
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            file
        });
        let told = script("formats.py", &files.each_ref().map(String::as_str));
        assert!(told["shiviz"].as_u64() > Some(400) && told["perfetto"].as_u64() > Some(1000), "{told}");
    }
}

// --- what is said ---------------------------------------------------------------------------------------------------

#[test]
fn a_receipt_is_read_by_people_and_by_programs() {
    let args = ["explain", "req-00005", "--seed", "7", "--for", "30s"];
    let ran = glasshive(&args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for part in [
        "req-00005: 42,754.54, +1.47 % off the truth of 42,135.50; 8 used of 12 asked, in 1.510 s\n",
        "8.473 s  w-10  43,560.75  +3.38 %  #508\n",
        "it refused the connection; down since 8.000 s  #496\n",
        "it was still at work (no answer within 1.5s); its work takes 1.8",
        "  342,036.32 ÷ 8 = 42,754.54\n",
        "   weighted-median      43,084.00  +2.25 %\n",
        "\nVerbatim\n  {\"final_value\":42754.54020476017,",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    let json = glasshive(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(keys(&json), ["end", "id", "numbers", "of", "raw", "sections", "title"]);
    let sections: Vec<&Value> =
        json["sections"].as_array().unwrap().iter().map(|section| &section["key"]).collect();
    assert_eq!(sections, ["course", "used", "left_out", "arithmetic", "others"]);
    let line = &json["sections"][1]["lines"][0];
    assert_eq!(keys(line), ["causes", "key", "n", "node", "numbers", "t_ns", "text"]);
}

#[test]
fn a_lost_job_names_what_lost_it_and_several_receipts_are_one_a_line() {
    let scenario = ["--preset", "lost-job", "--seed", "7"];
    let report = glasshive(&[&["run", "--json"], &scenario[..]].concat()).json();
    let jobs = report["jobs"].as_array().unwrap();
    let lost = jobs.iter().find(|job| job["end"] == "lost").unwrap();
    let id = lost["id"].as_str().unwrap();
    let ran = glasshive(&[&["explain", id, "req-00001", "--json"], &scenario[..]].concat());
    let receipts: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [job, submission] = &receipts[..] else { panic!("{}", ran.out) };
    assert_eq!((&job["end"], &submission["end"]), (&json!("lost"), &json!("accepted")));
    let ends = &job["sections"][2]["lines"];
    assert_eq!((&ends[0]["key"], &ends[0]["t_ns"]), (&json!("lost"), &json!(9_500_000_000_u64)));
    assert_eq!(ends[0]["node"], "c-01-worker-1");
    assert_eq!(ends[0]["causes"].as_array().map(Vec::len), Some(1), "the crash of the worker: {}", ends[0]);
}

#[test]
fn an_unknown_id_is_bad_input_that_says_what_there_is() {
    for (args, parts) in [
        (&["req-00099", "--for", "5s"][..], &["id: req-00099", "from req-00001 to req-00003"][..]),
        (&["w-03@v2", "--for", "5s"], &["id: w-03@v2", "from req-00001 to req-00003"]),
        (&["req-00001", "--for", "100ms"], &["id: req-00001", "there is none"]),
        (
            &["nope", "--preset", "math-wizard", "--for", "5s"],
            &["id: nope", "a job's id", "from req-00001 to req-0"],
        ),
        (&["v99", "--preset", "config"], &["id: v99", "from v1 to v38", "a-01 to a-03 and w-01 to w-06"]),
        (&["w-07@v2", "--preset", "config"], &["id: w-07@v2", "w-01 to w-06"]),
        (&["v2@w-01", "--preset", "config"], &["id: v2@w-01", "w-01@v1"]),
        (&["req-00001", "--for", "5"], &["for: 5", "unit"]),
        (&["req-00001", "--set", "workers=0"], &["workers: 0"]),
        (&[], &["<ID>"]),
    ] {
        let ran = glasshive(&[&["explain"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        for part in parts {
            assert!(ran.err.contains(part), "{args:?}: {part:?} is not in {}", ran.err);
        }
    }
    let ran = glasshive(&["run", "--for", "1s", "--trace", &scratch("never"), "--trace-format", "xml"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("trace-format: xml") && ran.err.contains("ndjson, shiviz, perfetto"),
        "{}",
        ran.err
    );
}

// --- on a run that goes on ------------------------------------------------------------------------------------------

fn played(preset: &str, sink: Sink, facts: usize) -> Run {
    let case = Case::preset(preset, 7).seconds(40);
    let mut run = Run::new(&case.scenario, Options { sink, facts, ..Options::default() }).unwrap();
    run.run_until(Instant::MAX);
    run
}

fn lines(receipt: &Receipt) -> impl Iterator<Item = &Line> {
    receipt.sections.iter().flat_map(|section| &section.lines)
}

#[test]
fn a_running_run_gives_receipts_of_what_it_keeps_and_asking_changes_nothing() {
    for (preset, id) in [("oracle-http", "req-00015"), ("oracle-nats", "req-00015"), ("config", "w-03@v4")] {
        let (all, page) =
            (played(preset, Sink::Full, usize::MAX), played(preset, Sink::Ring(100_000), 100_000));
        let hash = page.trace_hash();
        let receipt = page.receipt(id).unwrap();
        assert_eq!(receipt, all.receipt(id).unwrap(), "{preset}");
        assert!(lines(&receipt).filter(|line| line.n.is_some()).count() > 10, "{}", receipt.to_text());
        assert_eq!((page.trace_hash(), &hash), (all.trace_hash(), &hash));
    }
}

#[test]
fn what_the_trace_does_not_keep_any_more_has_no_place_in_it() {
    let run = played("oracle-http", Sink::Ring(20), usize::MAX);
    let receipt = run.receipt("req-00005").unwrap();
    assert!(lines(&receipt).all(|line| line.n.is_none()), "{}", receipt.to_text());
    assert_eq!((receipt.end, receipt.numbers["asked"], receipt.numbers["used"]), ("answered", 12.0, 8.0));
    // Nor is there a receipt without the facts, or of what a ledger has dropped.
    let none = played("oracle-http", Sink::Full, 0);
    assert!(none.receipt("req-00005").is_err());
}
