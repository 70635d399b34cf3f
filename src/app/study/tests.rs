//! Plans and rows as workers tell them, and what is read out of them.

use super::answer::{Answer, answer as read};
use super::draft::{Described, Draft};
use super::played::Played;
use super::rows::{Row, chart, place_of};
use crate::lab::Scenario;
use crate::lab::experiment::{Plan, Verdict, describe};
use serde_json::{Value, json};

fn described(preset: &str) -> Described {
    let said = describe(&Scenario::preset(preset, 31)).expect("it can be described");
    serde_json::from_value(said).expect("the panel can read it")
}

/// A plan over workers and strategies, with rows of given errors in its order; the interval is a tenth to both sides.
fn sweep(errors: &[f64]) -> (Described, Plan, Vec<Row>) {
    let plan = json!({
        "version": 1, "base": { "preset": "oracle-http" },
        "axes": [{ "key": "workers", "values": [3, 5, 9] }, { "key": "strategy", "values": ["average", "median"] }],
        "requests": 10, "seeds": { "first": 1, "count": 4 },
        "goals": [{ "metric": "error_mean", "below": 0.01 }],
    });
    let plan = Plan::from_json(&plan.to_string()).expect("a plan");
    let row = |(i, error): (usize, &f64)| {
        let (low, high) = (error * 0.9, error * 1.1);
        let verdict = if high < 0.01 {
            "meets"
        } else if low >= 0.01 {
            "misses"
        } else {
            "undecided"
        };
        let cells = json!({
            "workers": ([3, 5, 9][i / 2]), "strategy": (["average", "median"][i % 2]), "requests": 40, "answered": 39,
            "error_mean": error, "error_mean_lo": low, "error_mean_hi": high, "verdict": verdict,
        });
        let Value::Object(cells) = cells else { unreachable!() };
        Row::of(&plan, cells)
    };
    let rows = errors.iter().enumerate().map(row).collect();
    (described("oracle-http"), plan, rows)
}

fn answer(said: &Described, plan: &Plan, rows: &[Row]) -> Option<Answer> {
    let mut played = Played::new(plan.clone());
    played.rows = rows.to_vec();
    read(said, &played)
}

