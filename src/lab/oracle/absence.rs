//! Why a worker that was asked is not among the answers used, from the records of what was between it and the coordinator.

use crate::kernel::{Kind, Record};
use crate::lab::kept::Heard;
use crate::lab::receipt::{Line, Seen, seconds};
use crate::net::MESSAGE_LOST;
use crate::substrate::http;
use crate::substrate::merge;
use crate::systems::oracle::Params;
use crate::systems::oracle::fact::{self, Asked, Fact};
use crate::systems::oracle::messages::WorkerResult;
use std::rc::Rc;

/// The worker has the task; it has made something of it.
const BEGUN: [Kind; 3] = [http::REQUEST_RECEIVED, fact::TASK_RECEIVED, fact::TASK_STARTED];
const FINISHED: [Kind; 2] = [fact::TASK_DONE, fact::TASK_FAILED];

/// One taking up of a request.
pub(super) struct Handling {
    /// The number of the fact that opened it.
    number: u64,
    /// The number of the fact that closed it.
    closed: u64,
    /// Who was asked; empty over NATS.
    members: Vec<u32>,
    /// The answers that the coordinator has, by their places.
    taken: Vec<(u32, Taken)>,
    /// The nodes that it has an entry of.
    entered: Vec<u32>,
    /// Whenever what was in a broker was lost.
    losses: Vec<u64>,
    /// Whatever follows from its opening, by the nodes that a record is about.
    following: Vec<(u32, Record)>,
}

/// An answer that the coordinator has.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    /// Its fact's number.
    pub(super) n: u64,
    /// Its worker's node.
    node: u32,
}

impl Handling {
    pub(super) fn of(
        seen: &Seen<'_>,
        facts: &[Heard<Fact>],
        number: u64,
        closed: u64,
        losses: Vec<u64>,
    ) -> Self {
        let taken = facts.iter().filter_map(|heard| match heard.fact {
            Fact::AnswerTaken { handling, place, worker, .. } if handling == number => {
                Some((place, Taken { n: heard.n, node: worker }))
            }
            _ => None,
        });
        let members = facts.iter().find_map(|heard| match &heard.fact {
            Fact::RequestOpened { asked: Asked::Members(members), .. } if heard.n == number => {
                Some(members.iter().map(|member| member.node).collect())
            }
            _ => None,
        });
        let members: Vec<u32> = members.unwrap_or_default();
        let mut taken: Vec<(u32, Taken)> = taken.collect();
        let mut entered: Vec<u32> =
            members.iter().copied().chain(taken.iter().map(|(_, taken)| taken.node)).collect();
        let about = |record: &Record| [(record.node, *record), (record.peer, *record)];
        let mut following: Vec<_> = seen.following(number).into_iter().flat_map(about).collect();
        merge::sort(&mut taken, |a, b| a.0 < b.0);
        merge::sort(&mut entered, |a, b| a < b);
        merge::sort(&mut following, |a, b| a.0 < b.0);
        Handling { number, closed, members, taken, entered, losses, following }
    }

    /// The answer at a place of the coordinator's result.
    pub(super) fn taken(&self, place: u32) -> Option<Taken> {
        let first = self.taken.partition_point(|&(other, _)| other < place);
        self.taken.get(first).filter(|(other, _)| *other == place).map(|&(_, taken)| taken)
    }

    /// The node of the worker at a place.
    pub(super) fn node_of(&self, place: u32, taken: Option<Taken>) -> u32 {
        let asked = self.members.get(place as usize).copied();
        asked.or(taken.map(|taken| taken.node)).unwrap_or(0)
    }

    /// Whether the coordinator's result has an entry of that worker.
    pub(super) fn has_entry(&self, node: u32) -> bool {
        self.entered.binary_search(&node).is_ok()
    }

    /// What happened between the coordinator and a worker.
    fn about(&self, node: u32) -> impl Iterator<Item = &Record> {
        let from = self.following.partition_point(|&(other, _)| other < node);
        let about = self.following[from..].iter().take_while(move |(other, _)| *other == node);
        about.map(|(_, record)| record)
    }
}

/// A worker without an answer that was used.
pub(super) struct Absence<'a> {
    handling: &'a Handling,
    node: u32,
    name: Rc<str>,
    /// What the coordinator has of it: the fact, and its error.
    taken: Option<u64>,
    err: Option<String>,
    /// What happened with it until the request was closed, and what came later.
    before: Vec<Record>,
    later: Vec<Record>,
}

/// Why an answer is missing.
struct Why {
    key: &'static str,
    /// The record that says so.
    n: u64,
    /// The one by which the worker went down, if that is part of it.
    fall: Option<Record>,
}

impl<'a> Absence<'a> {
    /// Of a worker whose entry in the coordinator's result has no value.
    pub(super) fn of(handling: &'a Handling, place: u32, response: &WorkerResult) -> Self {
        let taken = handling.taken(place);
        let node = handling.node_of(place, taken);
        let absence = Absence::unheard(handling, node, response.known_as());
        let err = response.err.as_ref().map(|err| err.to_string());
        Absence { taken: taken.map(|taken| taken.n), err, ..absence }
    }

