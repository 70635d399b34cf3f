//! The Math Wizard's captions: what just happened to the jobs, and what one would ask next.

use crate::app::caption::Caption;
use crate::app::snapshot::{FaultView, Role};
use crate::app::wizard::Now;
use crate::app::wizard::observe::{JobView, WizardView};
use crate::lab::wizard::Place;

/// A fault is news for so long, and a lost job.
const NEWS_MS: f64 = 2500.0;
const LOSS_MS: f64 = 8000.0;

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let (wizard, at) = (now.view, now.vtime_ms);
    let lost = wizard.lost.first().filter(|job| job.lost_ms.is_some_and(|lost| at - lost < LOSS_MS));
    let news = now.faults.iter().rev().find(|fault| (0.0..NEWS_MS).contains(&(at - fault.from_ms)));
    let reaped = wizard.latest.iter().find(|job| job.reaped && job.place != Some(Place::Done));
    match (lost, news, reaped) {
        (Some(job), ..) => of_loss(job),
        (None, Some(fault), _) => of_fault(fault, wizard),
        (None, None, Some(job)) => Caption::new(
            format!("The reaper put job {} back.", job.number),
            "Its worker had it too long or is gone; it stood in the processing list all the time.".to_owned(),
            "What if that worker is only slow?",
        ),
        (None, None, None) => of_flow(now, wizard),
    }
}

fn of_loss(job: &JobView) -> Caption {
    Caption::new(
        format!("Job {} is lost: {}.", job.number, job.cause),
        "BRPOP took it out of the queue, so nobody else has it. Its user polls on: PROCESSING, for ever."
            .to_owned(),
        "Who finishes the job?",
    )
}

fn of_fault(fault: &FaultView, wizard: &WizardView) -> Caption {
    let (target, at) = (&fault.target, format!("at {:.1} s", fault.from_ms / 1000.0));
    let lmove = wizard.mode == "lmove";
    match (fault.kind, target.as_str()) {
        ("crash", "valkey") => Caption::new(
            format!("The store crashed {at}."),
            "No job can be taken, done or asked after until it is back, with what it had saved.".to_owned(),
            "How many jobs does it remember?",
        ),
        ("crash", "gateway") => Caption::new(
            format!("Nginx crashed {at}."),
            "Users reach nobody; the workers go on with what waits.".to_owned(),
            "How long does the queue last?",
        ),
        ("crash", _) => Caption::new(
            format!("{target} crashed {at}."),
            if lmove {
                "What it had in hand stands in the processing list, where the reaper will find it.".to_owned()
            } else {
                "What it had in hand is gone with it: BRPOP had taken it out of the queue.".to_owned()
            },
            if lmove { "How long until somebody else does it?" } else { "Who finishes the job?" },
        ),
        ("stop", _) => Caption::new(
            format!("{target} is asked to end {at}."),
            "It finishes the job in hand and takes no other.".to_owned(),
            "Is any job lost this way?",
        ),
        ("slow", _) => Caption::new(
            format!("{target} is {} times as slow from {:.1} s on.", fault.value, fault.from_ms / 1000.0),
            "The others take the jobs that it does not come to.".to_owned(),
            "Does anybody wait longer for it?",
        ),
        ("drop", _) => Caption::new(
            format!("{target} loses messages {at}."),
            "A user whose answer is lost cannot know whether the job was taken.".to_owned(),
            "What happens to one who sends it again?",
        ),
        (kind, _) => Caption::new(format!("{target}: {kind} {at}."), String::new(), "What changes?"),
    }
}

fn of_flow(now: Now, wizard: &WizardView) -> Caption {
    let counts = wizard.counts;
    let [waiting, ..] = wizard.lists;
    let users = now.nodes.iter().any(|node| node.role == Role::CLIENT && node.up);
    let done = wizard.latest.iter().find(|job| job.place == Some(Place::Done));
    let new = wizard.containers.iter().filter(|c| c.existed && c.initiated == 0 && c.handled > 0).count();
    if new > 0 && now.vtime_ms > 5000.0 {
        return Caption::new(
            format!("{new} of the containers do jobs and get none from the gateway."),
            "Nginx looked their name up when it started; the queue needs no such knowledge.".to_owned(),
            "What makes the gateway look again?",
        );
    }
    if counts.duplicates > 0 {
        return Caption::new(
            format!("{} jobs were sent twice.", counts.duplicates),
            "Their users had no answer and tried again; the first try had arrived.".to_owned(),
            "What would let the API notice?",
        );
    }
    if counts.refused_busy > 0 {
        return Caption::new(
            format!("{} jobs were turned away with 503.", counts.refused_busy),
            format!("{waiting} wait now: a short queue keeps what was promised soon done."),
            "Would a longer queue serve more users, or only later?",
        );
    }
    match done {
        Some(JobView { number, initiated_by, handled_by: Some(by), .. }) => {
            let how = if by == initiated_by { "did it itself" } else { "had it done by another" };
            Caption::new(
                format!("Job {number}: c-{initiated_by:02} took it, c-{by:02} did it."),
                format!("The container that answered 202 {how}; {waiting} wait."),
                if counts.lost > 0 {
                    "What would have saved the lost one?"
                } else {
                    "What if one dies with a job in hand?"
                },
            )
        }
        _ if users && counts.acknowledged > 0 => Caption::new(
            format!("{} jobs are accepted, none is done yet.", counts.acknowledged),
            "202 means that it is in the queue, no more.".to_owned(),
            "Which container will do the first?",
        ),
        _ => Caption::new("Nobody has sent a job yet.".to_owned(), String::new(), "Who will take the first?"),
    }
}
