//! The five pictures of a history.

use super::history::{Counts, History, Outcome, Point, counter_of};
use crate::app::canvas::scale;
use crate::app::plot::geometry::{Scale, nice_step, shortest};
use crate::app::plot::pen::{BASE, LINE, MANY, TOP, axis, rect};
use crate::app::plot::{Anchor, Chart, Item, Pen};
use crate::lab::stats;
use crate::substrate::decimal::{fixed, plain};

/// The most points of a series: requests closer together than the timeline's part of this are drawn as one.
const COLUMNS: f64 = 150.0;
/// What a chart without requests says.
const NOTHING: &str = "No requests yet";
/// The error that is worth aiming for, in per cent.
const GOAL: f64 = 1.0;

/// The pictures, left to right, each `width` pixels wide.
pub fn charts(history: &History, width: f64, result: Option<u64>) -> [Chart; 5] {
    let columns = columns(history);
    [
        answer_time(history, &columns, width, result),
        error(history, &columns, width, result),
        answers(history, &columns, width, result),
        in_flight(history, width),
        rejected(history, &columns, width),
    ]
}

/// The request whose figures are told: the newest that is settled, unless another is kept in view.
fn told(history: &History, result: Option<u64>) -> Option<&Point> {
    let kept = result.and_then(|number| history.point(number)).filter(|point| point.settled);
    kept.or_else(|| history.newest_settled())
}

/// The same with what the coordinator knows: answers in the place of errors, nobody who lies, no faults.
pub fn without_truth(history: &History, width: f64, result: Option<u64>) -> [Chart; 5] {
    let mut seen = history.clone();
    seen.time.bands.clear();
    for point in &mut seen.points {
        point.counts[Outcome::InTime as usize] += std::mem::take(&mut point.counts[Outcome::Lying as usize]);
    }
    let [time, _, answers, in_flight, rejected] = charts(&seen, width, result);
    [time, spread(&seen, &columns(&seen), width, result), answers, in_flight, rejected]
}

/// Requests that are drawn as one, mostly one request.
struct Column {
    at_s: f64,
    /// The median of the medians.
    p50_ms: Option<f64>,
    /// The worst.
    p95_ms: Option<f64>,
    /// The worst.
    error: Option<f64>,
    /// The worst.
    counter: Option<f64>,
    /// The lowest answer, the newest aggregate and the highest answer.
    values: Option<[f64; 3]>,
    /// The means.
    counts: [f64; 5],
    /// How many came too often.
    limited: f64,
}

fn columns(history: &History) -> Vec<Column> {
    let (from_ms, to_ms) = history.time.axis_ms;
    let span_s = (to_ms - from_ms) / 1000.0 / COLUMNS;
    let points: Vec<&Point> = history.points.iter().collect();
    let column = |point: &&Point| (point.at_s / span_s) as u64;
    points.chunk_by(|a, b| column(a) == column(b)).map(Column::of).collect()
}

impl Column {
    fn of(points: &[&Point]) -> Self {
        let worst = |of: fn(&Point) -> Option<f64>| {
            points.iter().filter_map(|point| of(point)).max_by(|a, b| a.abs().total_cmp(&b.abs()))
        };
        let medians: Vec<f64> = points.iter().filter_map(|point| point.p50_ms).collect();
        let mut counts = [0.0; 5];
        let limited = points.iter().filter(|point| point.limited).count();
        let asked = (points.len() - limited).max(1) as f64;
        for point in points {
            let add = |(sum, count): (&mut f64, &u32)| *sum += f64::from(*count) / asked;
            counts.iter_mut().zip(&point.counts).for_each(add);
        }
        Column {
            at_s: points.first().map_or(0.0, |point| point.at_s),
            p50_ms: stats::percentile(&medians, 50.0),
            p95_ms: worst(|point| point.p95_ms),
            error: worst(|point| point.error),
            counter: worst(|point| point.counter),
            values: points
                .iter()
                .filter_map(|point| point.values)
                .reduce(|a, b| [a[0].min(b[0]), b[1], a[2].max(b[2])]),
            counts,
            limited: limited as f64,
        }
    }
}

/// A series over seconds.
fn over_time(columns: &[Column], of: fn(&Column) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    columns.iter().map(|column| (column.at_s, of(column))).collect()
}

/// Whether there is anything to draw; if not, says so.
fn has_points(pen: &mut Pen, history: &History) -> bool {
    if history.points.is_empty() {
        pen.note(NOTHING);
    }
    !history.points.is_empty()
}

// --- the pictures -----------------------------------------------------------------------------------------------

