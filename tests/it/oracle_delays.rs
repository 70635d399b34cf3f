//! The laws of delays against their closed forms, and measured times through a whole run.

use super::support::{Case, glasshive, records, scratch};
use glasshive::kernel::{Duration, Rng, Stream};
use glasshive::lab::oracle::delays::{FILE_MAX, condense};
use glasshive::lab::{Options, Run};
use glasshive::systems::oracle::delay::{DELAY_MAX, Delay, DelayLaw, Delays};
use glasshive::systems::oracle::{Model, Params, TASK_STARTED};

const DRAWS: usize = 40_000;

fn law(law: DelayLaw, change: impl FnOnce(&mut Params)) -> Delay {
    let mut params = Params { model: Model { law, ..Model::default() }, ..Params::default() };
    change(&mut params);
    Delay::of(&params)
}

fn draws(delay: &Delay, seed: u64) -> Vec<f64> {
    let stream = Stream::new(seed, "w-01", "delay");
    (0..DRAWS as u64).map(|i| delay.draw(stream.at(i)).as_secs_f64()).collect()
}

/// The Kolmogorov–Smirnov distance of a sample from a distribution function, and what is exceeded once in a thousand times.
fn distance(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> (f64, f64) {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let off = |(t, i): (&f64, usize)| {
        let p = cdf(*t);
        (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
    };
    (sample.iter().zip(0..).map(off).fold(0.0, f64::max), 1.95 / n.sqrt())
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

#[test]
fn each_law_has_its_closed_form() {
    let ms = Duration::from_millis;
    let sigma = libm::log(5.0) / 2.326_347_874_040_841;
    type Cdf = Box<dyn Fn(f64) -> f64>;
    let cases: [(&str, Delay, Cdf); 6] = [
        ("uniform", law(DelayLaw::Uniform, |_| ()), Box::new(|t| (t - 0.1) / 1.9)),
        (
            "exponential",
            law(DelayLaw::Exponential, |p| p.model.mean = ms(250)),
            Box::new(|t| 1.0 - libm::exp(-t / 0.25)),
        ),
        (
            "lognormal",
            law(DelayLaw::Lognormal, |_| ()),
            Box::new(move |t| normal_cdf(libm::log(t / 0.4) / sigma)),
        ),
        ("pareto", law(DelayLaw::Pareto, |_| ()), Box::new(|t| 1.0 - libm::pow(0.1 / t, 2.0))),
        (
            "evenly spaced",
            law(DelayLaw::Empirical, |p| p.model.delays = Delays::of("100,200,600")),
            Box::new(|t| if t < 0.2 { (t - 0.1) / 0.2 } else { 0.5 + (t - 0.2) / 0.8 }),
        ),
        (
            "with probabilities",
            law(DelayLaw::Empirical, |p| p.model.delays = Delays::of("0:50,0.9:100ms,1:1.1s")),
            Box::new(|t| if t < 0.1 { 0.9 * (t - 0.05) / 0.05 } else { 0.9 + 0.1 * (t - 0.1) }),
        ),
    ];
    for (name, delay, cdf) in cases {
        for seed in 0..4 {
            let (off, allowed) = distance(draws(&delay, seed), &cdf);
            assert!(off <= allowed, "{name}, seed {seed}: {off} from its law, at most {allowed}");
        }
        // By inversion: the quantile function is the inverse of the closed form, to the nanosecond.
        for p in [0.001, 0.02, 0.1, 0.5, 0.77, 0.98, 0.999] {
            let back = cdf(delay.quantile(p).as_secs_f64());
            assert!((back - p).abs() < 1e-7, "{name}: the quantile of {p} has {back}");
        }
    }
}

#[test]
fn means_are_those_of_the_laws() {
    for (name, delay, mean, sd) in [
        ("constant", law(DelayLaw::Constant, |_| ()), 1.0, 0.0),
        ("exponential", law(DelayLaw::Exponential, |_| ()), 1.0, 1.0),
        // Of shape 3: a m / (a − 1), and m √(a / (a − 2)) / (a − 1).
        ("pareto", law(DelayLaw::Pareto, |p| p.model.shape = 3.0), 0.15, 0.1 * 3_f64.sqrt() / 2.0),
    ] {
        let sample = draws(&delay, 1);
        let off = (sample.iter().sum::<f64>() / DRAWS as f64 - mean).abs();
        assert!(off <= 4.0 * sd / (DRAWS as f64).sqrt() + 1e-12, "{name}: {off} off its mean");
    }
}

#[test]
fn the_normal_quantiles_are_those_of_the_tables() {
    let params = |p: &mut Params| {
        // A standard deviation of 1: e^2.326… times the median at 99 %.
        (p.model.p50, p.model.p99) = (Duration::from_secs(1), Duration::from_nanos(10_240_473_656));
    };
    let delay = law(DelayLaw::Lognormal, params);
    for (p, z) in [
        (0.5, 0.0),
        (0.975, 1.959_963_984_540_054),
        (0.9, 1.281_551_565_544_6),
        (0.001, -3.090_232_306_167_813_5),
        (1e-9, -5.997_807_015_007_686),
        (0.999_999, 4.753_424_308_822_899),
    ] {
        let expected = libm::exp(z);
        let found = delay.quantile(p).as_secs_f64();
        assert!(
            (found - expected).abs() <= 2e-9 * expected.max(1.0),
            "{p}: {found}, the table says {expected}"
        );
    }
}

#[test]
fn a_tail_without_an_end_is_cut_off() {
    let delay = law(DelayLaw::Pareto, |p| p.model.shape = 0.1);
    assert_eq!(delay.quantile(0.99), DELAY_MAX);
    assert_eq!(delay.quantile(1.0 - f64::EPSILON), DELAY_MAX);
    assert_eq!(law(DelayLaw::Exponential, |p| p.model.mean = DELAY_MAX).quantile(0.999), DELAY_MAX);
    assert_eq!(law(DelayLaw::Lognormal, |_| ()).quantile(0.0), Duration::ZERO);
}

#[test]
fn what_is_wrong_with_the_parameters_of_a_law_is_said() {
    let wrong = |set: &[(&str, &str)]| {
        let case = set.iter().fold(Case::oracle(1), |case, (key, value)| case.set(key, value));
        Run::new(&case.scenario, Options::default()).err().map(|invalid| invalid.to_string())
    };
    let empirical = ("delay-law", "empirical");
    for (set, expected) in [
        (
            &[("delay-law", "weibull")][..],
            "delay-law: weibull is not allowed; allowed: one of uniform, constant,",
        ),
        (&[("delay-p50", "3s")], "delay-p50: 3s is not allowed; allowed: at most delay-p99, which is 2s"),
        (
            &[("delay-law", "pareto"), ("delay-min", "0s")],
            "delay-min: 0s is not allowed; allowed: more than 0",
        ),
        (&[empirical], "delays: 0 is not allowed; allowed: from 1 to 1000 quantiles"),
        (&[("delays", "1,x")], "delays: x is not allowed; allowed: a time from 0 to 1h0m0s"),
        (&[("delays", "1,,2")], "delays: nothing is not allowed; allowed: a time"),
        (&[("delays", "-1")], "delays: -1 is not allowed"),
        (&[("delays", "2h")], "delays: 2h is not allowed"),
        (
            &[("delays", "100,99")],
            "delays: 99 is not allowed; allowed: a time no shorter than the one before",
        ),
        (&[("delays", "0.5:100,99")], "delays: 99 is not allowed; allowed: probability:time for all of them"),
        (
            &[("delays", "0.5:1,0.5:2")],
            "delays: 0.5:2 is not allowed; allowed: a probability above the one before",
        ),
        (&[("delays", "50:1")], "delays: 50 is not allowed; allowed: a probability from 0 to 1"),
        (&[("slow-factor", "0.5")], "slow-factor: 0.5 is not allowed; allowed: a number from 1 to 1000"),
        (&[("ask", "0")], "ask: 0 is not allowed; allowed: all, or a whole number from 1 to 10000"),
        (&[("retries", "11")], "retries: 11 is not allowed; allowed: a whole number from 0 to 10"),
    ] {
        let found = wrong(set).unwrap_or_default();
        assert!(found.starts_with(expected), "{set:?}: {found}");
    }
    assert_eq!(wrong(&[("delay-law", "pareto"), ("delay-min", "3s")]), None, "delay-max is no limit of it");
    assert_eq!(wrong(&[empirical, ("delays", "100")]), None);
}

// --- files --------------------------------------------------------------------------------------------------------

/// Times as a person may have measured them, in milliseconds: a mixture of two exponential laws.
fn measured(count: usize) -> Vec<f64> {
    let mut rng = Rng::new(77);
    (0..count)
        .map(|_| if rng.chance(0.8) { 40.0 + rng.exponential(60.0) } else { 200.0 + rng.exponential(300.0) })
        .collect()
}

fn measured_cdf(ms: f64) -> f64 {
    let part = |from: f64, mean: f64| if ms < from { 0.0 } else { 1.0 - libm::exp(-(ms - from) / mean) };
    0.8 * part(40.0, 60.0) + 0.2 * part(200.0, 300.0)
}

#[test]
fn ten_thousand_measured_times_come_back_through_a_run() {
    let path = scratch("measured.csv");
    let lines: Vec<String> = measured(10_000).iter().map(|ms| format!("{ms:.3}")).collect();
    std::fs::write(&path, format!("latency_ms\n{}\n", lines.join("\n"))).unwrap();
    let trace = scratch("measured.ndjson");
    let args = [
        "run",
        "--delays",
        &path,
        "--set",
        "timeout=10s",
        "--for",
        "1500s",
        "--faults",
        "",
        "--trace",
        &trace,
    ];
    let ran = glasshive(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let trace = std::fs::read_to_string(&trace).unwrap();
    let delay = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        (record["kind"] == "task_started").then(|| record["value"].as_f64().unwrap_or_default() / 1e6)
    };
    let delays: Vec<f64> =
        trace.lines().filter(|line| line.contains("\"task_started\"")).filter_map(delay).collect();
    assert!(delays.len() > 8_000, "{} tasks", delays.len());
    // Two samples of it: those measured, and those drawn.
    let (off, allowed) = distance(delays.clone(), measured_cdf);
    let allowed = allowed + 1.95 / 100.0;
    assert!(off <= allowed, "{off} from what was measured, at most {allowed}");
    // A uniform law is not as near.
    assert!(distance(delays.iter().map(|ms| ms * 1.1).collect(), measured_cdf).0 > allowed);
}

#[test]
fn a_file_is_condensed_to_quantiles() {
    for (text, expected) in [
        ("120\n", "120"),
        ("\u{feff}time\r\n250\r\n\r\n120ms\r\n1.5s\r\n", "120,250,1500"),
        ("\"ms\"\n\"3\"\n1\n2", "1,2,3"),
        ("0.00123456\n65432.1\n3599999", "0.001235,65430,3600000"),
        ("probability,time\n0,10\n0.5,20ms\n0.999,1s\n", "0:10,0.5:20,0.999:1000"),
    ] {
        assert_eq!(condense("f.csv", text.as_bytes()).as_deref(), Ok(expected), "{text:?}");
        let case = Case::oracle(1).set("delay-law", "empirical").set("delays", expected);
        case.seconds(10).start();
    }
    // 2,001 times have those at every second place as their 1,001 quantiles; a thousand are between.
    let times: Vec<String> = (0..=1998).rev().map(|ms| ms.to_string()).collect();
    let condensed = condense("f.csv", times.join("\n").as_bytes()).unwrap();
    let expected: Vec<String> = (0..1000).map(|ms| (2 * ms).to_string()).collect();
    assert_eq!(condensed, expected.join(","));
    // What is condensed fits into a link.
    assert!(condense("f.csv", measured(50_000).map_lines().as_bytes()).unwrap().len() < 7_000);
}

trait Lines {
    fn map_lines(&self) -> String;
}

impl Lines for Vec<f64> {
    fn map_lines(&self) -> String {
        self.iter().map(|ms| format!("{ms}\n")).collect()
    }
}

#[test]
fn a_wrong_file_is_refused_with_its_line_and_value() {
    let time = "a time from 0 to 1h0m0s: a number of milliseconds, or with a unit such as 1.5s";
    let long = "x".repeat(5_000);
    let many: String = (0..=1000).map(|i| format!("{},{i}\n", f64::from(i) / 1000.0)).collect();
    for (bytes, line, value, allowed) in [
        (&b""[..], "", "nothing", "at least one line with a time"),
        (b"time\n\n", "", "nothing", "at least one line with a time"),
        (b"ms\n12\n-3\n", ", line 3", "-3", time),
        (b"-3\n", ", line 1", "-3", time),
        (b"12\nabc\n", ", line 2", "abc", time),
        (b"ms\nseconds\n", ", line 2", "seconds", time),
        (b"NaN\n12\n", ", line 1", "NaN", time),
        (b"12\nnan", ", line 2", "nan", time),
        (b"inf\n", ", line 1", "inf", time),
        (b"1e400\n", ", line 1", "1e400", time),
        (b"3600001\n", ", line 1", "3600001", time),
        (b"12\n5 parsecs\n", ", line 2", "5 parsecs", time),
        (b"12\n0.5,13\n", ", line 2", "0.5,13", "a time, or a probability and a time, in each line alike"),
        (b"0.5,13\n12\n", ", line 2", "12", "a time, or a probability and a time, in each line alike"),
        (b"1,2,3\n", ", line 1", "1,2,3", "a time, or a probability and a time, in each line alike"),
        (
            b"0.5,20\n0.9,19\n",
            ", line 2",
            "0.9,19",
            "a time no shorter than the one before, in milliseconds, which is 20",
        ),
        (b"0.5,20\n0.4,21\n", ", line 2", "0.4,21", "a probability above the one before, which is 0.5"),
        (b"p,t\n1.5,20\n", ", line 2", "1.5", "a probability from 0 to 1"),
        (b"-0.1,20\n", ", line 1", "-0.1", "a probability from 0 to 1"),
        (b"0.1,\n", ", line 1", "nothing", time),
        (b"12\n\xff\xfe\n", ", line 2", "bytes", "text in UTF-8"),
        (many.as_bytes(), ", line 1001", "1,1000", "at most 1000 quantiles"),
        (long.as_bytes(), "", "nothing", "at least one line with a time"),
    ] {
        let expected = format!("f.csv{line}: {value} is not allowed; allowed: {allowed}");
        assert_eq!(condense("f.csv", bytes).unwrap_err().to_string(), expected);
    }
    let error = condense("f.csv", format!("1\n{long}").as_bytes()).unwrap_err();
    assert_eq!(error.value.len(), 60, "what is shown of a value is bounded");
}

#[test]
fn a_file_that_is_too_long_is_refused_by_its_size() {
    let path = scratch("long.csv");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let ran = glasshive(&["run", "--delays", &path]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let expected = format!("{path}: 1099511627776 bytes is not allowed; allowed: at most {FILE_MAX} bytes");
    assert!(ran.err.contains(&expected), "{}", ran.err);
    std::fs::remove_file(&path).unwrap();

    let endless = std::process::Command::new("sh")
        .args(["-c", &format!("yes 12 | {} run --delays /dev/stdin", super::support::BINARY)])
        .output()
        .unwrap();
    let err = String::from_utf8(endless.stderr).unwrap();
    assert!(err.contains("/dev/stdin: more than 16777216 bytes is not allowed"), "{err}");

    let ran = glasshive(&["explain", "req-00001", "--delays", "/nowhere/at.all"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("delays: /nowhere/at.all is not allowed; allowed: a file that can be read"),
        "{}",
        ran.err
    );
}

#[test]
fn what_a_file_says_holds_for_a_call_too() {
    let path = scratch("slow.csv");
    std::fs::write(&path, "1.2s\n").unwrap();
    let args = ["curl", "--delays", &path, "--set", "fail=0", "--", "-s", "localhost:8080/request", "-d"];
    let ran = glasshive(&[&args[..], &[r#"{"query": "BTC/USD"}"#]].concat());
    assert_eq!(ran.json()["worker_responses"][0]["response_time"], "1.2s", "{}", ran.err);
}

#[test]
fn the_draws_have_the_same_bits_on_every_target() {
    // Of the same constants in tests/web.rs: see draw_bits.rs.
    super::draw_bits::check();
    assert!(Case::oracle(1).set("delay-law", "lognormal").seconds(10).start().trace_hash().len() > 8);
    assert!(records(&Case::oracle(1).seconds(1).start(), TASK_STARTED).is_empty());
}
