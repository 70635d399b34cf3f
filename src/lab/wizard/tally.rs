//! What a run's jobs amount to: counts and quantiles over all of it, in memory that does not grow with it.

use super::job::{Job, Loss, Place, wait_of};
use crate::kernel::Instant;
use crate::lab::figures::Figures;
use crate::lab::quantiles::Quantiles;
use crate::systems::wizard::container_name;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Jobs acknowledged with 202.
    pub acknowledged: u64,
    /// Jobs with a result.
    pub done: u64,
    /// Results for jobs that had one already.
    pub done_again: u64,
    /// Jobs in the dead-letter queue.
    pub dead: u64,
    /// Jobs lost.
    pub lost: u64,
    /// Jobs of submissions that had one already.
    pub duplicates: u64,
    /// Jobs that a reaper put back.
    pub reaped: u64,
    /// Jobs that were over, and came back with an older snapshot of the store.
    pub restored: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Submissions refused because of a long queue: 503.
    pub refused_busy: u64,
    /// Submissions refused because of too many requests: 429.
    pub refused_rate: u64,
    /// Submissions that failed in any other way.
    pub refused_other: u64,
    /// Users that gave up polling.
    pub gave_up: u64,
}

/// What one container did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deeds {
    /// Jobs that it took.
    pub initiated: u64,
    /// Jobs that it did first.
    pub handled: u64,
    /// Polls that it answered.
    pub checked: u64,
}

/// The figures of a run so far.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Counts,
    lost: [u64; Loss::ALL.len()],
    /// By container, c-01 first.
    deeds: Vec<Deeds>,
    wait_ms: Quantiles,
    job_ms: Quantiles,
    /// Jobs that wait or are in hand, and the integral of their number over time, in job nanoseconds.
    in_system: u64,
    changed_at: Instant,
    area: u128,
    changes: u64,
}

impl Tally {
    /// Counts over the whole run.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Jobs lost, by cause.
    pub fn lost_by(&self, cause: Loss) -> u64 {
        self.lost[cause as usize]
    }

    /// What a container did, counted from 0.
    pub fn deeds(&self, container: usize) -> Deeds {
        self.deeds.get(container).copied().unwrap_or_default()
    }

    /// Jobs that containers took from users and put into the queue. More than were acknowledged, where the answer was
    /// lost or its container died before.
    pub fn queued(&self) -> u64 {
        self.deeds.iter().map(|deeds| deeds.initiated).sum()
    }

    /// From the push to the first time that a job was taken, milliseconds.
    pub fn wait_ms(&self) -> &Quantiles {
        &self.wait_ms
    }

    /// From the push to the result, milliseconds, over the jobs done.
    pub fn job_ms(&self) -> &Quantiles {
        &self.job_ms
    }

    /// Jobs that wait or are in hand.
    pub fn in_system(&self) -> u64 {
        self.in_system
    }

    /// How many jobs were in the system on average from virtual zero to `now`.
    pub fn mean_in_system(&self, now: Instant) -> f64 {
        self.area_until(now) as f64 / (now.since(Instant::ZERO).as_nanos() as f64).max(1.0)
    }

    /// Jobs done in a second of the run.
    pub fn throughput(&self, now: Instant) -> f64 {
        let seconds = now.since(Instant::ZERO).as_secs_f64();
        if seconds > 0.0 { self.counts.done as f64 / seconds } else { 0.0 }
    }

