//! The charts of a configuration system. Its ledger has all that they show, so they keep the picture of its last moment only.

use crate::app::plot::geometry::{Scale, nice_step, shortest};
use crate::app::plot::pen::{BASE, TOP, axis, point, rect};
use crate::app::plot::{Anchor, Chart, Charts, Pen, Time};
use crate::app::snapshot::Show;
use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::config::counts::Polls;
use crate::lab::config::ledger::VersionEntry;
use crate::lab::config::{self as room, ConfigRun};
use crate::systems::config::{AGENT_ROUND_TRIP_MAX, WORKER_ROUND_TRIP_MAX};

/// The most columns of a chart.
const COLUMNS: usize = 150;
/// What a chart says before there is anything.
const NOTHING: &str = "No changes yet";

/// Everything that the charts draw.
#[derive(Clone, Debug, Default)]
pub struct ConfigCharts {
    time: Time,
    bound_s: f64,
    workers: usize,
    /// How long one column takes.
    column_s: f64,
    columns: Vec<Column>,
    /// When each version was acknowledged, and how long it took to be everywhere or has taken so far; in seconds.
    versions: Vec<(f64, f64, bool)>,
    /// The oldest worker of a future that was left, by seconds.
    left: Vec<(f64, f64)>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    at_s: f64,
    /// How long the worker that was behind longest had been so, at its end.
    oldest_s: f64,
    /// How many workers ran the newest version acknowledged, at its end.
    current: usize,
    /// The most requests that arrived at the controller in one second of it.
    requests: u32,
    polls: Polls,
}

impl Charts for ConfigCharts {
    fn update(&mut self, run: &Run) {
        let Some(system) = room::of(run.system()) else {
            return;
        };
        let (tally, ledger, params) = (system.tally(), system.ledger(), system.config().params());
        let time = Time::of(run);
        let now_ms = time.now_ms;
        let bound = params.poll_max() + AGENT_ROUND_TRIP_MAX + params.worker_interval + WORKER_ROUND_TRIP_MAX;
        let (from_ms, to_ms) = time.axis_ms;
        // Whole seconds, in which the ledger counts.
        let column_s = ((to_ms - from_ms) / 1000.0 / COLUMNS as f64).ceil().max(1.0);
        let mut columns = columns(system, now_ms / 1000.0, column_s);
        columns.retain(|column| column.at_s >= from_ms / 1000.0);
        *self = ConfigCharts {
            time,
            bound_s: bound.as_secs_f64(),
            workers: tally.workers().len(),
            column_s,
            columns,
            left: Vec::new(),
            versions: ledger
                .versions()
                .iter()
                .filter(|entry| entry.number > 1)
                .filter_map(|entry| convergence(entry, now_ms))
                .collect(),
        };
    }

    fn course(&self) -> Vec<(f64, f64)> {
        self.columns.iter().map(|column| (column.at_s, column.oldest_s)).collect()
    }

    fn lay_beside(&mut self, left: Vec<(f64, f64)>) {
        self.left = left;
    }

    fn draw(&self, width: f64, _: Show) -> Vec<Chart> {
        vec![
            self.staleness(width),
            self.current(width),
            self.convergence(width),
            self.load(width),
            self.polls(width),
        ]
    }
}

fn columns(system: &ConfigRun, now_s: f64, column_s: f64) -> Vec<Column> {
    let (tally, ledger) = (system.tally(), system.ledger());
    let load = ledger.load();
    let count = (now_s / column_s).floor() as usize + 1;
    let column = |place: usize| {
        let at_s = place as f64 * column_s;
        let end_s = (at_s + column_s).min(now_s);
        let (from, to) = (at_s as usize, (at_s + column_s) as usize);
        let seconds = &load[from.min(load.len())..to.min(load.len())];
        let mut polls = Polls::default();
        for second in seconds {
            polls.modified += second.polls.modified;
            polls.not_modified += second.polls.not_modified;
            polls.failed += second.polls.failed;
        }
        // The last second goes on, and after it nothing has happened.
        let (current, behind_since) = match load.get(to - 1) {
            Some(second) if to < load.len() => (second.current, second.behind_since),
            _ => (tally.current(), tally.behind_since()),
        };
        Column {
            at_s,
            oldest_s: behind_since.map_or(0.0, |since| end_s - since.as_millis_f64() / 1000.0),
            current,
            requests: seconds.iter().map(|second| second.requests).max().unwrap_or(0),
            polls,
        }
    };
    (0..count).map(column).collect()
}

