//! "What if one dies with a job in hand?", "What would have saved the lost one?" and "What would a third container do?", as
//! something that can be tried.

use super::Now;
use crate::app::command::Command;
use crate::app::experiment::Experiment;
use crate::lab::wizard::{Job, Place};
use crate::lab::{self, Run};

/// The question of whoever sees all well.
pub(super) const DEATH: &str = "What if one dies with a job in hand?";
/// The question once that has happened.
pub(super) const SAVED: &str = "What would have saved the lost one?";
/// The question beside the theory of a queue with two containers.
pub(super) const THIRD: &str = "What would a third container do?";

/// Over so many jobs a death is judged, the one in hand among them.
const MOURNED: u32 = 5;
/// A mean wait settles slowly.
const WAITED: u32 = 40;
/// Seconds from where to where one may guess a wait.
const WAITS: (f64, f64) = (0.0, 10.0);

/// The experiment of a moment, if the caption asks for one.
pub(super) fn experiment(now: Now, question: &str) -> Option<Experiment> {
    match question {
        DEATH => of_death(now),
        SAVED => of_saved(now),
        THIRD => of_third(now),
        _ => None,
    }
}

fn of_death(now: Now) -> Option<Experiment> {
    let view = now.view;
    // The one that was begun last is the least likely to be done at this very moment.
    let open = view.bars.iter().filter(|bar| bar.to_ms.is_none());
    let bar = open.max_by(|a, b| a.from_ms.total_cmp(&b.from_ms))?;
    let container = now.rows().get(bar.container as usize).filter(|node| node.up)?;
    let crash = format!("{} crashes now, with job {} in hand.", container.name, bar.job);
    Some(fates(DEATH, &crash, bar.job, Command::Fault { fault: format!("crash:{}", container.name) }))
}

fn of_saved(now: Now) -> Option<Experiment> {
    let lost = now.view.lost.first().filter(|_| now.view.mode == "brpop")?.number;
    let set = Command::Set { key: "mode".to_owned(), value: "lmove".into() };
    Some(fates(SAVED, "The same run with LMOVE in the place of BRPOP.", lost, set))
}

/// What becomes of a job and of those that follow it.
fn fates(question: &str, what: &str, job: u64, act: Command) -> Experiment {
    let others = MOURNED - 1;
    Experiment {
        question: question.to_owned(),
        detail: format!("{what} Of job {job} and the next {others}, how many per cent will be lost?"),
        acts: vec![act],
        results: (job - 1, MOURNED),
        before: None,
        scale: (0.0, 100.0),
        unit: " %",
        figure: "Lost were".to_owned(),
        noun: "jobs",
    }
}

fn of_third(now: Now) -> Option<Experiment> {
    Some(Experiment {
        question: THIRD.to_owned(),
        detail: format!(
            "The same run with three containers. How long will the next {WAITED} jobs wait, on average?"
        ),
        acts: vec![Command::Set { key: "containers".to_owned(), value: 3.into() }],
        results: (now.view.latest.first()?.number, WAITED),
        before: now.view.wait_ms.map(|ms| ms / 1000.0),
        scale: WAITS,
        unit: " s",
        figure: "The wait was".to_owned(),
        noun: "jobs",
    })
}

/// What became of the jobs, when it is known of each: with a container more the seconds that it waited, otherwise 100 for
/// one that was lost and 0 for another.
pub(super) fn measure(run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
    let wizard = lab::wizard::of(run.system())?;
    let ledger = wizard.ledger();
    let (after, count) = experiment.results;
    let jobs = ledger.jobs().skip_while(|job| job.number <= after).take(count as usize);
    let figures: Vec<f64> = if experiment.question != THIRD {
        let fate = |job: &Job| {
            job.place
                .filter(|place| place.is_over())
                .map(|place| if place == Place::Lost { 100.0 } else { 0.0 })
        };
        jobs.map(fate).collect::<Option<_>>()?
    } else {
        let wait = |job: &Job| Some(job.taken_at?.since(job.queued_at?).as_secs_f64());
        jobs.map(wait).collect::<Option<_>>()?
    };
    (figures.len() == count as usize).then_some(figures)
}