fn answer_time(history: &History, columns: &[Column], width: f64, result: Option<u64>) -> Chart {
    let mut pen = Pen::new(&history.time, width);
    let y = Scale { values: (0.0, (history.timeout_ms * 1.2).max(1.0)), pixels: (BASE, TOP) };
    let newest = told(history, result).and_then(|point| Some((point.p50_ms?, point.p95_ms?)));
    pen.shade(&history.time);
    if has_points(&mut pen, history) {
        let timeout = y.px(history.timeout_ms);
        pen.line("timeout", pen.x.pixels.0, timeout, pen.x.pixels.1, timeout);
        pen.text(pen.x.pixels.1, timeout - 4.0, Anchor::End, "timeout");
        let step = nice_step(y.values.1, 3.0);
        pen.tick(&y, 0.0, "0");
        pen.tick(&y, step, &time(step));
        let many = columns.len() > MANY;
        pen.series(if many { "p50 fine" } else { "p50" }, &over_time(columns, |column| column.p50_ms), &y);
        pen.series(if many { "p95 fine" } else { "p95" }, &over_time(columns, |column| column.p95_ms), &y);
        let names = [("p95", last(columns, |c| c.p95_ms)), ("p50", last(columns, |c| c.p50_ms))];
        pen.names(&y, &names, timeout + LINE);
    }
    let (value_label, description) = match newest {
        Some((p50, p95)) => (
            format!("p95 {}", time(p95)),
            format!(
                "Of the request's answers in time, half came within {}, 95 % within {}. The timeout is {}.",
                time(p50),
                time(p95),
                time(history.timeout_ms)
            ),
        ),
        None => ("—".to_owned(), NOTHING.to_owned()),
    };
    pen.chart("answer-time", "Worker answer time", value_label, description)
}

/// The errors of the answers over time.
pub(super) fn errors(history: &History) -> Vec<(f64, f64)> {
    columns(history).iter().filter_map(|column| Some((column.at_s, column.error?))).collect()
}

fn error(history: &History, columns: &[Column], width: f64, result: Option<u64>) -> Chart {
    let mut pen = Pen::new(&history.time, width);
    let values = columns.iter().flat_map(|column| [column.error, column.counter]).flatten();
    let values = values.chain(history.left.iter().map(|point| point.1));
    let most = (values.fold(0.0, |most: f64, value| most.max(value.abs())) * 1.1).max(2.0 * GOAL);
    let tick = nice_step(most, 2.0);
    let most = most.max(tick);
    let y = Scale { values: (-most, most), pixels: (BASE - 2.0, TOP - 2.0) };
    let (own, other) = (history.strategy.name(), counter_of(history.strategy).name());
    pen.shade(&history.time);
    if has_points(&mut pen, history) {
        let (left, right) = pen.x.pixels;
        let mut goal = String::new();
        rect(&mut goal, left, y.px_within(GOAL), right - left, y.px_within(-GOAL) - y.px_within(GOAL));
        pen.path("goal", goal);
        pen.line("zero", left, y.px(0.0), right, y.px(0.0));
        for (value, label) in [
            (tick, format!("+{} %", plain(tick))),
            (0.0, "0".to_owned()),
            (-tick, format!("−{}", plain(tick))),
        ] {
            pen.tick(&y, value, &label);
        }
        pen.left(&history.left, &y);
        pen.series("counter", &over_time(columns, |column| column.counter), &y);
        let class = if columns.len() > MANY { "dots fine" } else { "dots" };
        pen.dots(class, columns.iter().filter_map(|column| Some((column.at_s, column.error?))), &y);
        let names = [(other, last(columns, |c| c.counter)), (own, last(columns, |c| c.error))];
        pen.names(&y, &names, TOP + 4.0);
    }
    let newest = told(history, result).and_then(|point| Some((point.error?, point.counter?)));
    let (value_label, description) = match newest {
        Some((error, counter)) => (
            percent(error),
            format!(
                "In the request the {own} is {} off the truth; the {other} would have been {} off.",
                percent(error),
                percent(counter)
            ),
        ),
        None => ("—".to_owned(), NOTHING.to_owned()),
    };
    pen.chart("error", "Error vs truth", value_label, description)
}

/// What was answered, from the lowest to the highest, and what was made of it.
fn spread(history: &History, columns: &[Column], width: f64, result: Option<u64>) -> Chart {
    let mut pen = Pen::new(&history.time, width);
    let values = || columns.iter().filter_map(|column| Some((column.at_s, column.values?)));
    let low = values().fold(f64::INFINITY, |low, (_, [value, ..])| low.min(value));
    let high = values().fold(f64::NEG_INFINITY, |high, (_, [.., value])| high.max(value));
    if has_points(&mut pen, history) && low <= high {
        let margin = ((high - low) * 0.08).max(1.0);
        let y = Scale { values: (low - margin, high + margin), pixels: (BASE - 2.0, TOP - 2.0) };
        for value in [low, high] {
            pen.tick(&y, value, &(fixed(value / 1000.0, 0) + "k"));
        }
        for (at_s, [from, _, to]) in values() {
            let x = pen.x.px_within(at_s);
            pen.line("counter", x, y.px(from), x, y.px(to));
        }
        pen.dots("dots", values().map(|(at_s, [_, value, _])| (at_s, value)), &y);
    }
    let newest = told(history, result).and_then(|point| point.values);
    let (value_label, description) = match newest {
        Some([low, value, high]) => (
            fixed(value, 0),
            format!(
                "In the request the answers lie between {} and {}; the result is {}.",
                fixed(low, 0),
                fixed(high, 0),
                fixed(value, 0)
            ),
        ),
        None => ("—".to_owned(), NOTHING.to_owned()),
    };
    pen.chart("error", "Answers and result", value_label, description)
}

