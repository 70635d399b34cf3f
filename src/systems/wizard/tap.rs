//! How the log hears from the store: every command that it has executed passes here. The other end of a job's way out of
//! the queue is a worker's line; a line that has gone with a job on it has lost it.

use super::log::Loss;
use super::messages::Payload;
use super::queue::{BURY, COMPLETE, DEAD_LETTER, QUEUE, RETRY, element_of};
use super::{Mode, Site};
use crate::substrate::valkey::{Probe, Reply, Seen, Words};
use std::collections::BTreeMap;

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

/// Listens at the store from now on.
pub(super) fn listen(site: &Site, probe: &Probe) {
    let (site, store) = (site.clone(), probe.clone());
    probe.listen(move |seen| match seen {
        Seen::Started => site.reconcile(&store),
        Seen::Executed { reply: Reply::Error(_), .. } | Seen::Saved => {}
        Seen::Executed { connection, words, reply } => executed(&site, connection, words, reply),
    });
}

fn id_of(element: &str) -> Option<String> {
    serde_json::from_str::<Payload>(element).ok().map(|payload| payload.task_id)
}

/// A command had its effect.
fn executed(site: &Site, connection: u64, words: &Words, reply: &Reply) {
    let word = |i: usize| words.get(i).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
    // EVAL script 4 hash list list list job result by; two keys in the other scripts.
    let place = match word(0) {
        "EVAL" if word(1) == COMPLETE => 7,
        "EVAL" => 5,
        _ => 2,
    };
    let (log, now) = (&site.log, site.ctx().now());
    match (word(0), word(1)) {
        ("BRPOP" | "BLMOVE", _) => {
            if let Some(job) = element_of(reply).and_then(id_of) {
                taken(site, connection, &job);
            }
        }
        (command, target) => {
            let Some(job) = id_of(word(place)) else { return };
            match (command, target) {
                ("LPUSH", QUEUE) | ("EVAL", RETRY) => log.borrow_mut().queued(&job, now),
                ("RPUSH", QUEUE) => log.borrow_mut().reaped(&job, now),
                ("LPUSH", DEAD_LETTER) | ("EVAL", BURY) => log.borrow_mut().buried(&job, now),
                ("EVAL", COMPLETE) => log.borrow_mut().done(&job, site.container_of(word(place + 2)), now),
                _ => {}
            }
        }
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