fn convergence(entry: &VersionEntry, now_ms: f64) -> Option<(f64, f64, bool)> {
    let from_ms = entry.acknowledged_at?.as_millis_f64();
    let to_ms = entry.everywhere_at.map_or(now_ms, Instant::as_millis_f64);
    Some((from_ms / 1000.0, (to_ms - from_ms) / 1000.0, entry.everywhere_at.is_some()))
}

// --- the pictures -----------------------------------------------------------------------------------------------

impl ConfigCharts {
    fn pen(&self, width: f64) -> Pen {
        let mut pen = Pen::new(&self.time, width);
        pen.shade(&self.time);
        pen
    }

    fn last(&self) -> Column {
        self.columns.last().copied().unwrap_or_default()
    }

    fn staleness(&self, width: f64) -> Chart {
        let mut pen = self.pen(width);
        let oldest =
            self.columns.iter().map(|column| column.oldest_s).chain(self.left.iter().map(|left| left.1));
        let most = oldest.fold(self.bound_s * 1.3, f64::max);
        let (y, step) = seconds_axis(most);
        self.bound(&mut pen, &y, step);
        pen.left(&self.left, &y);
        let mut line = String::new();
        for (i, column) in self.columns.iter().enumerate() {
            let end_s = (column.at_s + self.column_s).min(self.time.now_ms / 1000.0);
            point(&mut line, if i == 0 { 'M' } else { 'L' }, pen.x.px(end_s), y.px(column.oldest_s));
        }
        pen.path("p50", line);
        let now = self.last().oldest_s;
        let description = format!(
            "The worker that is behind longest has been so for {}. While all is well that is at most {}.",
            seconds(now),
            seconds(self.bound_s)
        );
        pen.chart("staleness", "Oldest worker", seconds(now), description)
    }

    fn bound(&self, pen: &mut Pen, y: &Scale, step: f64) {
        let bound = y.px(self.bound_s);
        pen.line("timeout", pen.x.pixels.0, bound, pen.x.pixels.1, bound);
        pen.text(pen.x.pixels.1, bound - 4.0, Anchor::End, "all is well");
        pen.tick(y, 0.0, "0");
        pen.tick(y, step, &format!("{} s", shortest(step)));
    }

    fn current(&self, width: f64) -> Chart {
        let mut pen = self.pen(width);
        let y = Scale { values: (0.0, self.workers.max(1) as f64), pixels: (BASE, TOP) };
        pen.tick(&y, y.values.1, &shortest(y.values.1));
        pen.tick(&y, 0.0, "0");
        let bars = |of: &dyn Fn(&Column) -> (f64, f64)| self.bars(&pen, &y, of);
        let workers = self.workers as f64;
        let current = bars(&|column| (0.0, column.current as f64));
        let behind = bars(&|column| (column.current as f64, workers));
        pen.path("bar-in-time", current);
        pen.path("bar-late", behind);
        let now = self.last().current;
        let description = format!("{now} of {} workers run the newest version.", self.workers);
        pen.chart("current", "Workers that are current", format!("{now} of {}", self.workers), description)
    }

    fn convergence(&self, width: f64) -> Chart {
        let mut pen = self.pen(width);
        let most = self.versions.iter().map(|&(_, took, _)| took).fold(self.bound_s * 1.3, f64::max);
        let (y, step) = seconds_axis(most);
        if self.versions.is_empty() {
            pen.note(NOTHING);
        } else {
            self.bound(&mut pen, &y, step);
        }
        for (class, everywhere) in [("dots open", false), ("dots", true)] {
            let those = self.versions.iter().filter(|version| version.2 == everywhere);
            pen.cloud(class, those.map(|&(at_s, took_s, _)| (at_s, took_s)), &y);
        }
        let newest = self.versions.iter().rev().find(|version| version.2);
        let label = newest.map_or_else(|| "—".to_owned(), |&(_, took_s, _)| seconds(took_s));
        let open = self.versions.iter().filter(|version| !version.2).count();
        let description = match newest {
            Some(_) => {
                format!("The newest version that is everywhere took {label}; {open} are on their way.")
            }
            None => NOTHING.to_owned(),
        };
        pen.chart("convergence", "From change to everywhere", label, description)
    }

