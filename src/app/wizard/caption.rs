//! The Math Wizard's captions: what just happened to the jobs, and what one would ask next.

use crate::app::caption::{About, Caption, Rank};
use crate::app::snapshot::{Edge, FaultView, Role};
use crate::app::wizard::observe::{JobView, WizardView};
use crate::app::wizard::{Now, experiment};
use crate::lab::wizard::{Place, theory};
use crate::lab::{self, Run};

/// A fault, and its end, are news for so long; a lost job is longer.
const NEWS_MS: f64 = 2500.0;
const LOSS_MS: f64 = 8000.0;
/// A textbook's mean says nothing about fewer jobs, and is told again after so many more.
const JUDGED_FROM: u64 = 50;

/// What stories are told apart by, besides the number of a job or a count.
mod story {
    pub const QUIET: u64 = 1;
    pub const ACCEPTED: u64 = 2;
    pub const LOST: u64 = 1 << 32;
    pub const REAPED: u64 = 2 << 32;
    pub const SAVED: u64 = 3 << 32;
    pub const UNSEEN: u64 = 4 << 32;
    pub const SEEN: u64 = 5 << 32;
    pub const TWICE: u64 = 6 << 32;
    pub const REFUSED: u64 = 7 << 32;
    pub const THEORY: u64 = 8 << 32;
}

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let (wizard, at) = (now.view, now.vtime_ms);
    let lost = wizard.lost.first().filter(|job| job.lost_ms.is_some_and(|lost| at - lost < LOSS_MS));
    let edge = now.snapshot.newest_edge().filter(|edge| at - edge.at_ms < NEWS_MS);
    match (lost, edge) {
        // What was lost by a fault comes after it.
        (Some(job), Some(edge)) if Some(edge.at_ms) > job.lost_ms => of_edge(&edge, wizard),
        (Some(job), _) => of_loss(job, wizard),
        (None, Some(edge)) => of_edge(&edge, wizard),
        (None, None) => of_reaped(wizard).unwrap_or_else(|| of_flow(now, wizard)),
    }
}

/// "1 job", "3 jobs"
fn jobs(count: u64) -> String {
    if count == 1 { "1 job".to_owned() } else { format!("{count} jobs") }
}

fn other(caption: Caption, about: u64, is_first: bool) -> Caption {
    caption.about(About::Other(about), if is_first { Rank::Effect } else { Rank::Result })
}

fn of_loss(job: &JobView, wizard: &WizardView) -> Caption {
    let caption = Caption::new(
        format!("Job {} is lost: {}.", job.number, job.cause),
        "BRPOP took it out of the queue, so nobody else has it.".to_owned(),
        "Who finishes the job?",
    );
    other(caption, story::LOST + job.number, wizard.lost.len() == 1)
}

fn of_edge(edge: &Edge, wizard: &WizardView) -> Caption {
    edge.tell(if edge.ends { of_end(edge.fault) } else { of_begin(edge.fault, wizard) })
}

fn of_end(fault: &FaultView) -> Caption {
    let at = format!("at {:.1} s", fault.to_ms.unwrap_or_default() / 1000.0);
    let (headline, detail) = match (fault.kind, fault.target.as_str()) {
        ("crash" | "stop", "valkey") => {
            (format!("The store is back {at}."), "It has what it had saved, and nothing else.")
        }
        ("crash" | "stop", target) => (
            format!("{target} is back {at}."),
            "It takes jobs again; those that it had are not its own any more.",
        ),
        ("drop", target) => (format!("{target} loses no more messages {at}."), ""),
        (_, target) => (format!("{target} is well again {at}."), ""),
    };
    Caption::new(headline, detail.to_owned(), "What is left of it?")
}

