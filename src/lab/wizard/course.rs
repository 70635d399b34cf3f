//! The courses of jobs and submissions: what each fact does to them.
//!
//! A job is in the lists that the store says, in a worker's hand, on its way to one, or a dead worker's last word about it
//! is on its way to the store. When none of that is so any more and it is not over, it is lost. A store that starts with
//! an older snapshot decides anew where a job is: what was over may be back, which is told, and what it does not know and
//! nobody has is lost.

use super::folds::Folds;
use super::job::{Claim, ClaimEnd, Job, Loss, Outcome, Place, Submission, wait_of};
use crate::kernel::Instant;
use crate::lab::recorder::record;
use crate::systems::facts::Told;
use crate::systems::wizard::fact::Fact;
use std::collections::HashMap;
use std::rc::Rc;

type Heard<'a> = Told<'a, Fact>;

/// The lists, as places among a job's copies.
const QUEUE: usize = 0;
const PROCESSING: usize = 1;
const DEAD: usize = 2;

/// The measures of a job, in the order of `MEASURES`.
pub(super) const WAIT: usize = 0;
const JOB: usize = 1;

impl Folds {
    /// Does to jobs and submissions what a fact says.
    pub(super) fn follow(&mut self, told: &Heard) {
        match told.fact {
            Fact::Intended
            | Fact::Accepted { .. }
            | Fact::Refused { .. }
            | Fact::Seen
            | Fact::GaveUp { .. }
            | Fact::Left
            | Fact::Arrived { .. }
            | Fact::Gone { .. } => self.follow_user(told),
            Fact::Created { id, container } => self.create(told, id, container - 1),
            Fact::Acknowledged { id, .. } => {
                self.tally.count(|counts| counts.acknowledged += 1);
                self.with_job(id, |folds, number| folds.acknowledge(told, number));
            }
            Fact::Unsure { id, under_way } => {
                self.with_job(id, |folds, number| folds.doubt(number, *under_way));
            }
            Fact::Checked { id, container } => {
                self.tally.checked(container - 1);
                self.ledger.job_mut(id).into_iter().for_each(|job| job.checked_by = Some(container - 1));
            }
            Fact::LineOpened { line } => drop(self.lines.insert(*line, None)),
            Fact::LineClosed { line } => self.close_line(told, *line),
            Fact::Taken { id, line, listed } => {
                self.with_job(id, |folds, number| folds.take(told, number, *line, *listed))
            }
            Fact::Claimed { id, container, worker, line } => {
                self.with_job(id, |folds, number| {
                    folds.claim(told, number, (container - 1, worker - 1), *line)
                });
            }
            Fact::Started { id, container, worker, attempt, .. } => {
                let claim = self.open_claim(id, (container - 1, worker - 1));
                claim.into_iter().for_each(|claim| claim.attempt = *attempt);
            }
            Fact::Failed { id, container, worker, .. } => {
                let claim = self.open_claim(id, (container - 1, worker - 1));
                claim.into_iter().for_each(|claim| claim.failed = true);
            }
            Fact::Released { id, container, worker, failed } => {
                let end = if *failed { ClaimEnd::Failed } else { ClaimEnd::Done };
                self.tally.count(|counts| counts.failed += u64::from(*failed));
                self.with_job(id, |folds, number| {
                    folds.release(told, id, (container - 1, worker - 1), end);
                    folds.lose_if_gone(told, number, Loss::StoreForgot);
                });
            }
            Fact::Dropped { id, container, worker, told_ns, with_container } => {
                let cause = if *with_container { Loss::ContainerDied } else { Loss::WorkerDied };
                let word = told_ns.is_some_and(|ns| Instant::from_nanos(ns) >= self.store_started);
                self.with_job(id, |folds, number| {
                    folds.drop_claim(told, id, (container - 1, worker - 1), word);
                    folds.lose_if_gone(told, number, cause);
                });
            }
            Fact::Queued { id } => self.with_job(id, |folds, number| folds.queue(told, number)),
            Fact::Returned { id } => {
                self.tally.count(|counts| counts.reaped += 1);
                self.ledger.job_mut(id).into_iter().for_each(|job| job.reaped += 1);
                self.with_job(id, |folds, number| folds.queue(told, number));
            }
            Fact::Retried { id, container } => self.revive(told, id, container - 1),
            Fact::Buried { id } => self.with_job(id, |folds, number| folds.bury(told, number)),
            Fact::Completed { id, container, attempt } => {
                let by = container.map(|container| container - 1);
                self.with_job(id, |folds, number| folds.complete(told, number, by, *attempt));
            }
            Fact::StoreStarted { queue, processing, dead } => self.restart(told, [queue, processing, dead]),
            Fact::StoreSaved => self.save(),
            // A worker's own view, and what is around them.
            Fact::Computed { .. }
            | Fact::Condemned { .. }
            | Fact::Reaped { .. }
            | Fact::ContainersAdded { .. }
            | Fact::ContainersRemoved { .. }
            | Fact::GatewayReloaded => {}
        }
    }

