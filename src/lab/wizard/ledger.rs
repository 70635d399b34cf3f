//! The jobs and submissions of a run: those whose course goes on, and the newest of those that have ended, as many as a
//! budget allows. Nothing here takes longer with a longer history.
//!
//! The budget is in tasks: a job weighs one and one more for each time that a worker had it in hand, a submission one.

use super::job::{Job, Submission};
use super::numbered::Numbered;
use crate::net::LookUp;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// What a run has at hand.
#[derive(Debug, Default)]
pub struct Ledger {
    budget: usize,
    jobs: Numbered<Job>,
    /// Only looked up, never iterated.
    by_id: LookUp<Rc<str>, u64>,
    open_jobs: BTreeSet<u64>,
    begun: u64,
    submissions: Numbered<Submission>,
    open_submissions: BTreeSet<u64>,
    /// In the order in which they ended.
    ended: VecDeque<Ended>,
    /// What those weigh.
    weight: usize,
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Job(u64),
    Submission(u64),
}

impl Ledger {
    pub(super) fn new(budget: usize) -> Self {
        Ledger { budget, ..Ledger::default() }
    }

    /// The jobs, by their numbers.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &Job> + Clone {
        self.jobs.values()
    }

    /// The submissions, by their numbers.
    pub fn submissions(&self) -> impl DoubleEndedIterator<Item = &Submission> + Clone {
        self.submissions.values()
    }

    /// The job of an id.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.get(*self.by_id.get(id)?)
    }

    /// The submission of a number.
    pub fn submission(&self, number: u64) -> Option<&Submission> {
        self.submissions.get(number)
    }

    /// The jobs whose course goes on, by their numbers.
    pub(super) fn open_jobs(&self) -> impl Iterator<Item = &Job> {
        self.open_jobs.iter().filter_map(|&number| self.jobs.get(number))
    }

    /// The submissions of which anything may still come.
    pub(super) fn open_submissions(&self) -> impl Iterator<Item = &Submission> {
        self.open_submissions.iter().filter_map(|&number| self.submissions.get(number))
    }

    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    pub(super) fn job_at(&self, number: u64) -> Option<&Job> {
        self.jobs.get(number)
    }

    /// A job whose course goes on.
    pub(super) fn open_job_mut(&mut self, number: u64) -> Option<&mut Job> {
        self.jobs.get_mut(number).filter(|job| !job.state.ended)
    }

    /// A job, whether it has ended or not.
    pub(super) fn job_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(*self.by_id.get(id)?)
    }

    /// A submission of which anything may still come.
    pub(super) fn submission_mut(&mut self, number: u64) -> Option<&mut Submission> {
        // Those that have ended stay as they are.
        self.submissions.get_mut(number).filter(|submission| !submission.ended)
    }

    pub(super) fn begin_submission(&mut self, submission: Submission) {
        self.open_submissions.insert(submission.number);
        self.submissions.insert(submission.number, submission);
    }

    /// A new job; its number.
    pub(super) fn begin_job(&mut self, id: &Rc<str>, submission: u64, initiated_by: u32) -> u64 {
        self.begun += 1;
        let number = self.begun;
        self.by_id.insert(Rc::clone(id), number);
        self.open_jobs.insert(number);
        self.jobs.insert(number, Job::new(number, Rc::clone(id), submission, initiated_by));
        number
    }

    pub(super) fn end_job(&mut self, number: u64) {
        if self.open_jobs.remove(&number) {
            self.jobs.get_mut(number).into_iter().for_each(|job| job.state.ended = true);
            self.keep(Ended::Job(number));
        }
    }

    pub(super) fn end_submission(&mut self, number: u64) {
        if self.open_submissions.remove(&number) {
            self.submissions.get_mut(number).into_iter().for_each(|submission| submission.ended = true);
            self.keep(Ended::Submission(number));
        }
    }

    fn keep(&mut self, ended: Ended) {
        self.weight += self.weight_of(ended);
        self.ended.push_back(ended);
        while self.weight > self.budget {
            let Some(oldest) = self.ended.pop_front() else { return };
            self.weight -= self.weight_of(oldest);
            match oldest {
                Ended::Submission(number) => drop(self.submissions.remove(number)),
                Ended::Job(number) => {
                    let job = self.jobs.remove(number);
                    job.map(|job| self.by_id.remove(&job.id));
                }
            }
        }
    }

    fn weight_of(&self, ended: Ended) -> usize {
        match ended {
            Ended::Job(number) => 1 + self.jobs.get(number).map_or(0, |job| job.claims.len()),
            Ended::Submission(_) => 1,
        }
    }
}
