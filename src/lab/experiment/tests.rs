//! Plans, rows, verdicts, sizing and pairs. What takes thousands of runs is in `tests/it/intervals.rs`.

use super::interval::{bootstrap, order_ranks, wilson};
use super::metric::GoalText;
use super::rows::{Format, Shard};
use super::*;
use crate::kernel::Rng;
use crate::lab::quantiles::Quantiles;
use crate::lab::recorder::Window;
use crate::lab::scenario::Scenario;
use serde_json::json;

/// The oracle with one worker, which answers some time between 0.1 and 2 s: nobody is late.
fn plan(set: serde_json::Value, rest: serde_json::Value) -> Plan {
    let mut plan = json!({
        "version": 1, "base": {"preset": "oracle-http", "set": set}, "requests": 5, "seeds": {"first": 1, "count": 4},
    });
    for (key, value) in rest.as_object().unwrap() {
        plan[key] = value.clone();
    }
    Plan::from_json(&plan.to_string()).unwrap()
}

/// Plays what some work needs; what comes back does so in an order that the seed decides.
fn play_shuffled(work: &mut impl Work, metrics: &[Metric], seed: u64) {
    let mut rng = Rng::new(seed);
    let mut under_way: Vec<Box<Task>> = Vec::new();
    loop {
        while under_way.len() < 7
            && let Next::Task(task) = work.next()
        {
            under_way.push(task);
        }
        if under_way.is_empty() {
            return assert!(matches!(work.next(), Next::Done));
        }
        let task = under_way.swap_remove(rng.below(under_way.len() as u64) as usize);
        let outcome = play(&task.scenario, task.window, metrics).unwrap();
        work.take(&task, outcome).unwrap();
    }
}

fn rows_of(plan: Plan, seed: u64) -> Vec<String> {
    let mut sweep = Sweep::new(plan.check().unwrap());
    sweep.add(0..sweep.plan().points);
    let metrics = sweep.plan().metrics.clone();
    play_shuffled(&mut sweep, &metrics, seed);
    assert_eq!(sweep.progress().0, sweep.progress().1);
    std::iter::from_fn(|| sweep.pop().map(|row| rows::line(sweep.plan(), &row, Format::Csv))).collect()
}

#[test]
fn rows_are_the_same_in_whatever_order_runs_come_back() {
    let plan = plan(
        json!({"fail": 0.3, "timeout": "1.2s"}),
        json!({
            "axes": [{"key": "workers", "values": [1, 2, 5]}, {"key": "strategy", "values": ["average", "weighted-median"]}],
            "goals": [{"metric": "error_mean", "below": "2%"}],
            "stop": {"adaptive": true, "budget_requests": 60},
        }),
    );
    let rows = rows_of(plan.clone(), 1);
    assert_eq!(rows.len(), 6);
    assert!(rows[0].starts_with("1,average,") && rows[1].starts_with("1,weighted-median,"), "{rows:?}");
    assert!(
        rows.iter().any(|row| row.split(',').nth(2) == Some("60")),
        "one took the whole budget: {rows:?}"
    );
    for seed in 2..6 {
        assert_eq!(rows_of(plan.clone(), seed), rows);
    }
}