fn of_begin(fault: &FaultView, wizard: &WizardView) -> Caption {
    let (target, at) = (&fault.target, format!("at {:.1} s", fault.from_ms / 1000.0));
    let lmove = wizard.mode == "lmove";
    match (fault.kind, target.as_str()) {
        ("crash", "valkey") => Caption::new(
            format!("The store crashed {at}."),
            "No job can be taken, done or asked after until it is back.".to_owned(),
            "How many jobs does it remember?",
        ),
        ("crash", "gateway") => Caption::new(
            format!("Nginx crashed {at}."),
            "Users reach nobody; the workers go on with what waits.".to_owned(),
            "How long does the queue last?",
        ),
        ("crash", "client") => Caption::new(
            format!("The users left {at}."),
            "Nobody sends jobs; the workers finish what waits.".to_owned(),
            "Does anybody miss the results?",
        ),
        ("crash", _) => Caption::new(
            format!("{target} crashed {at}."),
            if lmove {
                "What it had in hand still stands in the processing list.".to_owned()
            } else {
                "What it had in hand is gone with it.".to_owned()
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
            "Without an answer, users cannot know whether the job was taken.".to_owned(),
            "What happens to one who sends it again?",
        ),
        ("cut", _) => Caption::new(
            format!("{target} is cut off {at}."),
            "Nothing passes, and nothing says so.".to_owned(),
            "Who notices first?",
        ),
        (kind, _) => Caption::new(format!("{target}: {kind} {at}."), String::new(), "What changes?"),
    }
}

/// A job that its worker had no more: back in the queue, or done after all.
fn of_reaped(wizard: &WizardView) -> Option<Caption> {
    let job = wizard.latest.iter().find(|job| job.reaped)?;
    let is_only = wizard.latest.iter().filter(|job| job.reaped).count() == 1;
    match (job.place, job.handled_by) {
        (Some(Place::Done), Some(by)) => {
            let newer = wizard
                .latest
                .iter()
                .any(|other| other.number > job.number + 8 && other.place == Some(Place::Done));
            let caption = Caption::new(
                format!("Job {} is done after all, by c-{by:02}.", job.number),
                "The reaper had put it back; its first worker is gone.".to_owned(),
                "What if that worker had only been slow?",
            );
            (!newer).then(|| other(caption, story::SAVED + job.number, is_only))
        }
        (Some(Place::Done), None) => None,
        _ => {
            let caption = Caption::new(
                format!("The reaper put job {} back.", job.number),
                "It had stood in the processing list all the time.".to_owned(),
                "What if its worker is only slow?",
            );
            Some(other(caption, story::REAPED + job.number, is_only))
        }
    }
}

/// Containers that Nginx does not know of, or has come to know.
fn of_scaling(wizard: &WizardView) -> Option<Caption> {
    let there = || wizard.containers.iter().filter(|container| container.existed);
    let unseen = there().filter(|container| container.initiated == 0 && container.handled > 0).count();
    let late = there().filter(|container| container.joined_ms.is_some()).count();
    let seen = there().filter(|container| container.joined_ms.is_some() && container.initiated > 0).count();
    if late == 0 || wizard.counts.done == 0 {
        return None;
    }
    if unseen > 0 && seen == 0 {
        let caption = Caption::new(
            format!("{unseen} new containers do jobs, and the gateway sends them none."),
            "Nginx looked the name up when it started; the queue needs no names.".to_owned(),
            "What makes the gateway look again?",
        );
        return (unseen == late).then(|| other(caption, story::UNSEEN, true));
    }
    let at = wizard.reloaded_ms?;
    let caption = Caption::new(
        format!("Since its reload at {:.0} s the gateway sees all {}.", at / 1000.0, there().count()),
        "The new containers take requests, too.".to_owned(),
        "Did it change how long a job takes?",
    );
    (seen == late).then(|| other(caption, story::SEEN, true))
}

/// What a textbook says of the same queue.
fn of_theory(wizard: &WizardView) -> Option<Caption> {
    let (theory, wait) = (wizard.theory_wait_ms?, wizard.wait_ms?);
    let done = wizard.counts.done;
    // In powers of two: means settle slowly.
    let told = (0..16).map(|power| JUDGED_FROM << power).take_while(|&count| count <= done).last()?;
    let caption = Caption::new(
        format!(
            "{told} jobs waited {:.2} s on average; Erlang's C says {:.2} s.",
            wait / 1000.0,
            theory / 1000.0
        ),
        "That is the mean of a long run; at 80 % load it takes hundreds of jobs to settle.".to_owned(),
        experiment::THIRD,
    );
    Some(other(caption, story::THEORY + told, told == JUDGED_FROM))
}

fn of_flow(now: Now, wizard: &WizardView) -> Caption {
    let counts = wizard.counts;
    let users = now.nodes.iter().any(|node| node.role == Role::CLIENT && node.up);
    let done = wizard.latest.iter().find(|job| job.place == Some(Place::Done));
    if let Some(caption) = of_scaling(wizard).or_else(|| of_theory(wizard)) {
        return caption;
    }
    if counts.duplicates > 0 {
        let caption = Caption::new(
            match counts.duplicates {
                1 => "One wish became two jobs.".to_owned(),
                many => format!("{many} wishes became two jobs each, or more."),
            },
            "The answer was lost; the user tried again, and the first try had arrived.".to_owned(),
            "What would let the API notice?",
        );
        return other(caption, story::TWICE + counts.duplicates / 5, counts.duplicates < 5);
    }
    if counts.refused_busy > 0 {
        let is_first = counts.refused_busy < 5;
        let caption = if is_first {
            Caption::new(
                "The queue is full, and the API says no: 503.".to_owned(),
                "A short queue keeps what was promised soon done.".to_owned(),
                "Would a longer queue serve more users, or only later?",
            )
        } else {
            Caption::new(
                format!("{} were turned away with 503.", jobs(counts.refused_busy)),
                "A short queue keeps what was promised soon done.".to_owned(),
                "Would a longer queue serve more users, or only later?",
            )
        };
        return other(caption, story::REFUSED + counts.refused_busy / 5, is_first);
    }
    match done {
        Some(JobView { number, initiated_by, handled_by: Some(by), .. }) => {
            let how = if by == initiated_by {
                "The container that answered 202 did it itself."
            } else {
                "Another did it than the one that answered 202."
            };
            Caption::new(
                format!("Job {number}: c-{initiated_by:02} took it, c-{by:02} did it."),
                how.to_owned(),
                if counts.lost > 0 { experiment::SAVED } else { experiment::DEATH },
            )
            .about(About::Result(*number), Rank::Result)
        }
        _ if users && counts.acknowledged > 0 => other(
            Caption::new(
                "The first jobs are accepted, none is done yet.".to_owned(),
                "202 means that it is in the queue, no more.".to_owned(),
                "Which container will do the first?",
            ),
            story::ACCEPTED,
            false,
        ),
        _ => other(
            Caption::new("Nobody has sent a job yet.".to_owned(), String::new(), "Who will take the first?"),
            story::QUIET,
            false,
        ),
    }
}

/// What a run that has been watched to its end amounts to.
pub(super) fn ending(run: &Run) -> Caption {
    let Some(wizard) = lab::wizard::of(run.system()) else {
        return Caption::default();
    };
    let tally = wizard.tally();
    let counts = tally.counts();
    let lost = match counts.lost {
        0 => "none is lost".to_owned(),
        1 => "1 is lost".to_owned(),
        many => format!("{many} are lost"),
    };
    let headline = format!("{} of {} jobs are done, {lost}.", counts.done, tally.queued());
    let mut parts = Vec::new();
    if let Some((mean, most)) = tally.wait_ms().mean().zip(tally.wait_ms().percentile(100.0)) {
        parts.push(format!("They waited {:.1} s on average, {:.1} s at most.", mean / 1000.0, most / 1000.0));
    }
    if let Some(theory) = theory::mean_wait(wizard.wizard().params()) {
        parts.push(format!("Erlang's C says {theory:.1} s, in the long run."));
    }
    let others = [
        (counts.reaped, "put back by the reaper"),
        (counts.duplicates, "sent twice"),
        (counts.refused_busy + counts.refused_rate, "turned away"),
    ];
    for (count, what) in others {
        if count > 0 {
            parts.push(format!("{} {what}.", jobs(count)));
        }
    }
    Caption::new(headline, parts.join(" "), "")
}