/// The classes of the outcomes, from the axis upwards.
const STACK: [&str; 5] = ["bar-in-time", "bar-lying", "bar-late", "bar-failed", "bar-down"];

fn answers(history: &History, columns: &[Column], width: f64, result: Option<u64>) -> Chart {
    let mut pen = Pen::new(&history.time, width);
    let most = columns.iter().map(|column| column.counts.iter().sum()).fold(history.workers.into(), f64::max);
    let y = Scale { values: (0.0, most.max(1.0)), pixels: (BASE, TOP) };
    pen.shade(&history.time);
    if has_points(&mut pen, history) {
        pen.tick(&y, y.values.1, &shortest(y.values.1));
        let counts: Vec<(f64, [f64; 5])> =
            columns.iter().map(|column| (column.at_s, column.counts)).collect();
        pen.stacks(STACK, &counts, &y);
    }
    let (value_label, description) = match told(history, result) {
        Some(point) => {
            // Four digits leave no room for a word.
            let of = if point.total() < 1000 { " of " } else { "/" };
            let said = |count: u32| scale::count(count as usize);
            let label = format!("{}{of}{} in time", said(point.answers()), said(point.total()));
            (label, in_words(&point.counts))
        }
        None => ("—".to_owned(), NOTHING.to_owned()),
    };
    pen.chart("answers", "Answers per request", value_label, description)
}

fn in_flight(history: &History, width: f64) -> Chart {
    let mut pen = Pen::new(&history.time, width);
    let (peak, workers) = (history.in_flight.peak(0.0, history.time.now_ms), history.workers.max(1));
    let most = f64::from(peak.max(workers)) * 1.15;
    // How many workers there are tells more than a round number, as long as it is near.
    let tick = if peak <= 2 * workers { f64::from(workers) } else { nice_step(most, 2.0) };
    let y = axis(most, tick);
    let now = history.in_flight.level();
    pen.shade(&history.time);
    if has_points(&mut pen, history) {
        pen.tick(&y, tick, &shortest(tick));
        pen.steps(&history.in_flight, history.time.now_ms, &y);
    }
    let description = format!("{now} tasks are in flight now; the most so far was {peak}.");
    pen.chart("in-flight", "Tasks in flight", scale::count(now as usize), description)
}

fn rejected(history: &History, columns: &[Column], width: f64) -> Chart {
    let (key, title) = ("rejected", "Rejected (429)");
    let mut pen = Pen::new(&history.time, width);
    let Some(rate) = history.rate else {
        pen.note("No rate limit in this system.");
        let mut chart = pen.chart(key, title, "0".to_owned(), "No rate limit in this system.".to_owned());
        // Nothing happens over time here.
        chart.items.retain(|item| !matches!(item, Item::Path { class: "now", .. }));
        return chart;
    };
    let total = history.points.iter().filter(|point| point.limited).count();
    pen.shade(&history.time);
    if total == 0 {
        pen.note("None.");
    } else {
        let most = columns.iter().map(|column| column.limited).fold(1.0, f64::max);
        let y = Scale { values: (0.0, most), pixels: (BASE, TOP) };
        pen.tick(&y, most, &shortest(most));
        let mut bars = String::new();
        for column in columns.iter().filter(|column| column.limited > 0.0) {
            let top = y.px(column.limited);
            rect(&mut bars, pen.x.px_within(column.at_s) - 2.0, top, 4.0, BASE - top);
        }
        pen.path("bar-failed", bars);
    }
    let description =
        format!("{total} requests were rejected so far; a client may send {} a second.", shortest(rate));
    pen.chart(key, title, total.to_string(), description)
}

// --- words ------------------------------------------------------------------------------------------------------

fn time(ms: f64) -> String {
    if ms >= 999.5 { format!("{} s", shortest(libm::round(ms / 100.0) / 10.0)) } else { fixed(ms, 0) + " ms" }
}

fn percent(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{} %", fixed(value.abs(), 2))
}

fn in_words(counts: &Counts) -> String {
    let [in_time, lying, late, failed, down] = counts;
    format!(
        "Of {} workers: {in_time} in time, {lying} lying in time, {late} late, {failed} failed, \
         {down} down or not asked.",
        counts.iter().sum::<u32>()
    )
}

fn last(columns: &[Column], of: impl Fn(&Column) -> Option<f64>) -> Option<f64> {
    columns.iter().rev().find_map(of)
}