#[test]
fn a_row_is_what_the_runs_themselves_report() {
    let plan = plan(
        json!({"workers": 3, "fail": 0.5}),
        json!({"requests": 10, "warmup": 2, "seeds": {"first": 5, "count": 1}, "metrics": ["tasks.failed"]}),
    );
    let plan = plan.check().unwrap();
    let outcome = play(&plan.scenario(0, 5), plan.window(), &plan.metrics).unwrap();
    // The same requests, each as the run tells of it.
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let hear = std::rc::Rc::clone(&told);
    let entries = move |entry: serde_json::Value| hear.borrow_mut().push(entry);
    let options = crate::lab::Options {
        entries: Some(std::rc::Rc::new(std::cell::RefCell::new(entries))),
        ..crate::lab::Options::default()
    };
    let mut run = crate::lab::Run::new(&plan.scenario(0, 5), options).unwrap();
    run.run_until(crate::kernel::Instant::from_millis(60_000));
    let told = told.borrow();
    let counted: Vec<_> = told
        .iter()
        .filter(|entry| {
            let id = entry["request_id"].as_str().unwrap();
            ("req-00003"..="req-00012").contains(&id)
        })
        .collect();
    assert_eq!(counted.len(), 10);
    let answered = counted.iter().filter(|entry| entry["error"].is_null()).count();
    assert!(answered < 10, "some failed");
    assert_eq!(outcome.answered, answered as u64);
    let latency = |entry: &&&serde_json::Value| {
        entry["error"]
            .is_null()
            .then(|| entry["answered_at_ms"].as_f64().unwrap() - entry["requested_at_ms"].as_f64().unwrap())
    };
    let expected: Vec<f64> = counted.iter().filter_map(|entry| latency(&entry)).collect();
    let close = outcome.samples[1].iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close && outcome.samples[1].len() == expected.len(), "{:?} {expected:?}", outcome.samples[1]);
    assert_eq!(outcome.figures.len(), 1);
    assert!(outcome.figures[0].unwrap() > 0.0);
}

#[test]
fn what_never_ends_counts_as_unanswered() {
    let scenario = |horizon: &str| {
        let mut scenario = Scenario::preset("oracle-http", 1);
        scenario.horizon = Some(horizon.into());
        scenario
    };
    let window = Window { warmup: 0, requests: 10 };
    // One request every two seconds, from 0.2 s on.
    let outcome = play(&scenario("5s"), window, &[]).unwrap();
    assert!(outcome.answered <= 3, "{outcome:?}");
    assert_eq!(play(&scenario("60s"), window, &[]).unwrap().answered, 10);
}

#[test]
fn every_system_measures_its_units_of_work() {
    for (preset, set, measures) in [
        ("oracle-nats", json!({}), 2),
        ("oracle-jetstream", json!({}), 2),
        ("math-wizard", json!({}), 2),
        ("config", json!({"put-period": "20s"}), 2),
    ] {
        let mut scenario = Scenario::preset(preset, 3);
        scenario.faults = Some(String::new());
        scenario.horizon = Some("24h".into());
        scenario.set = serde_json::from_value(set).unwrap();
        let outcome = play(&scenario, Window { warmup: 1, requests: 6 }, &[]).unwrap();
        assert_eq!(
            (outcome.answered, outcome.samples.len(), &outcome.fault),
            (6, measures, &None),
            "{preset}"
        );
        assert!(outcome.samples.iter().all(|samples| samples.len() >= 6), "{preset}: {:?}", outcome.samples);
    }
}

// --- what is wrong with a plan -------------------------------------------------------------------------------------

