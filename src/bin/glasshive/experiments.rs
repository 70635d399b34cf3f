//! Experiments on the command line: `sweep`, `size` and `compare`.

use crate::native::{Base, FAILED, OK, Problem, apply, preset, print, print_line, read, scenario_of_file};
use clap::{ArgAction, Args};
use glasshive::lab::experiment::rows::{Format, Shard};
use glasshive::lab::experiment::{
    self, Asked, Checked, Comparison, Interval, Metric, Plan, Row, Sizing, Sought, Sweep, Vary, Verdict,
    Work, sizing, threads,
};
use glasshive::lab::measure::Measure;
use glasshive::lab::recorder::Window;
use glasshive::lab::{Invalid, Scenario};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct SweepArgs {
    /// The plan, as examples/plan-oracle.json is one.
    plan: PathBuf,
    /// How many runs are played at once; all cores if absent.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Play only every n-th point, beginning with the i-th: part i of n. `glasshive merge` puts the parts together.
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// csv, jsonl or json.
    #[arg(long, default_value = "csv")]
    format: String,
    /// Write the rows there, each as soon as it is known, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on after the rows that the file of `--out` has.
    #[arg(long, requires = "out")]
    resume: bool,
}

#[derive(Args)]
pub struct SizeArgs {
    #[command(flatten)]
    base: Base,
    /// What is varied: `workers=3..121`, `workers=3..121/2`, `timeout=0.9s,1s,1.2s`, or downwards `lie=0.5..0/0.05`. The first value
    /// of the first key wins from which on all meet with some value of the others, then the first of the next.
    #[arg(long, value_name = "KEY=VALUES", required = true, action = ArgAction::Append)]
    vary: Vec<String>,
    /// What is asked, such as `error_mean<1%` or `latency_p99<1.2s`; may be given again.
    #[arg(long, value_name = "METRIC<LIMIT", required = true, action = ArgAction::Append)]
    goal: Vec<String>,
    /// Faults on schedule, such as `crash:w-04@8s`; those of the shipped scenario are left out.
    #[arg(long, value_name = "SPEC", default_value = "")]
    faults: String,
    /// Requests, jobs or versions in each run.
    #[arg(long, value_name = "N", default_value_t = sizing::requests())]
    requests: u64,
    /// So many before them do not count.
    #[arg(long, value_name = "N", default_value_t = 0)]
    warmup: u64,
    /// Runs of each point to begin with; while a verdict is open it is played twice as often, and again.
    #[arg(long, value_name = "N", default_value_t = sizing::seeds())]
    seeds: u64,
    /// Up to so many requests, jobs or versions at one point.
    #[arg(long, value_name = "N", default_value_t = sizing::budget())]
    budget: u64,
    /// How many runs are played at once; all cores if absent.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print one JSON object, with every point that was played.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct CompareArgs {
    /// Two scenario files, A and B.
    #[arg(num_args = 2, value_names = ["A.json", "B.json"])]
    files: Vec<PathBuf>,
    #[command(flatten)]
    base: Base,
    /// B is A with this set, where no files are given; may be given again.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "files")]
    against: Vec<String>,
    /// Play the shipped scenario's faults too.
    #[arg(long)]
    with_faults: bool,
    /// Requests, jobs or versions in each run.
    #[arg(long, value_name = "N", default_value_t = 200)]
    requests: u64,
    /// So many before them do not count.
    #[arg(long, value_name = "N", default_value_t = 0)]
    warmup: u64,
    /// How many pairs of runs.
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,
    /// A figure besides the usual ones, such as `tasks.late`; may be given again.
    #[arg(long, value_name = "METRIC")]
    metric: Vec<String>,
    /// How many runs are played at once; all cores if absent.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

// --- sweep ------------------------------------------------------------------------------------------------------------

pub fn sweep(args: &SweepArgs) -> Result<u8, Problem> {
    let plan = Plan::from_json(&read(&args.plan)?)?.check()?;
    let format = format_of(&args.format)?;
    let shard = args.shard.as_deref().map(shard_of).transpose()?;
    let points: Vec<usize> = match shard {
        Some(shard) => shard.points(plan.points).collect(),
        None => (0..plan.points).collect(),
    };
    let jobs = jobs(args.jobs)?;
    let mut out = crate::out::Out::open(args.out.as_deref(), args.resume, format, shard, &plan)?;
    let there = out.rows();
    if there > points.len() {
        return Err(out.of_another_plan().into());
    }
    let mut sweep = Sweep::new(plan);
    // With the first row of the file once more, since one cannot see otherwise that it is this plan's.
    sweep.add(points.iter().copied().take(there.min(1)));
    sweep.add(points.iter().copied().skip(there));
    let metrics = sweep.plan().metrics.clone();
    play("sweep", &mut sweep, &metrics, jobs, |sweep| {
        while let Some(row) = sweep.pop() {
            out.take(sweep.plan(), &row)?;
        }
        Ok(())
    })?;
    out.end()?;
    warn(sweep.faults());
    Ok(OK)
}

/// Plays what some work needs, and shows how far it is.
fn play<W: Work>(
    what: &'static str,
    work: &mut W,
    metrics: &[Metric],
    jobs: usize,
    mut each: impl FnMut(&mut W) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let bar = Bar::new(what);
    threads::drive(work, metrics, jobs, |work| {
        bar.tell(work.progress());
        each(work)
    })?;
    bar.end();
    Ok(())
}

fn format_of(name: &str) -> Result<Format, Invalid> {
    let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
    let wrong = || invalid("format", name, &format!("one of {}", names.join(", ")));
    Format::from_name(name).ok_or_else(wrong)
}

pub fn shard_of(text: &str) -> Result<Shard, Invalid> {
    let read = |text: &str| text.parse::<usize>().ok();
    let parts = text.split_once('/').and_then(|(part, parts)| Some((read(part)?, read(parts)?)));
    let valid = parts.filter(|(part, parts)| (1..=*parts).contains(part));
    let shard = valid.map(|(part, parts)| Shard { part, parts });
    shard.ok_or_else(|| invalid("shard", text, "i/n, where i is from 1 to n, such as 2/4"))
}

fn jobs(said: Option<usize>) -> Result<usize, Invalid> {
    const MAX: usize = 1024;
    match said {
        Some(jobs) if !(1..=MAX).contains(&jobs) => {
            Err(invalid("jobs", &jobs.to_string(), &format!("a whole number from 1 to {MAX}")))
        }
        said => Ok(said.unwrap_or_else(threads::cores)),
    }
}

pub fn invalid(field: &str, value: &str, allowed: &str) -> Invalid {
    Invalid { field: field.into(), value: value.into(), allowed: allowed.into() }
}

fn warn(faults: &[String]) {
    faults.iter().for_each(|fault| eprintln!("glasshive: warning: {fault}"));
}

/// How far it is, on a terminal; nothing in a pipe.
struct Bar(ProgressBar);

impl Bar {
    fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new(0).with_prefix(what);
        let template = "{prefix} {wide_bar} {pos}/{len} runs, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn tell(&self, (done, all): (u64, u64)) {
        self.0.set_length(all);
        self.0.set_position(done);
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

// --- size -------------------------------------------------------------------------------------------------------------

pub fn size(args: &SizeArgs) -> Result<u8, Problem> {
    let began = Instant::now();
    let mut base = Scenario::preset(preset(&args.base), 1);
    apply(&args.base, &mut base)?;
    let sought = Sought {
        base: experiment::Base { preset: base.preset, set: base.set, faults: args.faults.clone() },
        vary: args.vary.iter().cloned().map(Vary::Text).collect(),
        goals: args.goal.iter().cloned().map(Asked::Text).collect(),
        requests: args.requests,
        warmup: args.warmup,
        seeds: args.seeds,
        seed: base.seed,
        budget: args.budget,
    };
    let mut sizing = Sizing::new(sought.plan()?.check()?)?;
    let metrics = sizing.plan().metrics.clone();
    play("size", &mut sizing, &metrics, jobs(args.jobs)?, |_| Ok(()))?;
    warn(sizing.faults());
    let text = if args.json { sizing.to_json() } else { size_text(&sizing, began.elapsed()) };
    print(text.as_bytes())?;
    let found = sizing.answer().is_some_and(|answer| answer.least.is_some());
    Ok(if found { OK } else { FAILED })
}

fn size_text(sizing: &Sizing, took: Duration) -> String {
    let plan = sizing.plan();
    let Some(answer) = sizing.answer() else { return String::new() };
    let mut text = match &answer.least {
        Some(least) => {
            let until = answer.until.as_ref().map_or_else(String::new, |until| {
                format!(", up to {} {}", plan.plan.axes[0].key, plain(until))
            });
            format!("From {} on all goals hold{until}.\n", name(plan, least))
        }
        None => {
            let seen = answer.before.as_ref().map_or_else(String::new, |row| {
                format!(" {}: {}.", name(plan, row), row.verdict.map_or("", Verdict::name))
            });
            format!("No value meets all goals.{seen}\n")
        }
    };
    let parts = [(&answer.least, "it"), (&answer.again, "on fresh seeds"), (&answer.before, "before it")];
    for (row, what) in parts.into_iter().filter_map(|(row, what)| Some((row.as_ref()?, what))) {
        let verdict = row.verdict.map_or("", Verdict::name);
        text += &format!("\n{what}: {}: {verdict}, {} requests", name(plan, row), row.requests);
        text += &match row.unanswered() {
            0 => ", all answered\n".to_owned(),
            unanswered => format!(", {unanswered} unanswered\n"),
        };
        for goal in &plan.goals {
            let (metric, figure) = (&plan.metrics[goal.metric], row.figures[goal.metric]);
            let sign = if goal.below { '<' } else { '>' };
            let limit = metric.show(plan.measures, goal.limit);
            let verdict = goal.judge(figure).name();
            text += &format!(
                "  {} {}, asked {sign} {limit}: {verdict}\n",
                metric.name,
                show(metric, plan.measures, figure)
            );
        }
    }
    let methods: Vec<String> = plan
        .goals
        .iter()
        .filter_map(|goal| plan.methods().nth(goal.metric))
        .map(|(metric, method)| format!("{} by {}", metric.name, method.words()))
        .collect();
    let (points, runs) = (sizing.rows().count(), sizing.progress().0);
    text += &format!("\n95 % intervals: {}.\n", methods.join(", "));
    text += &format!("{points} points, {runs} runs, {:.1} s.", took.as_secs_f64());
    if plan.plan.base.faults.is_empty() { text + " No faults on schedule.\n" } else { text + "\n" }
}

/// What is set at a point.
fn name(plan: &Checked, row: &Row) -> String {
    let values: Vec<String> =
        plan.values(row.point).map(|(key, value)| format!("{key} {}", plain(value))).collect();
    values.join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn show(metric: &Metric, measures: &[Measure], figure: Option<Interval>) -> String {
    let Some(Interval { value, low, high }) = figure else { return "nothing was answered".into() };
    let bound =
        |bound: Option<f64>| bound.map_or_else(|| "?".to_owned(), |bound| metric.show(measures, bound));
    format!("{} [{}, {}]", metric.show(measures, value), bound(low), bound(high))
}

// --- compare ----------------------------------------------------------------------------------------------------------

pub fn compare(args: &CompareArgs) -> Result<u8, Problem> {
    let mut sides = match args.files.as_slice() {
        [a, b] => [scenario_of_file(a)?, scenario_of_file(b)?],
        _ => {
            let mut a = Scenario::preset(preset(&args.base), 1);
            apply(&args.base, &mut a)?;
            if args.against.is_empty() {
                return Err(invalid(
                    "against",
                    "",
                    "what B sets otherwise, such as --against strategy=median",
                )
                .into());
            }
            let mut b = a.clone();
            let mut changes = Base::default();
            changes.set.clone_from(&args.against);
            apply(&changes, &mut b)?;
            [a, b]
        }
    };
    for side in &mut sides {
        if args.files.is_empty() && !args.with_faults {
            side.faults = Some(String::new());
        }
        side.horizon.get_or_insert_with(|| "24h".to_owned());
    }
    let window = Window { warmup: args.warmup, requests: args.requests };
    let first = sides[0].seed;
    let mut comparison = Comparison::new(sides, window, first, args.seeds)?;
    args.metric.iter().try_for_each(|name| comparison.add(name))?;
    let metrics = comparison.metrics().to_vec();
    play("compare", &mut comparison, &metrics, jobs(args.jobs)?, |_| Ok(()))?;
    let differences = comparison.differences();
    if args.json {
        let bounds = |figure: Option<Interval>| {
            figure.map(|figure| json!({"value": figure.value, "lo": figure.low, "hi": figure.high}))
        };
        let of = |(metric, difference): (&Metric, &experiment::Difference)| {
            let experiment::Difference { a, b, difference, pairs } = difference;
            let json =
                json!({"a": bounds(*a), "b": bounds(*b), "difference": bounds(*difference), "pairs": pairs});
            (metric.name.clone(), json)
        };
        let figures: serde_json::Map<String, Value> = metrics.iter().zip(&differences).map(of).collect();
        print_line(&json!({"version": 1, "method": "t", "figures": figures}).to_string())?;
        return Ok(OK);
    }
    let width = metrics.iter().map(|metric| metric.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (metric, difference) in metrics.iter().zip(&differences) {
        let measures = comparison.measures();
        let value = |figure: Option<Interval>| {
            figure.map_or_else(|| "–".into(), |figure| metric.show(measures, figure.value))
        };
        let (a, b) = (value(difference.a), value(difference.b));
        let paired = show(metric, measures, difference.difference);
        text += &format!("{:<width$}  A {a}, B {b}, B − A {paired}\n", metric.name);
    }
    text += &format!(
        "\n{} pairs of runs with the same seeds; 95 % intervals by Student's t over the pairs.\n",
        args.seeds
    );
    print(text.as_bytes())?;
    Ok(OK)
}
