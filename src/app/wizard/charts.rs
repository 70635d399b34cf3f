//! The Math Wizard's charts: job time, queue depth, throughput, refused, lost.

use crate::app::plot::geometry::{Scale, nice_step, shortest};
use crate::app::plot::pen::{BASE, LINE, TOP, axis, point};
use crate::app::plot::{Anchor, Chart, Charts, Pen, Time};
use crate::app::snapshot::Show;
use crate::kernel::Instant;
use crate::lab::wizard::{Job, Ledger, Outcome, theory};
use crate::lab::{Run, Scenario};

/// So many instants a curve is made of.
const SAMPLES_MAX: f64 = 240.0;

/// What was the case at an instant.
#[derive(Clone, Copy, Default)]
struct Sample {
    at_s: f64,
    waiting: f64,
    done: f64,
    refused: f64,
    lost: f64,
}

/// The charts of a Math Wizard, and what they have seen.
#[derive(Default)]
pub struct WizardCharts {
    scenario: Option<Scenario>,
    time: Time,
    /// Whether there is anything to draw.
    any: bool,
    samples: Vec<Sample>,
    /// When each job was done, in seconds, and how long it took, in milliseconds.
    times: Vec<(f64, f64)>,
    /// The mean job time, and what theory says of it, in milliseconds.
    means: Option<(f64, f64)>,
    /// The queue of a future that was left, by seconds.
    left: Vec<(f64, f64)>,
}

/// The chart beside which such a future is drawn.
const MAIN: &str = "queue-depth";

impl Charts for WizardCharts {
    fn update(&mut self, run: &Run) {
        let Some(wizard) = crate::lab::wizard::of(run.system()) else { return };
        let now_s = run.now().as_millis_f64() / 1000.0;
        let past = self.samples.last().is_some_and(|last| last.at_s > now_s);
        if past || self.scenario.as_ref() != Some(run.scenario()) {
            *self = WizardCharts { scenario: Some(run.scenario().clone()), ..WizardCharts::default() };
        }
        self.time = Time::of(run);
        let theory = theory::mean_wait(wizard.wizard().params());
        self.means = theory.zip(wizard.tally().job_ms().mean()).map(|(wait_s, mean_ms)| {
            let work_s = wizard.wizard().params().work.as_secs_f64();
            (mean_ms, (wait_s + work_s) * 1000.0)
        });
        let ledger = wizard.ledger();
        self.read(&ledger, run.now());
        self.any |= ledger.jobs().next().is_some();
    }

    fn course(&self) -> Vec<(f64, f64)> {
        self.samples.iter().map(|sample| (sample.at_s, sample.waiting)).collect()
    }

    fn lay_beside(&mut self, left: Vec<(f64, f64)>) {
        self.left = left;
    }

    fn draw(&self, width: f64, _: Show) -> Vec<Chart> {
        vec![
            self.job_time(width),
            self.depth(width),
            self.throughput(width),
            self.refused(width),
            self.lost(width),
        ]
    }
}

impl WizardCharts {
    /// All curves are made of what the ledger has, at as many instants as there is room for.
    fn read(&mut self, ledger: &Ledger, now: Instant) {
        let now_s = now.as_millis_f64() / 1000.0;
        let seconds = |at: Instant| at.as_millis_f64() / 1000.0;
        let done = |job: &Job| {
            let (done, queued) = (job.done_at?, job.queued_at?);
            Some((seconds(done), done.since(queued).as_millis_f64()))
        };
        self.times = ledger.jobs().filter_map(done).collect();
        let step = now_s / SAMPLES_MAX;
        let mut samples: Vec<Sample> = (0..=SAMPLES_MAX as u32)
            .map(|i| Sample { at_s: step * f64::from(i), ..Sample::default() })
            .collect();
        let first_after = |at: f64| if step > 0.0 { libm::ceil(at / step) as usize } else { 0 };
        // First the changes, then their sums.
        let mut add = |at: f64, change: &dyn Fn(&mut Sample)| {
            samples.get_mut(first_after(at)).into_iter().for_each(change);
        };
        for job in ledger.jobs() {
            let Some(queued) = job.queued_at else { continue };
            let left = job.taken_at.or(job.lost.map(|(at, _)| at)).map_or(f64::INFINITY, seconds);
            add(seconds(queued), &|sample| sample.waiting += 1.0);
            add(left, &|sample| sample.waiting -= 1.0);
            if let Some(at) = job.done_at {
                add(seconds(at), &|sample| sample.done += 1.0);
            }
            if let Some((at, _)) = job.lost {
                add(seconds(at), &|sample| sample.lost += 1.0);
            }
        }
        for submission in ledger.submissions() {
            if let (Some(at), Outcome::Refused(_)) = (submission.answered_at, submission.outcome) {
                add(seconds(at), &|sample| sample.refused += 1.0);
            }
        }
        let mut sum = Sample::default();
        for sample in &mut samples {
            sum = Sample {
                at_s: sample.at_s,
                waiting: sum.waiting + sample.waiting,
                done: sum.done + sample.done,
                refused: sum.refused + sample.refused,
                lost: sum.lost + sample.lost,
            };
            *sample = sum;
        }
        self.samples = samples;
    }

