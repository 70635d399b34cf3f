//! The invariants of every run, whatever its faults, judged as facts come in.

use super::job::{ClaimEnd, Job, Place};
use crate::lab::check::Verdicts;
use crate::systems::facts::Told;
use crate::systems::wizard::fact::Fact;

/// What must hold.
const INVARIANTS: [&str; 5] = [
    "an acknowledged job is somewhere",
    "a lost job has its cause, and was never done",
    "a done job has its result's time, and who did it",
    "a worker's times with jobs end after they begin",
    "a lost job never comes back",
];
const SOMEWHERE: usize = 0;
const LOST: usize = 1;
const DONE: usize = 2;
const TIMES: usize = 3;
const BACK: usize = 4;

type Fate = Result<(), String>;

/// Holds the facts against the invariants.
#[derive(Debug)]
pub struct Checks(Verdicts);

impl Checks {
    pub(super) fn new() -> Self {
        Checks(Verdicts::new(&INVARIANTS))
    }

    /// What came of it so far.
    pub fn verdicts(&self) -> &Verdicts {
        &self.0
    }

    fn judge(&mut self, invariant: usize, told: &Told<'_, Fact>, job: &Job, fate: Fate) {
        let result = fate.map_err(|why| format!("task {}: {why}", job.id));
        self.0.judge(invariant, told.n, told.at, result);
    }

    /// The 202 of a job leaves.
    pub(super) fn acknowledged(&mut self, told: &Told<'_, Fact>, job: &Job) {
        let fate = job.place.map(drop).ok_or_else(|| "it is nowhere".to_owned());
        self.judge(SOMEWHERE, told, job, fate);
    }

    /// A job is about to come into a list, or to get its result. Only a store that goes back to an older snapshot may bring
    /// back what is lost, and that comes another way.
    pub(super) fn comes(&mut self, told: &Told<'_, Fact>, job: &Job, how: &str) {
        let fate = if job.place == Some(Place::Lost) {
            Err(format!("it was {how} after it was lost"))
        } else {
            Ok(())
        };
        self.judge(BACK, told, job, fate);
    }

    /// A worker's time with a job has ended, or should have.
    pub(super) fn released(&mut self, told: &Told<'_, Fact>, job: &Job, had_begun: bool) {
        let ended = |end| end != ClaimEnd::Open;
        let wrong = job.claims.iter().find(|claim| match claim.until {
            Some(until) => until < claim.from || !ended(claim.end),
            None => ended(claim.end),
        });
        let fate = match wrong {
            Some(claim) => Err(format!("{claim:?}")),
            None if !had_begun => Err(format!("it was not in that worker's hand: {:?}", told.fact)),
            None => Ok(()),
        };
        self.judge(TIMES, told, job, fate);
    }

    /// A job is at another place.
    pub(super) fn moved(&mut self, told: &Told<'_, Fact>, job: &Job) {
        let lost = job.place == Some(Place::Lost);
        let fate = match (lost, job.lost) {
            // What was done may be lost when it has come back with an older snapshot.
            (true, Some(_)) if job.done_at.is_none() || job.restored > 0 => Ok(()),
            (false, None) => Ok(()),
            _ => Err("it is lost and is not".to_owned()),
        };
        self.judge(LOST, told, job, fate);
        let signed = job.done_at.is_some() && job.handled_by.is_some() && job.completions > 0;
        let unsigned = job.place == Some(Place::Done) && !signed;
        let fate = if unsigned { Err("it is done, and nobody did it".to_owned()) } else { Ok(()) };
        self.judge(DONE, told, job, fate);
    }
}