#[test]
fn a_plan_survives_being_written_down_and_read() {
    let text = std::fs::read_to_string("examples/plan-oracle.json").expect("the example");
    let plan = Plan::from_json(&text).expect("a plan");
    let draft = Draft::of(&plan, &described("oracle-http"));
    assert_eq!(draft.vary[1].text, "average, median, majority");
    let again = draft.plan().expect("it can be read");
    // A limit is text in a sentence.
    let mut said = plan.clone();
    said.goals[0].below = Some(json!("0.01"));
    assert_eq!(again, said);
    for preset in ["oracle-http", "oracle-nats", "math-wizard", "config"] {
        let draft = Draft::new(&described(preset));
        let plan = draft.plan().expect("what the panel opens with is a plan");
        plan.check().unwrap_or_else(|wrong| panic!("{preset}: {wrong}"));
        assert!(!draft.faults.is_empty() || preset != "oracle-http");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let wrong = super::draft::read_plan(
        r#"{"version":2,"base":{"preset":"x"},"requests":1,"seeds":{"first":1,"count":1}}"#,
    );
    assert_eq!(wrong.expect_err("another version").to_string(), "version: 2 is not allowed; allowed: 1");
    let mut draft = Draft::new(&described("oracle-http"));
    draft.seeds = "many".to_owned();
    assert_eq!(
        draft.plan().expect_err("no number").to_string(),
        "seeds: many is not allowed; allowed: a whole number"
    );
    draft.seeds = "20".to_owned();
    for (text, says) in
        [("0.1..0.3/0.1", "fail: 0.1..0.3/0.1 is not allowed"), ("0.1, 0.2", "fail: 0.1, 0.2 is not allowed")]
    {
        draft.put("fail", text.to_owned());
        let wrong = draft.plan().and_then(Plan::check).expect_err("two values").to_string();
        assert!(wrong.starts_with(says), "{wrong}");
    }
}

#[test]
fn the_first_point_from_which_on_all_meet_is_the_answer_and_the_one_before_is_told() {
    // Workers 3, 5, 9; average, median of each.
    let (said, plan, rows) = sweep(&[0.03, 0.02, 0.02, 0.0098, 0.012, 0.005]);
    let found = answer(&said, &plan, &rows).expect("an answer");
    assert_eq!((found.verdict, found.row, found.what.as_str()), (Verdict::Meets, 5, "workers 9, median"));
    assert_eq!(
        found.rest,
        "is the first point from which on the goal is met: mean error 0.50 % (0.45 to 0.55 %). \
         The point before it, workers 5, median, is undecided: mean error 0.98 % (0.88 to 1.08 %)."
    );
    // A point that meets by chance, with one behind it that misses, is not the answer.
    let (_, _, rows) = sweep(&[0.03, 0.005, 0.02, 0.02, 0.004, 0.005]);
    assert_eq!(answer(&said, &plan, &rows).map(|found| found.row), Some(4));
}

#[test]
fn where_nothing_meets_the_closest_is_told_and_what_is_open() {
    let (said, plan, rows) = sweep(&[0.03, 0.02, 0.02, 0.018, 0.015, 0.013]);
    let found = answer(&said, &plan, &rows).expect("an answer");
    assert_eq!((found.verdict, found.row), (Verdict::Misses, 5));
    assert_eq!(found.what, "No tested point meets the goal; closest is workers 9, median");
    let (said, plan, rows) = sweep(&[0.03, 0.02, 0.02, 0.0101]);
    let found = answer(&said, &plan, &rows).expect("an answer");
    assert_eq!((found.verdict, found.row), (Verdict::Undecided, 3));
    assert!(found.rest.ends_with("Of the 4 points played so far."), "{}", found.rest);
    assert_eq!(answer(&said, &plan, &[]), None);
}

#[test]
fn a_line_for_each_choice_goes_along_the_quantities() {
    let (said, plan, rows) = sweep(&[0.03, 0.02, 0.02, 0.0098, 0.012]);
    let drawn = chart(&said, &plan, &rows, "error_mean");
    assert_eq!(drawn.across, "workers");
    assert_eq!(drawn.lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["average", "median"]);
    assert_eq!(
        drawn.lines[1].points.iter().map(|point| point.map(|point| point.value)).collect::<Vec<_>>(),
        [Some(0.02), Some(0.0098), None]
    );
    assert_eq!(drawn.goal.as_ref().map(|goal| goal.label.as_str()), Some("goal: mean error < 1 %"));
    assert_eq!(place_of(&plan, 0, 5), (1, 2));
    let svg = drawn.svg(600.0, 300.0);
    assert_eq!(svg.matches("study-band").count(), 2);
    assert_eq!(svg.matches("<path class=\"study-point").count(), 5);
    assert_eq!(svg.matches("study-open").count(), 1, "the undecided one");
    assert!(svg.contains(">goal: mean error &lt; 1 %<"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    for size in [(300.0, 180.0), (1400.0, 500.0)] {
        assert!(!super::chart::Chart::default().svg(size.0, size.1).contains("NaN"));
    }
}

#[test]
fn what_a_search_found_is_told_with_fresh_seeds_and_the_point_before() {
    let (said, plan, rows) = sweep(&[0.03, 0.02, 0.02, 0.0095, 0.012, 0.005]);
    let cells = |i: usize| Value::Object(rows[i].cells.clone());
    let told = json!({
        "text": "", "plan": plan, "complete": true, "faults": [], "methods": { "error_mean": "t" }, "until": null,
        "answer": cells(5), "again": cells(5), "before": cells(3), "rows": [cells(3), cells(4), cells(5)],
    });
    let mut played = Played::seeking(plan.clone());
    // In an order of its own; the points so far are no answer.
    for i in [5, 3, 4] {
        played.take(&cells(i).to_string());
        assert_eq!(read(&said, &played), None);
    }
    assert_eq!(played.rows, &rows[3..]);
    played.conclude(&told.to_string(), 1234.0, true);
    let found = read(&said, &played).expect("an answer");
    assert_eq!((found.row, found.what.as_str()), (2, "workers 9, median"));
    assert_eq!(
        found.rest,
        "is the least that meets the goal: mean error 0.50 % (0.45 to 0.55 %). On fresh seeds: mean error 0.50 % \
         (0.45 to 0.55 %). The point before it, workers 5, median, is undecided: mean error 0.95 % (0.85 to 1.05 %)."
    );
    let drawn = chart(&said, &plan, &played.rows, "error_mean");
    assert_eq!(drawn.lines[1].points.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
    let table = played.table(&said);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.starts_with("workers,strategy,requests,answered,unanswered,unanswered_share,"), "{table}");
    assert_eq!(Played::from_json(&played.to_json()), Some(played));
}