    /// Of one that the coordinator does not know of.
    pub(super) fn unheard(handling: &'a Handling, node: u32, name: &Rc<str>) -> Self {
        // That the coordinator turns away says nothing about the worker.
        let about = handling.about(node).filter(|record| record.kind != http::ABANDONED).copied();
        let (before, later) = about.partition(|record| record.n < handling.closed);
        Absence { handling, node, name: Rc::clone(name), taken: None, err: None, before, later }
    }

    /// Its line: the word of why, and the records that say so.
    pub(super) fn line(&self, seen: &Seen<'_>, params: &Params) -> Line {
        let why = self.why(seen, params);
        let mut line = seen.line(why.key, why.n, self.node, self.words(&why));
        line.node = Some(Rc::clone(&self.name));
        line.numbers.extend(self.work().map(|work| ("work_s", work.value as f64 / 1e9)));
        if let Some(came) = self.came_late() {
            line.causes.push(came.n);
            line.numbers.insert("came_s", came.at.as_nanos() as f64 / 1e9);
        }
        if let Some(fall) = why.fall {
            line.causes.push(fall.n);
            line.numbers.insert("down_since_s", fall.at.as_nanos() as f64 / 1e9);
        }
        line
    }

    fn why(&self, seen: &Seen<'_>, params: &Params) -> Why {
        let down_at = |n| seen.down_since(self.node, n).copied();
        if let Some(n) = self.taken {
            let until_opened = seen.chain(n).take_while(|record| record.n > self.handling.number);
            let kinds: Vec<Kind> = until_opened.map(|record| record.kind).collect();
            let key = match () {
                () if kinds.contains(&http::REFUSED) => "refused",
                () if kinds.contains(&http::RESET) => "reset",
                () if kinds.contains(&fact::TASK_FAILED) => "failed",
                () => "bad_answer",
            };
            let fall = down_at(n).filter(|_| matches!(key, "refused" | "reset"));
            return Why { key, n, fall };
        }
        let Some(last) = self.before.last() else {
            return Why { key: "not_reached", n: self.handling.number, fall: down_at(self.handling.closed) };
        };
        let (begun, finished) = (self.has(&BEGUN), self.has(&FINISHED));
        let loss = self.handling.losses.iter().copied().find(|&loss| loss > last.n);
        // Neither the task came to the worker later, nor its answer to the coordinator.
        let was_in_the_broker = params.has_broker() && (!begun || finished) && self.later.is_empty();
        if let Some(n) = loss.filter(|_| was_in_the_broker) {
            return Why { key: "lost_with_broker", n, fall: None };
        }
        let key = match last.kind {
            MESSAGE_LOST if last.node == self.node => "answer_lost",
            MESSAGE_LOST => "task_lost",
            http::REFUSED => "refused",
            http::RESET => "reset",
            _ if finished => "answer_on_the_way",
            _ if begun && params.has_queues() && self.work().is_none() => "waiting",
            _ if begun => "working",
            _ => "task_on_the_way",
        };
        let n = self.work().filter(|_| key == "working").map_or(last.n, |work| work.n);
        match seen.fall(self.node, n, self.handling.closed).filter(|_| matches!(key, "working" | "waiting")) {
            Some(fall) => Why { key: "died", n, fall: Some(*fall) },
            None => Why { key, n, fall: None },
        }
    }

    /// Whether one of these happened at the worker.
    fn has(&self, kinds: &[Kind]) -> bool {
        self.before.iter().any(|record| record.node == self.node && kinds.contains(&record.kind))
    }

    /// Its beginning to work, whose figure is how long that takes.
    fn work(&self) -> Option<&Record> {
        self.before.iter().rev().find(|record| record.kind == fact::TASK_STARTED)
    }

    /// Its answer, or the news that it need not work on, which came when nobody waited any more.
    fn came_late(&self) -> Option<&Record> {
        let came = [fact::RESULT_DROPPED, http::CANCELLED];
        self.later.iter().find(|record| self.taken.is_none() && came.contains(&record.kind))
    }

    fn words(&self, Why { key, fall, .. }: &Why) -> String {
        let what = match *key {
            "refused" => "it refused the connection",
            "reset" => "the connection broke",
            "failed" => "its source failed",
            "bad_answer" => "its answer is of no use",
            "not_reached" => "it was not reached",
            "lost_with_broker" => "the broker went down with the task or the answer in it",
            "answer_lost" => "its answer was lost on the way",
            "task_lost" => "the task was lost on the way",
            "working" => "it was still at work",
            "waiting" => "it waited its turn in the worker's queue",
            "died" => "it died at work",
            "task_on_the_way" => "the task was still on its way",
            _ => "its answer was still on its way",
        };
        let mut words = what.to_owned();
        // Of the others it says the same in other words.
        if let Some(err) = self.err.as_ref().filter(|_| !matches!(*key, "failed" | "refused" | "reset")) {
            words += &format!(" ({err})");
        }
        if let Some(fall) = fall {
            words += &format!("; down since {}", seconds(fall.at.as_nanos()));
        }
        if let Some(work) = self.work().filter(|_| *key == "working") {
            words += &format!("; its work takes {}", seconds(work.value));
        }
        if let Some(came) = self.came_late() {
            let what = if came.kind == http::CANCELLED { "cancelled at" } else { "its answer came at" };
            words += &format!("; {what} {}", seconds(came.at.as_nanos()));
        }
        words
    }
}
