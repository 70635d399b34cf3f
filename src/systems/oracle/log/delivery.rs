//! What the laboratory sees of messages that go through a broker: copies, deliveries, losses, late arrivals.

use super::{Log, RequestEntry, TaskEnd, TaskEntry, WorkerResult};
use crate::kernel::Instant;

impl RequestEntry {
    /// A worker's task. Before the request is closed they stand in the workers' order, so the place where it should be
    /// is looked at first.
    fn task_of(&mut self, worker: &str) -> Option<&mut TaskEntry> {
        let number = worker.rsplit('-').next().and_then(|digits| digits.parse::<usize>().ok());
        let guess = number.and_then(|number| number.checked_sub(1));
        let is_there = |&place: &usize| self.tasks.get(place).is_some_and(|task| task.worker == worker);
        let place =
            guess.filter(is_there).or_else(|| self.tasks.iter().position(|task| task.worker == worker))?;
        self.tasks.get_mut(place)
    }
}

impl Log {
    /// The coordinator publishes a task.
    pub(in crate::systems::oracle) fn published(&mut self, number: u64) {
        if let Some(request) = self.find(number) {
            request.published += 1;
        }
    }

    /// A worker has got a task, by the `delivered`th delivery of the message.
    pub(in crate::systems::oracle) fn received(&mut self, number: u64, worker: &str, delivered: u32) {
        let Some(request) = self.find(number) else {
            return;
        };
        request.redelivered += u32::from(delivered > 1);
        let is_open = request.closed_at.is_none();
        if request.task_of(worker).is_none() {
            // Nobody knew that it listens, or which of a queue group would be chosen.
            let end = if is_open { TaskEnd::Pending } else { TaskEnd::Late };
            request.tasks.push(TaskEntry { end, ..TaskEntry::pending(worker.to_owned()) });
        }
        if let Some(task) = request.task_of(worker) {
            task.copies += 1;
            task.deliveries = task.deliveries.max(delivered);
        }
    }

    /// A worker has handed its answer over to its connection.
    pub(in crate::systems::oracle) fn sent(&mut self, number: u64, worker: &str) {
        if let Some(task) = self.find(number).and_then(|request| request.task_of(worker)) {
            task.sent = true;
        }
    }

    /// An answer has arrived in time, or the news of a failure.
    pub(in crate::systems::oracle) fn arrived_from(
        &mut self,
        number: u64,
        now: Instant,
        result: &WorkerResult,
        end: TaskEnd,
    ) {
        if let Some(task) = self.find(number).and_then(|request| request.task_of(&result.worker_id)) {
            task.arrived(now, result, end);
        }
    }

    /// An answer has arrived when nobody waited for it any more.
    pub(in crate::systems::oracle) fn came_late(&mut self, number: u64, worker: &str, now: Instant) {
        let task = self.find(number).and_then(|request| request.task_of(worker));
        if let Some(task) = task.filter(|task| matches!(task.end, TaskEnd::Late | TaskEnd::Lost)) {
            task.end = TaskEnd::Late;
            task.late_at = task.late_at.or(Some(now));
        }
    }

    /// A broker that keeps nothing has gone down: what was on its way through it never arrives.
    pub(in crate::systems::oracle) fn lost_with_broker(&mut self, now: Instant) {
        for request in self.requests.iter_mut().filter(|request| request.opened_at.is_some()) {
            for task in &mut request.tasks {
                let is_open =
                    task.end == TaskEnd::Pending || task.end == TaskEnd::Late && task.late_at.is_none();
                if is_open && (task.copies == 0 || task.sent) {
                    task.end = TaskEnd::Lost;
                    task.ended_at = task.ended_at.or(Some(now));
                }
            }
        }
    }
}
