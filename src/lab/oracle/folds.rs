//! Where an oracle's facts come in, and who gets to see what they change: the ledger, the tally, the checker, the stream.

use super::checks::Checker;
use super::entry::RequestReport;
use super::ledger::Ledger;
use super::request::RequestEntry;
use super::tally::Tally;
use super::world::World;
use crate::kernel::fetch;
use crate::lab::Options;
use crate::lab::kept::Kept;
use crate::lab::recorder::{Recording, record};
use crate::lab::system::{Entries, give};
use crate::net::Net;
use crate::systems::facts::{Hear, Told};
use crate::systems::oracle::Cast;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::systems::oracle::fact::Asked;
use crate::systems::oracle::fact::Fact;

/// What the laboratory makes of an oracle's facts.
pub(super) struct Folds {
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) checker: Checker,
    pub(super) kept: Kept<Fact>,
    world: World,
    entries: Option<Entries>,
    recording: Recording,
}

impl Folds {
    pub(super) fn new(net: &Net, cast: &Cast, options: &Options) -> Self {
        Folds {
            ledger: Ledger::new(options.keep),
            tally: Tally::default(),
            checker: Checker::new(&cast.params),
            kept: Kept::new(options.facts),
            world: World::new(net, cast, options.observed),
            entries: options.entries.clone(),
            recording: options.recording.clone(),
        }
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn keep(&mut self, told: &Told<'_, Fact>) {
        if self.kept.is_on() {
            let aside = self.aside(told);
            self.kept.hear(told, aside);
        }
    }

    /// Nobody asks for facts in a program that has neither receipts nor trace files.
    #[cfg(not(any(not(target_arch = "wasm32"), feature = "workbench")))]
    fn keep(&mut self, _: &Told<'_, Fact>) {}

    fn settle(&mut self, told: &Told<'_, Fact>) {
        let Folds { ledger, world, entries, .. } = self;
        ledger.settle(told.at, |request| {
            let report = || RequestReport::of(request, world.params());
            give(entries, || serde_json::to_value(report()).unwrap_or_default());
        });
    }
}

impl Hear<Fact> for Folds {
    fn foresee(&self, req: u64, place: usize) {
        let task = self.ledger.request(req).and_then(|request| request.tasks.get(place));
        task.map(fetch);
    }

    fn hear(&mut self, told: &Told<'_, Fact>) {
        self.keep(told);
        match told.fact {
            // The most frequent ones, and they change nothing.
            Fact::TaskStarted { .. } | Fact::TaskFailed { .. } | Fact::TaskDone { lie: false, .. } => return,
            _ => self.settle(told),
        }
        let Folds { ledger, tally, checker, world, recording, .. } = self;
        match told.fact {
            Fact::RequestIntended { query, limit } => {
                ledger.add(RequestEntry::intended(told.req, query, *limit, told.at, world));
                tally.intended();
            }
            Fact::MessagesLost => {
                for request in ledger.all_open_mut() {
                    tally.follow(request, |request| request.lost(told.at));
                }
            }
            _ => {
                if let Some(request) = ledger.open_mut(told.req) {
                    let place = tally.follow(request, |request| apply(request, told, world));
                    tally.count(told, request);
                    record_end(recording, told, request);
                    checker.judge(told, request, place, world.params());
                }
            }
        }
    }

    /// Of a request that is taken up: the true value, and over NATS who listens.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn aside(&self, told: &Told<'_, Fact>) -> Option<serde_json::Value> {
        let Fact::RequestOpened { query, asked } = told.fact else { return None };
        let truth = self.world.truth(query, told.at);
        Some(match asked {
            Asked::Members(_) => serde_json::json!({"truth": truth}),
            Asked::Subject => {
                let hearers: Vec<_> = self.world.hearers().map(|(name, _)| name).collect();
                serde_json::json!({"truth": truth, "asked": hearers})
            }
        })
    }
}

/// The measures of a request, in the order of `MEASURES`.
pub(super) const ERROR: usize = 0;
pub(super) const LATENCY: usize = 1;

/// Who records the run hears of a request's end.
fn record_end(recording: &Recording, told: &Told<'_, Fact>, request: &RequestEntry) {
    match told.fact {
        Fact::RequestAnswered { .. } => record(recording, |recorder| {
            request.off().into_iter().for_each(|off| recorder.sample(told.req, ERROR, off.abs()));
            recorder.sample(told.req, LATENCY, told.at.since(request.requested_at).as_millis_f64());
            recorder.end(told.req, true);
        }),
        Fact::RequestUnanswered { .. } => record(recording, |recorder| recorder.end(told.req, false)),
        _ => {}
    }
}

/// What a fact changes about its request. Returns the place of the task that it is about, where that matters.
fn apply(request: &mut RequestEntry, told: &Told<'_, Fact>, world: &World) -> Option<usize> {
    request.changes += 1;
    let (now, node) = (told.at, told.node);
    match told.fact {
        Fact::RequestOpened { query, asked } => request.opened(told.n, now, query, asked, world),
        Fact::AnswerTaken { handling, place, worker, result } => {
            request.taken(*handling, (*place, *worker), result, now, world);
        }
        Fact::RequestAggregated { value, closing } => request.closed(closing, Some(*value), now, world),
        Fact::RequestFailed { closing: Some(closing), .. } => request.closed(closing, None, now, world),
        Fact::RequestAnswered { result } => request.answered(result, now),
        Fact::RequestUnanswered { failure } => request.unanswered(failure, now, world),
        Fact::RequestBackedOff { after } => request.backed_off(*after, now),
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        Fact::RequestRetried { after, .. } => request.retried(*after, now),
        Fact::TaskDone { lie: true, .. } => request.lied(node, world),
        Fact::TaskReceived { delivery } => return request.received(node, *delivery, now, world),
        Fact::ResultSent => request.sent(node, world),
        Fact::ResultDropped { worker } => request.came_late(*worker, now, world),
        _ => {}
    }
    None
}
