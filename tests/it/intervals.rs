//! Do 95 % intervals hold the true value as often as they say? A plan whose answers are known, played a thousand times. And do the answers of
//! sizing hold on seeds that it has not seen?

use glasshive::lab::Invalid;
use glasshive::lab::experiment::{Interval, Method, Plan, Row, Sizing, Sweep, Verdict, threads};
use serde_json::{Value, json};

const REPETITIONS: u64 = 1_000;
const SEEDS: u64 = 12;
const REQUESTS: u64 = 20;

/// One worker that always answers. A request takes 10 ms to and from the coordinator, twice 50 ms and two jitters of up to 20 ms
/// to and from the worker, and there 100 to 2,000 ms: 130 ms to 150 ms on average, with all but the last of it spread evenly.
/// So between 250 ms and 2,110 ms the share above x is (2130 ms − x) / 1900 ms, exactly; the mean is that of the parts.
const MEAN_MS: f64 = 10.0 + 100.0 + 20.0 + 1050.0;
const P95_MS: f64 = 2130.0 - 0.05 * 1900.0;
const OVER_MS: f64 = 1500.0;
const OVER: f64 = (2130.0 - OVER_MS) / 1900.0;

/// The rows of the repetitions, each with seeds of its own.
fn rows(strategy: &str) -> (Vec<Row>, Vec<(String, Method)>) {
    let plan = json!({
        "version": 1, "base": {"preset": "oracle-http", "set": {"workers": 1, "fail": 0, "timeout": "1m", "strategy": strategy}},
        "requests": REQUESTS, "seeds": {"first": 1, "count": SEEDS}, "metrics": ["latency_over(1500ms)"],
    });
    let mut sweep = Sweep::new(Plan::from_json(&plan.to_string()).unwrap().check().unwrap());
    (0..REPETITIONS).for_each(|repetition| sweep.add_with_seeds(0, 1 + repetition * SEEDS));
    let metrics = sweep.plan().metrics.clone();
    threads::drive(&mut sweep, &metrics, threads::cores(), |_| Ok::<(), Invalid>(())).unwrap();
    let rows: Vec<Row> = std::iter::from_fn(|| sweep.pop()).collect();
    assert_eq!(rows.len(), REPETITIONS as usize);
    let methods = sweep.plan().methods().map(|(metric, method)| (metric.name.clone(), method)).collect();
    (rows, methods)
}

/// In how many of a hundred repetitions a metric's interval has the true value; and how it was found.
fn coverage((rows, methods): &(Vec<Row>, Vec<(String, Method)>), metric: &str, truth: f64) -> (f64, Method) {
    let place = methods.iter().position(|(name, _)| name == metric).unwrap();
    let holds = |row: &&Row| {
        let Interval { low, high, .. } = row.figures[place].unwrap();
        low.unwrap() <= truth && truth <= high.unwrap()
    };
    (rows.iter().filter(holds).count() as f64 * 100.0 / rows.len() as f64, methods[place].1)
}

/// The probability of each count among n, by the recursion from the most likely on.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let mut mass = vec![0.0; n as usize + 1];
    let mode = (n as f64 * p) as usize;
    mass[mode] = 1.0;
    for k in mode..n as usize {
        mass[k + 1] = mass[k] * (n as f64 - k as f64) / (k as f64 + 1.0) * p / (1.0 - p);
    }
    for k in (0..mode).rev() {
        mass[k] = mass[k + 1] * (k as f64 + 1.0) / (n as f64 - k as f64) * (1.0 - p) / p;
    }
    let sum: f64 = mass.iter().sum();
    mass.iter().map(|x| x / sum).collect()
}