    // --- submissions ------------------------------------------------------------------------------------------------

    fn follow_user(&mut self, told: &Heard) {
        if *told.fact == Fact::Intended {
            return self.ledger.begin_submission(Submission::new(told.req, told.at));
        }
        match told.fact {
            Fact::Refused { status, queue_full } => {
                self.tally.refused(*status, *queue_full);
                record(&self.recording, |recorder| recorder.end(told.req, false));
            }
            Fact::GaveUp { .. } => self.tally.count(|counts| counts.gave_up += 1),
            _ => {}
        }
        let Some(submission) = self.ledger.submission_mut(told.req) else { return };
        match told.fact {
            Fact::Accepted { .. } => {
                (submission.outcome, submission.answered_at) = (Outcome::Accepted, Some(told.at));
            }
            Fact::Refused { status, .. } => {
                (submission.outcome, submission.answered_at) = (Outcome::Refused(*status), Some(told.at));
            }
            Fact::Seen => submission.seen_at = Some(told.at),
            Fact::GaveUp { .. } => submission.gave_up = true,
            Fact::Arrived { .. } => submission.inside += 1,
            Fact::Gone { .. } => submission.inside -= 1,
            _ => {}
        }
        match told.fact {
            Fact::Refused { .. } | Fact::Seen | Fact::GaveUp { .. } | Fact::Left => {
                self.settle(told.req, told.at)
            }
            Fact::Gone { .. } => self.end_submission_if_over(told.req),
            _ => {}
        }
    }

    fn create(&mut self, told: &Heard, id: &Rc<str>, container: u32) {
        let number = self.ledger.begin_job(id, told.req, container);
        if let Some(submission) = self.ledger.submission_mut(told.req) {
            submission.jobs += 1;
            submission.open.push(number);
        }
    }

    fn acknowledge(&mut self, told: &Heard, number: u64) {
        let Folds { ledger, checks, .. } = self;
        if let Some(job) = ledger.open_job_mut(number) {
            job.state.pushing = false;
            job.acknowledged_at = Some(told.at);
            checks.acknowledged(told, job);
        }
    }

    fn doubt(&mut self, number: u64, under_way: bool) {
        if let Some(job) = self.ledger.open_job_mut(number) {
            job.state.pushing = false;
            (job.state.unsure, job.state.unsent) = (under_way, !under_way);
        }
    }

    // --- from the queue to a worker ---------------------------------------------------------------------------------

    fn queue(&mut self, told: &Heard, number: u64) {
        let Folds { ledger, tally, checks, .. } = self;
        let Some(job) = ledger.open_job_mut(number) else { return };
        checks.comes(told, job, "queued");
        job.state.copies[PROCESSING] = job.state.copies[PROCESSING].saturating_sub(1);
        job.state.copies[QUEUE] += 1;
        if job.place == Some(Place::DeadLetter) {
            // Somebody has put it back.
            job.state.copies[DEAD] = job.state.copies[DEAD].saturating_sub(1);
        }
        if matches!(told.fact, Fact::Queued { .. }) {
            hear_of_failure(job);
        }
        if job.queued_at.is_none() {
            job.queued_at = Some(told.at);
            let (container, submission) = (job.initiated_by, job.submission);
            let mut is_duplicate = false;
            if let Some(submission) = ledger.submission_mut(submission) {
                is_duplicate = submission.placed > 0;
                submission.placed += 1;
            }
            tally.initiated(container, is_duplicate);
        }
        self.relocate(told, number, Place::Queue);
    }

    /// A dead letter is about to be put back. Where its course has ended another one begins, among the dead letters.
    fn revive(&mut self, told: &Heard, id: &Rc<str>, container: u32) {
        let known = self.ledger.number_of(id).and_then(|number| self.ledger.job_at(number));
        if known.is_some_and(|job| !job.state.ended) {
            return;
        }
        let queued_at = known.and_then(|job| job.queued_at).or(Some(told.at));
        let number = self.ledger.begin_job(id, told.req, container);
        if let Some(job) = self.ledger.open_job_mut(number) {
            (job.queued_at, job.place) = (queued_at, Some(Place::DeadLetter));
            (job.state.copies[DEAD], job.state.pushing) = (1, false);
        }
    }