    /// Changes whenever anything here does.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The same, as a report has them.
    #[cfg_attr(
        all(target_arch = "wasm32", not(feature = "lab")),
        expect(dead_code, reason = "the page reports nothing")
    )]
    pub(super) fn figures(&self, now: Instant) -> Figures {
        let counts = &self.counts;
        let Counts { done, done_again, dead, lost, .. } = counts;
        let mut figures = Figures::default();
        let words = format!(
            "{done} done of {} queued, {} under way, {lost} lost, {dead} dead",
            self.queued(),
            self.in_system
        );
        figures.tell("counts", counts, "jobs", words);
        let causes: Vec<(Loss, u64)> =
            Loss::ALL.map(|cause| (cause, self.lost_by(cause))).into_iter().filter(|(_, n)| *n > 0).collect();
        let words: Vec<String> = causes.iter().map(|(cause, n)| format!("{n}: {}", cause.words())).collect();
        let lost: BTreeMap<&str, u64> = causes.iter().map(|(cause, n)| (cause.name(), *n)).collect();
        figures.tell("lost", lost, "lost", words.join("; "));
        let Counts { refused_busy, refused_rate, refused_other, .. } = counts;
        let refused = refused_busy + refused_rate + refused_other;
        let words =
            format!("{refused_busy} for the queue, {refused_rate} for the rate, {refused_other} otherwise");
        figures.tell("refused", refused, "refused", if refused > 0 { words } else { String::new() });
        let rest = [
            (counts.reaped, "put back by a reaper"),
            (counts.failed, "attempts failed"),
            (counts.duplicates, "duplicates by a second try"),
            (*done_again, "done again"),
            (counts.restored, "back with an older snapshot"),
            (counts.gave_up, "users gave up"),
        ];
        let words: Vec<String> =
            rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        figures.tell("in_system", self.in_system, "besides", words.join(", "));
        let deeds = self.deeds.iter().zip(1..).map(|(deeds, i)| (container_name(i), *deeds));
        let deeds: Vec<(String, Deeds)> = deeds.collect();
        let who = deeds.iter().map(|(name, Deeds { initiated, handled, checked })| {
            format!("{name} took {initiated}, did {handled}, told {checked} times")
        });
        let words = who.collect::<Vec<_>>().join("; ");
        figures.tell("containers", deeds.iter().cloned().collect::<BTreeMap<_, _>>(), "who", words);
        for (key, label, samples) in
            [("wait_ms", "wait", &self.wait_ms), ("job_ms", "job time", &self.job_ms)]
        {
            let spread = samples.spread();
            figures.tell(key, spread, label, spread.map_or_else(String::new, |spread| spread.words("ms")));
        }
        let throughput = self.throughput(now);
        figures.tell("throughput", throughput, "throughput", format!("{throughput:.3} jobs done a second"));
        let mean = self.mean_in_system(now);
        figures.tell("mean_in_system", mean, "in system", format!("{mean:.3} jobs on average"));
        figures
    }

    // --- what the courses of jobs and submissions tell --------------------------------------------------------------

    /// Something happened that is only counted.
    pub(super) fn count(&mut self, what: impl FnOnce(&mut Counts)) {
        self.changes += 1;
        what(&mut self.counts);
    }

    /// A submission did not get a 202.
    pub(super) fn refused(&mut self, status: u16, queue_full: bool) {
        self.count(|counts| match status {
            503 if queue_full => counts.refused_busy += 1,
            429 => counts.refused_rate += 1,
            _ => counts.refused_other += 1,
        });
    }

    /// A job is in the queue for the first time.
    pub(super) fn initiated(&mut self, container: u32, is_duplicate: bool) {
        self.deeds_of(container).initiated += 1;
        self.count(|counts| counts.duplicates += u64::from(is_duplicate));
    }

    /// A container, counted from 0, has answered a poll.
    pub(super) fn checked(&mut self, container: u32) {
        self.deeds_of(container).checked += 1;
    }

    /// A job was taken for the first time.
    pub(super) fn taken(&mut self, job: &Job) {
        wait_of(job).into_iter().for_each(|wait| self.wait_ms.add(wait.as_millis_f64()));
    }

    /// A job was done for the first time.
    pub(super) fn done(&mut self, job: &Job) {
        job.handled_by.into_iter().for_each(|container| self.deeds_of(container).handled += 1);
        if let (Some(done), Some(queued)) = (job.done_at, job.queued_at) {
            self.job_ms.add(done.since(queued).as_millis_f64());
        }
    }

    /// A job is lost; or one that was lost has come back.
    pub(super) fn lost(&mut self, cause: Loss, is_back: bool) {
        let lost = &mut self.lost[cause as usize];
        *lost = if is_back { *lost - 1 } else { *lost + 1 };
    }

    /// A job is at another place from `now` on.
    pub(super) fn moved(&mut self, now: Instant, from: Option<Place>, to: Place) {
        self.changes += 1;
        (self.area, self.changed_at) = (self.area_until(now), now);
        from.into_iter().for_each(|from| *self.at_mut(from) -= 1);
        *self.at_mut(to) += 1;
    }

    /// How many jobs are at a place.
    fn at_mut(&mut self, place: Place) -> &mut u64 {
        match place {
            Place::Queue | Place::Processing => &mut self.in_system,
            Place::DeadLetter => &mut self.counts.dead,
            Place::Done => &mut self.counts.done,
            Place::Lost => &mut self.counts.lost,
        }
    }

    fn deeds_of(&mut self, container: u32) -> &mut Deeds {
        let index = container as usize;
        if self.deeds.len() <= index {
            self.deeds.resize(index + 1, Deeds::default());
        }
        &mut self.deeds[index]
    }

    fn area_until(&self, now: Instant) -> u128 {
        self.area + u128::from(self.in_system) * u128::from(now.since(self.changed_at).as_nanos())
    }
}