#[test]
fn what_is_wrong_with_a_plan_is_named() {
    let check = |rest: serde_json::Value| plan(json!({}), rest).check().unwrap_err().to_string();
    for (rest, expected) in [
        (json!({"requests": 0}), "requests: 0 is not allowed; allowed: a whole number from 1 to 1000000"),
        (json!({"seeds": {"first": 1, "count": 0}}), "seeds.count: 0"),
        (json!({"version": 2}), "version: 2"),
        (json!({"axes": [{"key": "workers", "values": []}]}), "axes[0].values: nothing"),
        (
            json!({"axes": [{"key": "workers", "values": [3, 0]}]}),
            "workers: 0 is not allowed; allowed: a whole number from 1 to 10000",
        ),
        (
            json!({"axes": [{"key": "workers", "values": [1]}, {"key": "workers", "values": [2]}]}),
            "axes[1].key: workers",
        ),
        (
            json!({"goals": [{"metric": "speed", "below": 1}]}),
            "metric: speed is not allowed; allowed: unanswered_share; error or latency",
        ),
        (
            json!({"goals": [{"metric": "latency_p99", "below": 1.2}]}),
            "latency_p99: 1.2 is not allowed; allowed: a duration with its unit",
        ),
        (
            json!({"goals": [{"metric": "error_mean"}]}),
            "goals: error_mean is not allowed; allowed: a metric with either below or above",
        ),
        (json!({"metrics": ["error_p101"]}), "metric: error_p101"),
        (json!({"stop": {"budget_requests": 0}}), "stop.budget_requests: 0"),
        (json!({"stop": {"budget_requests": u64::MAX}}), "stop.budget_requests: 18446744073709551615"),
    ] {
        let error = check(rest);
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    let unknown = Plan::from_json(r#"{"version": 1, "base": {"preset": "config", "sett": {}}}"#).unwrap_err();
    assert!(unknown.to_string().contains("sett"), "{unknown}");
}

#[test]
fn what_is_varied_is_read_as_people_write_it() {
    let axis = |text| Axis::parse(text).map(|axis| axis.values);
    assert_eq!(axis("workers=3..6").unwrap(), [json!(3), json!(4), json!(5), json!(6)]);
    assert_eq!(axis("workers=3..8/2").unwrap(), [json!(3), json!(5), json!(7)]);
    assert_eq!(axis("lie=0..0.3/0.1").unwrap(), [json!(0), json!(0.1), json!(0.2), json!(0.3)]);
    assert_eq!(axis("timeout=0.9s..1.1s/100ms").unwrap(), [json!("900ms"), json!("1s"), json!("1.1s")]);
    assert_eq!(axis("strategy=median,average").unwrap(), [json!("median"), json!("average")]);
    assert_eq!(axis("lie=0.5..0.3/0.1").unwrap(), [json!(0.5), json!(0.4), json!(0.3)]);
    for wrong in ["workers", "workers=1..3/0", "timeout=2s,1s,3s", "workers=1..x"] {
        let error = Axis::parse(wrong).unwrap_err();
        assert_eq!((error.field.as_str(), error.value.as_str()), ("vary", wrong));
    }
}

// --- verdicts and rows ---------------------------------------------------------------------------------------------

#[test]
fn only_a_whole_interval_meets_a_goal_or_misses_it() {
    let settings = Scenario::preset("oracle-http", 1).settings().unwrap();
    let judge = |text: &str, low, high| {
        let goal = GoalText::parse(text).unwrap();
        let goal = Goal::of(&goal, &mut Vec::new(), &*settings).unwrap();
        goal.judge(Some(Interval { value: 0.01, low, high }))
    };
    assert_eq!(judge("error_mean<1.2%", Some(0.008), Some(0.0119)), Verdict::Meets);
    assert_eq!(judge("error_mean<1.2%", Some(0.008), Some(0.012)), Verdict::Undecided);
    assert_eq!(judge("error_mean<1.2%", Some(0.012), Some(0.02)), Verdict::Misses);
    assert_eq!(judge("error_mean>1.2%", Some(0.0121), None), Verdict::Meets);
    assert_eq!(judge("error_mean<1.2%", Some(0.0), None), Verdict::Undecided, "no bound is no bound");
    let goal = GoalText::parse("latency_p99 < 1.2s").unwrap();
    let goal = Goal::of(&goal, &mut Vec::new(), &*settings).unwrap();
    assert_eq!((goal.limit, goal.judge(None)), (1200.0, Verdict::Misses));
    assert_eq!(Verdict::all([Verdict::Meets, Verdict::Undecided, Verdict::Misses]), Verdict::Misses);
    assert_eq!(Verdict::all([Verdict::Meets, Verdict::Undecided]), Verdict::Undecided);
}

#[test]
fn a_cell_is_no_formula_and_shards_share_a_plan() {
    let line =
        rows::csv_line([json!("=1+1"), json!(-0.5), json!("a,\"b\""), json!(null), json!("@x"), json!(1e-7)]);
    assert_eq!(line, "'=1+1,-0.5,\"a,\"\"b\"\"\",,'@x,1e-7\n");
    for parts in 1..6 {
        let mut all: Vec<usize> = (1..=parts).flat_map(|part| Shard { part, parts }.points(11)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..11).collect::<Vec<_>>());
    }
}

// --- intervals -----------------------------------------------------------------------------------------------------

#[test]
fn ranks_and_scores_are_those_of_the_tables() {
    // David and Nagaraja's table of intervals for the median.
    for (n, ranks) in [(6, (1, 6)), (10, (2, 9)), (15, (4, 12)), (20, (6, 15)), (100, (40, 61))] {
        assert_eq!(order_ranks(n, 0.5), (Some(ranks.0), Some(ranks.1)), "{n}");
    }
    assert_eq!(order_ranks(5, 0.5), (None, None), "five are too few for 95 %");
    assert_eq!(order_ranks(200, 0.99).1, None);
    assert!(order_ranks(1_000_000, 0.99).1.is_some());
    // Wilson's, from E. B. Wilson's formula by hand: 1 of 10, and none of 10.
    let score = wilson(1, 10).unwrap();
    assert!((score.low.unwrap() - 0.01788).abs() < 1e-5 && (score.high.unwrap() - 0.40415).abs() < 1e-5);
    let none = wilson(0, 10).unwrap();
    assert!(none.low == Some(0.0) && (none.high.unwrap() - 0.27753).abs() < 1e-5);
}

#[test]
fn the_bootstrap_knows_that_a_run_is_one_sample() {
    // Each section is one value many times: what varies is between them.
    let mut rng = Rng::new(1);
    let sections: Vec<Quantiles> = (0..20)
        .map(|_| {
            let level = rng.unit();
            (0..50).map(|_| level).collect()
        })
        .collect();
    let clustered = bootstrap(&sections, 50.0, 1).unwrap();
    let width = clustered.high.unwrap() - clustered.low.unwrap();
    assert!(width > 0.2, "{clustered:?}");
    let spread: Vec<Quantiles> = (0..20).map(|_| (0..50).map(|_| rng.unit()).collect()).collect();
    let independent = bootstrap(&spread, 50.0, 1).unwrap();
    assert!(independent.high.unwrap() - independent.low.unwrap() < width / 2.0);
    assert_eq!(bootstrap(&sections[..1], 50.0, 1).unwrap().low, None, "one run says nothing of others");
}

// --- sizing --------------------------------------------------------------------------------------------------------

#[test]
fn the_least_that_meets_is_found_where_theory_has_it() {
    // All of w workers fail with probability 0.5^w: below 10 % from four on, by 6.25 %; three have 12.5 %.
    let plan = plan(
        json!({"fail": 0.5, "timeout": "3s"}),
        json!({
            "axes": [{"key": "workers", "values": [1, 2, 3, 4, 5, 6]}],
            "goals": [{"metric": "unanswered_share", "below": "10%"}],
            "requests": 100, "stop": {"adaptive": true, "budget_requests": 20_000},
        }),
    );
    let mut sizing = Sizing::new(plan.check().unwrap()).unwrap();
    let metrics = sizing.plan().metrics.clone();
    play_shuffled(&mut sizing, &metrics, 1);
    let Answer { least, again, before, until } = sizing.answer().unwrap().clone();
    assert_eq!(least.as_ref().map(|row| (row.point, row.verdict)), Some((3, Some(Verdict::Meets))));
    assert_eq!(again.map(|row| row.verdict), Some(Some(Verdict::Meets)));
    assert_eq!(before.map(|row| (row.point, row.verdict)), Some((2, Some(Verdict::Misses))));
    assert!(sizing.rows().all(|row| row.point >= 2), "nobody looks below what misses");
    assert_eq!(until, None);
}

#[test]
fn what_descends_has_a_greatest_and_what_may_be_too_much_has_an_end() {
    let size = |set, axis: &str, goals: serde_json::Value| {
        let axis = Axis::parse(axis).unwrap();
        let rest = json!({"axes": [axis], "goals": goals, "requests": 100, "stop": {"adaptive": true, "budget_requests": 20_000}});
        let mut sizing = Sizing::new(plan(set, rest).check().unwrap()).unwrap();
        let metrics = sizing.plan().metrics.clone();
        play_shuffled(&mut sizing, &metrics, 4);
        sizing.answer().unwrap().clone()
    };
    let share = |limit: &str| json!({"metric": "unanswered_share", "below": limit});
    // Of two workers both fail with fail²: 0.3² is below 10 %, 0.4² is not.
    let most = size(json!({"workers": 2, "timeout": "3s"}), "fail=0.6..0.1/0.1", json!([share("10%")]));
    assert_eq!(most.least.map(|row| row.point), Some(3));
    // One worker that needs up to 2.15 s: late in less than 10 % from 1.96 s on; and nobody waits for more than 2.05 s.
    let goals = json!([share("10%"), {"metric": "latency_p99", "below": "2.06s"}]);
    let both = size(json!({"workers": 1, "fail": 0}), "timeout=1.8s..2.6s/0.1s", goals);
    assert_eq!((both.least.map(|row| row.point), both.until), (Some(2), Some(json!("2s"))));
}

#[test]
fn of_several_keys_the_first_is_least_then_the_next() {
    let axes = json!([
        {"key": "workers", "values": [1, 2, 3, 4]},
        {"key": "fail", "values": [0.1, 0.3, 0.6]},
    ]);
    let size = |limit: &str| {
        let goals = json!([{"metric": "unanswered_share", "below": limit}]);
        let rest = json!({"axes": axes, "goals": goals, "requests": 100, "stop": {"adaptive": true, "budget_requests": 20_000}});
        let mut sizing = Sizing::new(plan(json!({"timeout": "3s"}), rest).check().unwrap()).unwrap();
        let metrics = sizing.plan().metrics.clone();
        play_shuffled(&mut sizing, &metrics, 2);
        sizing.answer().unwrap().clone()
    };
    // 0.1² is below 5 %, and one worker does not do.
    assert_eq!(size("5%").least.map(|row| row.point), Some(3));
    // Nothing is below 0.001 % of so few; the largest value is what was looked at.
    let none = size("0.001%");
    assert!(none.least.is_none() && none.before.is_some(), "{none:?}");
}

// --- pairs ---------------------------------------------------------------------------------------------------------

/// Half the width of the paired interval of the mean error, and what it would be of independent seeds.
fn widths(a: serde_json::Value, b: serde_json::Value) -> (f64, f64) {
    let side = |set| {
        let mut scenario = Scenario::preset("oracle-http", 1);
        scenario.set = serde_json::from_value(set).unwrap();
        (scenario.faults, scenario.horizon) = (Some(String::new()), Some("24h".into()));
        scenario
    };
    let window = Window { warmup: 0, requests: 100 };
    let mut pairs = Comparison::new([side(a), side(b)], window, 1, 30).unwrap();
    let metrics = pairs.metrics().to_vec();
    play_shuffled(&mut pairs, &metrics, 3);
    let place = metrics.iter().position(|metric| metric.name == "error_mean").unwrap();
    let difference = pairs.differences().swap_remove(place);
    let half = |interval: Option<Interval>| interval.map(|i| i.high.unwrap() - i.value).unwrap();
    assert_eq!(difference.pairs, 30);
    (half(difference.difference), half(difference.a).hypot(half(difference.b)))
}

#[test]
fn common_random_numbers_narrow_the_difference() {
    let lying = json!({"lie": 0.0834});
    let (paired, apart) = widths(lying, json!({"lie": 0.0834, "strategy": "median"}));
    assert!(apart / paired >= 1.25, "average against median: {}", apart / paired);
    let (paired, apart) = widths(json!({"timeout": "1.15s"}), json!({"timeout": "1.20s"}));
    assert!(apart / paired >= 3.0, "timeouts: {}", apart / paired);
}