    fn take(&mut self, told: &Heard, number: u64, line: u64, listed: bool) {
        let Folds { ledger, tally, lines, recording, .. } = self;
        let Some(job) = ledger.open_job_mut(number) else { return };
        job.state.copies[QUEUE] = job.state.copies[QUEUE].saturating_sub(1);
        job.state.copies[PROCESSING] += u32::from(listed);
        if job.taken_at.is_none() {
            job.taken_at = Some(told.at);
            tally.taken(job);
            record(recording, |recorder| {
                let wait = wait_of(job).into_iter();
                wait.for_each(|wait| recorder.sample(job.submission, WAIT, wait.as_millis_f64()));
            });
        }
        if let Some(on_the_way) = lines.get_mut(&line) {
            *on_the_way = Some(number);
            job.state.carried += 1;
        }
        self.relocate(told, number, Place::Processing);
        self.lose_if_gone(told, number, Loss::DeadConnection);
    }

    fn close_line(&mut self, told: &Heard, line: u64) {
        if let Some(number) = self.lines.remove(&line).flatten() {
            self.arrive(number);
            self.lose_if_gone(told, number, Loss::OnTheWay);
            self.end_job_if_over(number);
        }
    }

    fn arrive(&mut self, number: u64) {
        let job = self.ledger.open_job_mut(number);
        job.into_iter().for_each(|job| job.state.carried = job.state.carried.saturating_sub(1));
    }

    fn claim(&mut self, told: &Heard, number: u64, (container, worker): (u32, u32), line: u64) {
        if self.lines.get_mut(&line).and_then(Option::take).is_some() {
            self.arrive(number);
        }
        let claim = Claim {
            container,
            worker,
            from: told.at,
            until: None,
            end: ClaimEnd::Open,
            attempt: 0,
            failed: false,
            heard: false,
            word: false,
        };
        let job = self.ledger.open_job_mut(number);
        job.into_iter().for_each(|job| job.claims.push(claim));
    }

    fn open_claim(&mut self, id: &str, who: (u32, u32)) -> Option<&mut Claim> {
        let open = |claim: &&mut Claim| (claim.container, claim.worker) == who && claim.end == ClaimEnd::Open;
        self.ledger.job_mut(id)?.claims.iter_mut().rev().find(open)
    }

    fn release(&mut self, told: &Heard, id: &str, who: (u32, u32), end: ClaimEnd) {
        let claim = self.open_claim(id, who);
        let had_begun = claim.is_some();
        claim.into_iter().for_each(|claim| (claim.until, claim.end) = (Some(told.at), end));
        let Folds { ledger, checks, .. } = self;
        ledger.job_mut(id).into_iter().for_each(|job| checks.released(told, job, had_begun));
    }

    /// `word` is whether the worker has said what became of the job, to a store that may hear it.
    fn drop_claim(&mut self, told: &Heard, id: &str, who: (u32, u32), word: bool) {
        let claim = self.open_claim(id, who);
        // What the store has heard is no longer on its way.
        claim.into_iter().for_each(|claim| claim.word = word && !claim.heard);
        self.release(told, id, who, ClaimEnd::Died);
    }

    // --- ends -------------------------------------------------------------------------------------------------------

    fn bury(&mut self, told: &Heard, number: u64) {
        let Folds { ledger, checks, .. } = self;
        let Some(job) = ledger.open_job_mut(number) else { return };
        checks.comes(told, job, "buried");
        job.state.copies[PROCESSING] = job.state.copies[PROCESSING].saturating_sub(1);
        job.state.copies[DEAD] += 1;
        hear_of_failure(job);
        if job.place != Some(Place::Done) {
            self.relocate(told, number, Place::DeadLetter);
        }
    }

    fn complete(&mut self, told: &Heard, number: u64, by: Option<u32>, attempt: u64) {
        let Folds { ledger, tally, checks, recording, .. } = self;
        let Some(job) = ledger.open_job_mut(number) else { return };
        checks.comes(told, job, "done");
        job.state.copies = [0; 3];
        let own = |claim: &Claim| Some(claim.container) == by && claim.attempt == attempt;
        // A worker that heard no answer says the same again.
        let said_before = job.claims.iter().any(|claim| own(claim) && claim.heard);
        let claim = job.claims.iter_mut().find(|claim| own(claim) && !claim.heard);
        let is_news = claim.is_some() || !said_before;
        claim.into_iter().for_each(|claim| (claim.heard, claim.word) = (true, false));
        if is_news {
            job.completions += 1;
            if job.completions == 1 {
                (job.done_at, job.handled_by) = (Some(told.at), by);
                tally.done(job);
                record(recording, |recorder| {
                    let took = job.queued_at.map(|queued| told.at.since(queued).as_millis_f64());
                    took.into_iter().for_each(|took| recorder.sample(job.submission, JOB, took));
                    recorder.end(job.submission, true);
                });
            } else {
                tally.count(|counts| counts.done_again += 1);
            }
        }
        self.relocate(told, number, Place::Done);
    }

