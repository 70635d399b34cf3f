//! The invariants of every run, whatever its faults: checked over what the log kept.

use crate::lab::check::Check;
use crate::systems::wizard::log::{ClaimEnd, Job, Log, Place};

type Invariant = fn(&Job) -> Result<(), String>;

const INVARIANTS: [(&str, Invariant); 4] = [
    ("an acknowledged job is somewhere", acknowledged_is_placed),
    ("a lost job has its cause, and was never done", lost_is_named),
    ("a done job has its result's time, and who did it", done_is_signed),
    ("a worker's times with jobs end after they begin", claims_are_ordered),
];

/// Checks every job that `log` kept.
pub fn check(log: &Log) -> Vec<Check> {
    let check = |&(name, invariant): &(&str, Invariant)| {
        let broken = log.jobs().iter().find_map(|job| Some((job.id.as_str(), invariant(job).err()?)));
        let detail = broken.as_ref().map_or_else(String::new, |(id, why)| format!("task {id}: {why}"));
        Check { name: name.to_owned(), ok: broken.is_none(), detail }
    };
    let mut checks: Vec<Check> = INVARIANTS.iter().map(check).collect();
    let wrong = log.first_wrong.clone();
    checks.push(Check {
        name: "a lost job never comes back".to_owned(),
        ok: wrong.is_none(),
        detail: wrong.unwrap_or_default(),
    });
    checks
}

fn acknowledged_is_placed(job: &Job) -> Result<(), String> {
    match (job.acknowledged_at, job.place) {
        (Some(_), None) => Err("it is nowhere".to_owned()),
        _ => Ok(()),
    }
}

fn lost_is_named(job: &Job) -> Result<(), String> {
    match (job.place, job.lost, job.done_at) {
        (Some(Place::Lost), Some(_), None) => Ok(()),
        (Some(Place::Lost), ..) | (_, Some(_), _) => Err("it is lost and is not".to_owned()),
        _ => Ok(()),
    }
}

fn done_is_signed(job: &Job) -> Result<(), String> {
    let done = job.place == Some(Place::Done);
    let signed = job.done_at.is_some() && job.handled_by.is_some() && job.completions > 0;
    if done == signed { Ok(()) } else { Err("it is done, and nobody did it".to_owned()) }
}

fn claims_are_ordered(job: &Job) -> Result<(), String> {
    let wrong = job.claims.iter().find(|claim| match claim.until {
        Some(until) => until < claim.from || claim.end == ClaimEnd::Open,
        None => claim.end != ClaimEnd::Open,
    });
    wrong.map_or(Ok(()), |claim| Err(format!("{claim:?}")))
}