    fn load(&self, width: f64) -> Chart {
        let mut pen = self.pen(width);
        let most = self.columns.iter().map(|column| column.requests).max().unwrap_or(0).max(1);
        let tick = if most <= 4 { f64::from(most) } else { nice_step(f64::from(most), 2.0) };
        let y = axis(f64::from(most) * 1.1, tick);
        pen.tick(&y, tick, &shortest(tick));
        let bars = self.bars(&pen, &y, &|column| (0.0, f64::from(column.requests)));
        pen.path("bar-task", bars);
        let peak = self.columns.iter().map(|column| column.requests).max().unwrap_or(0);
        let now = self.last().requests;
        let description = format!("{now} requests in this second; the most in any second were {peak}.");
        pen.chart("load", "Requests a second", format!("peak {peak}"), description)
    }

    /// What the polls of each stretch ended with, as shares.
    fn polls(&self, width: f64) -> Chart {
        let mut pen = self.pen(width);
        let y = Scale { values: (0.0, 1.0), pixels: (BASE, TOP) };
        pen.tick(&y, 1.0, "all");
        pen.tick(&y, 0.0, "0");
        let share = |part: u64, polls: &Polls| {
            part as f64 / (polls.modified + polls.not_modified + polls.failed).max(1) as f64
        };
        let modified = |column: &Column| (0.0, share(column.polls.modified, &column.polls));
        let same = |column: &Column| {
            let from = modified(column).1;
            (from, from + share(column.polls.not_modified, &column.polls))
        };
        let failed = |column: &Column| {
            let from = same(column).1;
            (from, from + share(column.polls.failed, &column.polls))
        };
        for (class, bars) in [
            ("bar-in-time", self.bars(&pen, &y, &modified)),
            ("bar-down", self.bars(&pen, &y, &same)),
            ("bar-failed", self.bars(&pen, &y, &failed)),
        ] {
            pen.path(class, bars);
        }
        let mut sum = Polls::default();
        for column in &self.columns {
            sum.modified += column.polls.modified;
            sum.not_modified += column.polls.not_modified;
            sum.failed += column.polls.failed;
        }
        let answered = sum.modified + sum.not_modified;
        let label = match answered {
            0 => "—".to_owned(),
            _ => format!("{:.0} % are 304", sum.not_modified as f64 / answered as f64 * 100.0),
        };
        let description = format!(
            "Of the agents' polls {} brought a newer version, {} nothing new (304), {} failed.",
            sum.modified, sum.not_modified, sum.failed
        );
        pen.chart("polls", "What polls brought", label, description)
    }

    /// A bar per column from one value to another.
    fn bars(&self, pen: &Pen, y: &Scale, of: &dyn Fn(&Column) -> (f64, f64)) -> String {
        let mut d = String::new();
        for column in &self.columns {
            let (from, to) = of(column);
            let end_s = (column.at_s + self.column_s).min(self.time.now_ms / 1000.0);
            let (left, right) = (pen.x.px(column.at_s), pen.x.px(end_s));
            if to > from && right > left {
                let gap = if right - left > 5.0 { 1.0 } else { 0.0 };
                let (bottom, top) = (y.px(from), y.px(to));
                rect(&mut d, left, top, (right - left - gap).max(0.5), (bottom - top).max(0.5));
            }
        }
        d
    }
}

/// An axis that has room for so many seconds, and where its label stands.
fn seconds_axis(most: f64) -> (Scale, f64) {
    let step = nice_step(most * 1.05, 2.0);
    (axis(most * 1.05, step), step)
}

fn seconds(s: f64) -> String {
    format!("{} s", shortest((s * 10.0).round() / 10.0))
}