    /// A job that nobody has any more and that is not over is lost.
    fn lose_if_gone(&mut self, told: &Heard, number: u64, cause: Loss) {
        let Some(job) = self.ledger.job_at(number) else { return };
        let open = matches!(job.place, Some(Place::Queue | Place::Processing));
        if open && job.state.copies == [0; 3] && !job.is_held() {
            self.lose(told, number, cause);
        }
    }

    fn lose(&mut self, told: &Heard, number: u64, cause: Loss) {
        if let Some(job) = self.ledger.open_job_mut(number) {
            job.lost = Some((told.at, cause));
            self.tally.lost(cause, false);
        }
        self.relocate(told, number, Place::Lost);
    }

    fn relocate(&mut self, told: &Heard, number: u64, place: Place) {
        let Folds { ledger, tally, checks, recording, .. } = self;
        let Some(job) = ledger.open_job_mut(number).filter(|job| job.place != Some(place)) else { return };
        if matches!(place, Place::Lost | Place::DeadLetter) {
            record(recording, |recorder| recorder.end(job.submission, false));
        }
        if let Some((_, cause)) = job.lost.take_if(|_| place != Place::Lost) {
            tally.lost(cause, true);
        }
        let from = job.place.replace(place);
        tally.moved(told.at, from, place);
        checks.moved(told, job);
    }

    // --- the store's disk -------------------------------------------------------------------------------------------

    /// The jobs that the snapshot has in the queue or in hand may be back one day.
    fn save(&mut self) {
        let open: Vec<u64> = self.ledger.open_jobs().map(|job| job.number).collect();
        for number in open {
            if let Some(job) = self.ledger.open_job_mut(number) {
                job.state.saved = job.state.copies[QUEUE] + job.state.copies[PROCESSING] > 0;
            }
            self.end_job_if_over(number);
        }
    }

    /// The store has these jobs in its lists, and none of what was on its way to the one before will arrive.
    fn restart(&mut self, told: &Heard, lists: [&Vec<Rc<str>>; 3]) {
        self.store_started = told.at;
        let mut copies: HashMap<u64, [u32; 3]> = HashMap::new();
        for (list, ids) in lists.into_iter().enumerate() {
            for number in ids.iter().filter_map(|id| self.ledger.number_of(id)) {
                copies.entry(number).or_default()[list] += 1;
            }
        }
        let open: Vec<u64> = self.ledger.open_jobs().map(|job| job.number).collect();
        for number in open {
            self.place_anew(told, number, copies.get(&number).copied().unwrap_or_default());
            self.end_job_if_over(number);
        }
    }

    fn place_anew(&mut self, told: &Heard, number: u64, copies: [u32; 3]) {
        let Some(job) = self.ledger.open_job_mut(number) else { return };
        job.state.copies = copies;
        job.state.unsent |= job.state.unsure;
        job.claims.iter_mut().for_each(|claim| claim.word = false);
        let place = match copies {
            [0, 0, 0] | [0, 0, _] if job.is_over() || job.place.is_none() => return,
            [0, 0, 0] if job.is_held() => Place::Processing,
            [0, 0, 0] => return self.lose(told, number, Loss::StoreForgot),
            [0, 0, _] => Place::DeadLetter,
            [0, ..] => Place::Processing,
            _ => Place::Queue,
        };
        if job.is_over() && !place.is_over() {
            job.restored += 1;
            self.tally.count(|counts| counts.restored += 1);
        }
        self.relocate(told, number, place);
    }

    // --- look-ups ---------------------------------------------------------------------------------------------------

    /// Does something to a job whose course goes on, and ends the course if that was its end.
    fn with_job(&mut self, id: &str, act: impl FnOnce(&mut Self, u64)) {
        let open = |number: &u64| self.ledger.job_at(*number).is_some_and(|job: &Job| !job.state.ended);
        if let Some(number) = self.ledger.number_of(id).filter(open) {
            act(self, number);
            self.end_job_if_over(number);
        }
    }
}

/// The word of a worker that failed has reached the store.
fn hear_of_failure(job: &mut Job) {
    let claim = job.claims.iter_mut().find(|claim| claim.failed && !claim.heard);
    claim.into_iter().for_each(|claim| (claim.heard, claim.word) = (true, false));
}