    /// Whether there is anything to draw; if not, says so.
    fn has_any(&self, pen: &mut Pen) -> bool {
        if !self.any {
            pen.note("No requests yet");
        }
        self.any
    }

    fn job_time(&self, width: f64) -> Chart {
        let mut pen = Pen::new(&self.time, width);
        let most = self.times.iter().map(|time| time.1).fold(1000.0, f64::max) * 1.15;
        let y = Scale { values: (0.0, most), pixels: (BASE, TOP) };
        pen.shade(&self.time);
        if self.has_any(&mut pen) {
            let step = nice_step(most, 3.0);
            pen.tick(&y, 0.0, "0");
            pen.tick(&y, step, &format!("{} s", shortest(step / 1000.0)));
            pen.cloud("dots fine", self.times.iter().copied(), &y);
            self.theory(&mut pen, &y);
        }
        if let Some((mean, theory)) = self.means {
            let (mean, theory) = (mean / 1000.0, theory / 1000.0);
            let words = format!("Jobs took {mean:.2} s on average; Erlang's C says {theory:.2} s.");
            return pen.chart("job-time", "Job time", format!("mean {mean:.2} s"), words);
        }
        let newest = self.times.iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|time| time.1 / 1000.0);
        let (label, words) = match newest {
            Some(s) => (
                format!("{s:.2} s"),
                format!("The newest job done took {s:.2} s from the push to its result."),
            ),
            None => ("—".to_owned(), "No job is done yet.".to_owned()),
        };
        pen.chart("job-time", "Job time", label, words)
    }

    /// The mean so far, and the one of a textbook's queue.
    fn theory(&self, pen: &mut Pen, y: &Scale) {
        let Some((mean, theory)) = self.means else { return };
        let (left, right) = pen.x.pixels;
        for (class, ms) in [("timeout", theory), ("counter", mean)] {
            let level = y.px_within(ms);
            pen.line(class, left, level, right, level);
        }
        pen.text(right, y.px_within(theory.max(mean)) - 4.0, Anchor::End, "Erlang's C");
    }

    fn depth(&self, width: f64) -> Chart {
        let now = self.samples.last().map_or(0.0, |sample| sample.waiting);
        let words = format!(
            "{} now.",
            if now == 1.0 { "1 job waits".to_owned() } else { format!("{now} jobs wait") }
        );
        self.curve(width, (MAIN, "Queue depth"), |sample| sample.waiting, shortest(now), words)
    }

    fn throughput(&self, width: f64) -> Chart {
        let now_s = self.time.now_ms / 1000.0;
        let window = now_s.clamp(0.001, 10.0);
        let recent = self.times.iter().filter(|time| time.0 > now_s - window).count() as f64 / window;
        let words = format!("{recent:.2} jobs a second were done in the last {window:.0} s.");
        self.curve(width, ("throughput", "Jobs done"), |sample| sample.done, format!("{recent:.2}/s"), words)
    }

    fn refused(&self, width: f64) -> Chart {
        let now = self.samples.last().map_or(0.0, |sample| sample.refused);
        let words = format!("{} turned away so far.", were(now));
        self.curve(width, ("rejected", "Refused"), |sample| sample.refused, shortest(now), words)
    }

    fn lost(&self, width: f64) -> Chart {
        let now = self.samples.last().map_or(0.0, |sample| sample.lost);
        let words = format!("{} lost so far.", were(now));
        self.curve(width, ("lost", "Lost"), |sample| sample.lost, shortest(now), words)
    }

    fn curve(
        &self,
        width: f64,
        (key, title): (&'static str, &'static str),
        of: fn(&Sample) -> f64,
        label: String,
        words: String,
    ) -> Chart {
        let mut pen = Pen::new(&self.time, width);
        let left = if key == MAIN { self.left.as_slice() } else { &[] };
        let values = self.samples.iter().map(of).chain(left.iter().map(|point| point.1));
        let most = values.fold(0.0, f64::max);
        let high = most.max(2.0) * 1.15;
        let step = nice_step(high, 2.0);
        let y = axis(high, step);
        pen.shade(&self.time);
        if self.has_any(&mut pen) {
            pen.tick(&y, 0.0, "0");
            pen.tick(&y, step, &shortest(step));
            pen.left(left, &y);
            let mut d = String::new();
            for (i, sample) in self.samples.iter().enumerate() {
                point(&mut d, if i == 0 { 'M' } else { 'L' }, pen.x.px(sample.at_s), y.px_within(of(sample)));
            }
            pen.path("p50", d);
            if most == 0.0 {
                let (left, right) = pen.x.pixels;
                pen.text(
                    (left + right) / 2.0,
                    (TOP + BASE) / 2.0 + LINE / 3.0,
                    Anchor::Middle,
                    "none so far",
                );
            }
        }
        pen.chart(key, title, label, words)
    }
}

/// "1 job was", "3 jobs were"
fn were(count: f64) -> String {
    if count == 1.0 { "1 job was".to_owned() } else { format!("{count} jobs were") }
}