#[test]
fn heavy_intervals_hold_the_truth_as_often_as_they_say() {
    let n = SEEDS * REQUESTS;
    let independent = rows("average");
    let (t, method) = coverage(&independent, "latency_mean", MEAN_MS);
    println!("t: {t} %");
    assert!(method == Method::T && (93.0..=97.0).contains(&t), "{t} %");

    // Wilson's holds the truth at those counts whose interval has it; their probability is binomial.
    let z = 1.959_963_984_540_054_f64;
    let share = |k: usize| k as f64 / n as f64;
    let inside = |k: usize| (share(k) - OVER).abs() <= z * (OVER * (1.0 - OVER) / n as f64).sqrt();
    let exact: f64 =
        binomial(n, OVER).iter().enumerate().filter(|(k, _)| inside(*k)).map(|(_, p)| p).sum::<f64>() * 100.0;
    let (wilson, method) = coverage(&independent, "latency_over(1500ms)", OVER);
    println!("Wilson: {wilson} %, exact {exact:.2} %");
    assert!(method == Method::Wilson && (wilson - exact).abs() <= 2.0, "{wilson} %, exact {exact} %");

    // The truth is between the sorted samples of two ranks when so many samples are below it.
    let below = binomial(n, 0.95);
    let (mut sum, mut low, mut high) = (0.0, 0, 0);
    for (k, p) in below.iter().enumerate() {
        sum += p;
        if sum <= 0.025 {
            low = k + 1
        }
        if sum < 0.975 {
            high = k + 1
        }
    }
    let exact: f64 = below[low..=high].iter().sum::<f64>() * 100.0;
    let (order, method) = coverage(&independent, "latency_p95", P95_MS);
    println!("order statistics: {order} %, exact {exact:.2} %");
    assert!(method == Method::Order && (order - exact).abs() <= 2.0, "{order} %, exact {exact} %");

    // The same samples, by a strategy that looks back: then nobody takes them for independent.
    let dependent = rows("weighted-median");
    for (metric, truth) in [("latency_p95", P95_MS), ("latency_p50", MEAN_MS)] {
        let (bootstrap, method) = coverage(&dependent, metric, truth);
        println!("bootstrap of {metric}: {bootstrap} %");
        assert!(method == Method::Bootstrap && bootstrap >= 92.0, "{metric}: {bootstrap} %");
    }
}

/// Ten questions over the four systems: what is set, what is varied, and what is asked.
fn questions() -> [(&'static str, Value, Value, &'static str, u64); 10] {
    let oracle = json!({"fail": 0.2, "lie": 0.1, "timeout": "1.15s"});
    let with = |key: &str, value: Value| {
        let mut set = oracle.clone();
        set[key] = value;
        set
    };
    [
        (
            "oracle-http",
            with("strategy", json!("median")),
            json!(["workers", 25, 29, 33, 37, 41, 45]),
            "error_mean<1.25%",
            100,
        ),
        (
            "oracle-http",
            json!({"fail": 0.5, "timeout": "3s"}),
            json!(["workers", 1, 2, 3, 4, 5, 6]),
            "unanswered_share<10%",
            100,
        ),
        (
            "oracle-http",
            json!({"fail": 0.2}),
            json!(["timeout", "300ms", "400ms", "500ms", "700ms", "900ms", "1.1s"]),
            "error_mean<2%",
            100,
        ),
        (
            "oracle-nats",
            json!({"fail": 0.3, "timeout": "1.2s"}),
            json!(["workers", 2, 4, 8, 12, 16, 24]),
            "error_mean<1%",
            100,
        ),
        (
            "oracle-jetstream",
            json!({"fail": 0.6}),
            json!(["workers", 1, 2, 3, 4, 6, 8]),
            "unanswered_share<10%",
            50,
        ),
        ("mmc", json!({}), json!(["containers", 1, 2, 3, 4, 5]), "wait_mean<300ms", 200),
        ("mmc", json!({}), json!(["containers", 1, 2, 3, 4, 5]), "wait_p95<2s", 200),
        ("math-wizard", json!({}), json!(["containers", 1, 2, 3, 4, 5]), "job_p95<4s", 100),
        (
            "config",
            json!({"put-period": "20s"}),
            json!(["poll", "2s", "4s", "6s", "8s", "10s"]),
            "staleness_p95>6s",
            20,
        ),
        (
            "config",
            json!({"put-period": "20s"}),
            json!(["poll", "2s", "5s", "10s", "15s"]),
            "requests_per_s<1",
            20,
        ),
    ]
}

