//! How the log hears from the store: every command and every reply there passes here. The other end of a job's way out of
//! the queue is a worker's line; a line that has gone with a job on it has lost it.

use super::log::Loss;
use super::messages::Payload;
use super::queue::{BURY, COMPLETE, DEAD_LETTER, QUEUE, RETRY, element_of};
use super::{Mode, Site};
use crate::substrate::valkey::{Probe, Reply, Seen, Words};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The lines of living workers by the number of their connection, each with the job that is on its way.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<u64, Option<String>>);

impl Lines {
    pub(super) fn open(&mut self, number: u64) {
        self.0.insert(number, None);
    }

    /// Its worker has what was on the way.
    pub(super) fn arrived(&mut self, number: u64) {
        if let Some(job) = self.0.get_mut(&number) {
            *job = None;
        }
    }

    /// True while a job is on its way to a living worker.
    pub(super) fn carry(&self, job: &str) -> bool {
        self.0.values().any(|on_the_way| on_the_way.as_deref() == Some(job))
    }

    /// The line is gone; the job that was on it.
    pub(super) fn close(&mut self, number: u64) -> Option<String> {
        self.0.remove(&number).flatten()
    }
}

/// A transaction that moves a job on.
#[derive(Default)]
struct Move {
    job: Option<(Step, String)>,
    executing: bool,
}

#[derive(Clone, Copy)]
enum Step {
    Queued,
    Reaped,
    Buried,
}

/// Listens at the store from now on.
pub(super) fn listen(site: &Site, probe: &Probe) {
    let site = site.clone();
    let moves = Rc::new(RefCell::new(BTreeMap::<u64, Move>::new()));
    probe.listen(move |connection, seen| match seen {
        Seen::Command(words) => command(&site, &mut moves.borrow_mut(), connection, words),
        Seen::Reply(reply) => {
            let ended = moves.borrow().get(&connection).is_some_and(|step| step.executing);
            if ended {
                let step = moves.borrow_mut().remove(&connection).and_then(|step| step.job);
                if let (Some((step, job)), Reply::Array(_)) = (step, reply) {
                    moved(&site, step, &job);
                }
            } else if let Some(job) = element_of(reply).and_then(id_of) {
                taken(&site, connection, &job);
            }
        }
    });
}

fn id_of(element: &str) -> Option<String> {
    serde_json::from_str::<Payload>(element).ok().map(|payload| payload.task_id)
}

fn command(site: &Site, moves: &mut BTreeMap<u64, Move>, connection: u64, words: &Words) {
    let word = |i: usize| words.get(i).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
    let step = match (word(0), word(1)) {
        ("MULTI", _) => {
            moves.insert(connection, Move::default());
            return;
        }
        ("EXEC", _) => {
            if let Some(step) = moves.get_mut(&connection) {
                step.executing = true;
            }
            return;
        }
        ("LPUSH", QUEUE) => Step::Queued,
        ("RPUSH", QUEUE) => Step::Reaped,
        ("LPUSH", DEAD_LETTER) => Step::Buried,
        ("EVAL", script) => {
            // EVAL script 4 hash list list list job result by; two keys in the other scripts.
            let place = if script == COMPLETE { 7 } else { 5 };
            let Some(job) = id_of(word(place)) else { return };
            match script {
                COMPLETE => {
                    let by = site.container_of(word(place + 2));
                    site.log.borrow_mut().done(&job, by, site.ctx().now());
                }
                RETRY => moved(site, Step::Queued, &job),
                BURY => moved(site, Step::Buried, &job),
                _ => {}
            }
            return;
        }
        _ => return,
    };
    let Some(job) = id_of(word(2)) else { return };
    match moves.get_mut(&connection) {
        Some(pending) => pending.job = Some((step, job)),
        None => moved(site, step, &job),
    }
}

fn moved(site: &Site, step: Step, job: &str) {
    let (mut log, now) = (site.log.borrow_mut(), site.ctx().now());
    match step {
        Step::Queued => log.queued(job, now),
        Step::Reaped => log.reaped(job, now),
        Step::Buried => log.buried(job, now),
    }
}

/// A job leaves the queue on a connection.
fn taken(site: &Site, connection: u64, job: &str) {
    site.log.borrow_mut().taken(job, site.ctx().now());
    let dead = match site.lines.borrow_mut().0.get_mut(&connection) {
        Some(on_the_way) => {
            *on_the_way = Some(job.to_owned());
            false
        }
        None => true,
    };
    if dead && site.params.mode == Mode::Brpop {
        site.lose(job, Loss::DeadConnection);
    }
}
