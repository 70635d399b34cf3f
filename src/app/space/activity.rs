//! When something happened in a run, followed as it goes on: stretches of time, with quiet between them.

use crate::app::catalogue::face;
use crate::kernel::Record;
use crate::lab::Run;

/// Quiet that is shorter than this is none, in nanoseconds.
const LEAST_NS: u64 = 150_000_000;

/// The stretches in which something happened.
#[derive(Debug, Default)]
pub struct Activity {
    /// From when to when, in nanoseconds, in order, with quiet between them.
    pub busy: Vec<(u64, u64)>,
    /// The newest record that was looked at: in another past it is another one.
    seen: Option<Record>,
    truth: bool,
}

impl Activity {
    /// Takes in what has happened since it last looked; without the truth, of that what the system itself can know.
    pub fn update(&mut self, run: &Run, truth: bool) {
        let (trace, face) = (run.trace(), face(run.system().kind()));
        let is_known = |record: &Record| truth || face.knows(run, record);
        let is_same = |seen: &Record| {
            seen.n <= trace.count() && trace.record(seen.n).is_none_or(|record| record == seen)
        };
        if self.truth != truth || !self.seen.as_ref().is_some_and(is_same) {
            *self = Activity { truth, ..Activity::default() };
        }
        let Some(oldest) = trace.records().next() else { return };
        let from = self.seen.map_or(oldest.n, |seen| oldest.n.max(seen.n + 1));
        for record in trace.records().skip((from - oldest.n) as usize).filter(|record| is_known(record)) {
            // What is on its way to another node is not quiet, nor is work: both belong to some unit.
            let cause = trace.record(record.cause).filter(|cause| {
                let is_one = cause.node != record.node || record.tag != 0 && cause.tag == record.tag;
                is_one && is_known(cause)
            });
            let begun = cause.map_or(record.at, |cause| cause.at);
            self.add(begun.as_nanos(), record.at.as_nanos());
        }
        let first = oldest.at.as_nanos();
        let gone = self.busy.partition_point(|&(_, end)| end < first);
        self.busy.drain(..gone);
        self.seen = trace.record(trace.count()).copied();
    }

    /// Stretches come in the order of their ends.
    fn add(&mut self, mut begun: u64, end: u64) {
        while let Some(&(start, last)) = self.busy.last().filter(|(_, last)| last + LEAST_NS >= begun) {
            begun = begun.min(start);
            debug_assert!(last <= end, "records come in the order of time");
            self.busy.pop();
        }
        self.busy.push((begun, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_are_one_also_across_several() {
        let mut activity = Activity::default();
        let ms = 1_000_000;
        for (begun, end) in [(0, 0), (100, 100), (400, 450), (900, 900), (2_000, 2_010)] {
            activity.add(begun * ms, end * ms);
        }
        let in_ms =
            |activity: &Activity| activity.busy.iter().map(|(a, b)| (a / ms, b / ms)).collect::<Vec<_>>();
        assert_eq!(in_ms(&activity), [(0, 100), (400, 450), (900, 900), (2_000, 2_010)]);
        activity.add(420 * ms, 2_020 * ms);
        assert_eq!(in_ms(&activity), [(0, 100), (400, 2_020)], "a long way over quiet times");
    }
}