#[test]
fn heavy_answers_of_sizing_hold_on_fresh_seeds() {
    let mut found = 0;
    for (preset, set, vary, goal, requests) in questions() {
        let vary = vary.as_array().unwrap();
        let (sign, side) = if goal.contains('<') { ('<', "below") } else { ('>', "above") };
        let (metric, limit) = goal.split_once(sign).unwrap();
        let limit: Value = serde_json::from_str(limit).unwrap_or_else(|_| json!(limit));
        let plan = json!({
            "version": 1, "base": {"preset": preset, "set": set},
            "axes": [{"key": vary[0], "values": vary[1..]}], "goals": [{"metric": metric, side: limit}],
            "requests": requests, "warmup": requests / 10, "seeds": {"first": 1, "count": 10},
            "stop": {"adaptive": true, "budget_requests": 50_000},
        });
        let plan = Plan::from_json(&plan.to_string()).unwrap().check().unwrap();
        let mut sizing = Sizing::new(plan.clone()).unwrap();
        let metrics = plan.metrics.clone();
        threads::drive(&mut sizing, &metrics, threads::cores(), |_| Ok::<(), Invalid>(())).unwrap();
        assert_eq!(sizing.faults(), [String::new(); 0]);
        let answer = sizing.answer().unwrap();
        let Some(least) = &answer.least else {
            println!("{preset}: {goal}: nothing meets");
            continue;
        };
        found += 1;
        // Seeds that neither the search nor its own second look have used: the figure itself is on the right side.
        let mut again = Sweep::new(plan);
        again.add_with_seeds(least.point, 10_000_000);
        threads::drive(&mut again, &metrics, threads::cores(), |_| Ok::<(), Invalid>(())).unwrap();
        let row = again.pop().unwrap();
        let set: Vec<String> =
            sizing.plan().values(least.point).map(|(key, value)| format!("{key}={value}")).collect();
        let before = answer.before.as_ref().map(|row| row.verdict);
        println!("{preset}: {goal}: {set:?}, on fresh seeds {:?}, before it {before:?}", row.verdict);
        assert_eq!(row.verdict, Some(Verdict::Meets), "{preset}: {goal}: {set:?}");
        assert!(before.is_none_or(|verdict| verdict != Some(Verdict::Meets)), "{preset}: {goal}");
    }
    assert!(found >= 10, "only {found} questions have an answer");
}

/// What theory says, and what was measured: as far apart as chance allows, which is two and a half half-widths at most.
fn agrees(set: Value, preset: &str, vary: Value, warmup: u64, seen: &mut Vec<String>) {
    let over = match preset {
        "mmc" => "wait_over(300ms)",
        "config" => "staleness_over(1s)",
        _ => "latency_over(1s)",
    };
    let plan = json!({
        "version": 1, "base": {"preset": preset, "set": set}, "requests": 500, "warmup": warmup, "seeds": {"first": 1, "count": 20},
        "axes": [{"key": vary[0], "values": vary.as_array().unwrap()[1..]}],
        "metrics": [over],
    });
    let mut sweep = Sweep::new(Plan::from_json(&plan.to_string()).unwrap().check().unwrap());
    sweep.add(0..sweep.plan().points);
    let metrics = sweep.plan().metrics.clone();
    threads::drive(&mut sweep, &metrics, threads::cores(), |_| Ok::<(), Invalid>(())).unwrap();
    while let Some(row) = sweep.pop() {
        for (place, metric) in metrics.iter().enumerate() {
            let (Some(theory), Some(figure)) = (sweep.plan().theory(row.point, place), row.figures[place])
            else {
                continue;
            };
            let (low, high) = (figure.low.unwrap_or(figure.value), figure.high.unwrap_or(figure.value));
            let slack = 1.25 * (high - low) + 1e-3 * theory.value.abs() + 1e-9;
            let said = format!(
                "{preset} {set} point {}: {} is {} [{low}, {high}], in theory {theory:?}",
                row.point, metric.name, figure.value
            );
            if theory.bound {
                assert!(figure.value <= theory.value, "{said}");
            } else {
                assert!((figure.value - theory.value).abs() <= slack, "{said}");
            }
            seen.push(metric.name.clone());
        }
    }
}

#[test]
fn heavy_what_theory_says_is_what_is_measured() {
    let mut seen = Vec::new();
    let workers = json!(["workers", 1, 2, 5]);
    for law in [
        json!({"delay-law": "uniform"}),
        json!({"delay-law": "constant", "delay-mean": "900ms"}),
        json!({"delay-law": "exponential", "delay-mean": "600ms"}),
        json!({"delay-law": "lognormal", "delay-p50": "500ms", "delay-p99": "2s"}),
        json!({"delay-law": "pareto", "delay-min": "200ms", "delay-shape": 1.5}),
        json!({"delay-law": "empirical", "delays": "100,200,400,900,2000"}),
    ] {
        let mut set = law;
        (set["fail"], set["timeout"]) = (json!(0.3), json!("1.3s"));
        agrees(set, "oracle-http", workers.clone(), 0, &mut seen);
    }
    agrees(json!({"ask": 2, "timeout": "1.3s"}), "oracle-http", json!(["workers", 2, 7]), 0, &mut seen);
    agrees(json!({}), "mmc", json!(["containers", 2, 3, 4]), 500, &mut seen);
    agrees(json!({"put-period": "20s"}), "config", json!(["poll", "3s"]), 0, &mut seen);
    for metric in [
        "unanswered_share",
        "latency_p50",
        "latency_p95",
        "latency_over(1s)",
        "wait_mean",
        "wait_p95",
        "wait_over(300ms)",
        "staleness_p99",
    ] {
        assert!(seen.iter().any(|name| name == metric), "{metric}: {seen:?}");
    }
}
