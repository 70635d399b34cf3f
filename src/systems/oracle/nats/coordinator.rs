//! The coordinator's side of NATS: publishes a task, and gathers the results that come until the request is closed.

use super::{Bus, Inbox, RESULT_STREAM, RESULTS, RETRY, TASKS, connect, follow, listen, presence, publish};
use crate::kernel::{Sender, SortedMap, Span, channel};
use crate::net::LookUp;
use crate::substrate::body::Json;
use crate::substrate::nats::{JsMessage, Message, NatsClient, NatsError, Status};
use crate::systems::oracle::Transport;
use crate::systems::oracle::broker;
use crate::systems::oracle::coordinator::{Answer, Answers, Coordinator, Taken, clean_up};
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::messages::{OracleRequest, WorkerResult};
use crate::systems::oracle::registry::{Known, Member};
use futures::FutureExt;
use futures::future::{self, Either, LocalBoxFuture};
use serde_json::{Value, json};
use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// The coordinator's durable consumer.
const DURABLE: &str = "coordinator";
/// Results that one request may have unread: each worker's, and repetitions.
const RESULTS_MAX: usize = 100_000;

/// Who waits for the results of a request. A duplicate of a request has the same id, and both get all results.
type Waiting = SortedMap<Rc<str>, Vec<(u64, Sender<Come>)>>;

/// A result that has come: from whom, and what the task that received it was busy with.
#[derive(Clone)]
struct Come {
    result: Json<WorkerResult>,
    worker: Known,
    node: u32,
    span: Span,
}

/// Whose answers a request waits for, and who has given one.
struct Asked {
    members: Rc<[Member]>,
    /// One for each member.
    has_answered: Vec<bool>,
    absent: usize,
    /// Members by name, once somebody answered who is not in his place: he has registered anew since.
    by_name: OnceCell<LookUp<Rc<str>, usize>>,
    /// Who is no member and has answered; only looked up.
    others: LookUp<Rc<str>, ()>,
}

impl Asked {
    fn of(members: Rc<[Member]>) -> Self {
        let (has_answered, absent) = (vec![false; members.len()], members.len());
        Asked { members, has_answered, absent, by_name: OnceCell::new(), others: LookUp::default() }
    }

    /// Notes that a worker has answered; false when it had already.
    fn answer(&mut self, worker: &Known) -> bool {
        match worker.place_in(&self.members).or_else(|| self.find(&worker.id)) {
            Some(place) if self.has_answered[place] => false,
            Some(place) => {
                self.has_answered[place] = true;
                self.absent -= 1;
                true
            }
            None => self.others.insert(Rc::clone(&worker.id), ()).is_none(),
        }
    }

    fn find(&self, id: &str) -> Option<usize> {
        let places =
            || self.members.iter().zip(0..).map(|(member, place)| (Rc::clone(&member.id), place)).collect();
        self.by_name.get_or_init(places).get(id).copied()
    }

    /// Members that have not answered.
    fn absent(&self) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .zip(&self.has_answered)
            .filter(|(_, has_answered)| !**has_answered)
            .map(|(member, _)| member)
    }
}

/// A coordinator's connection to the broker.
pub(super) struct Link {
    bus: Bus,
    waiting: Rc<RefCell<Waiting>>,
    /// How many requests waited so far.
    asked: Cell<u64>,
    /// There was no broker when it started.
    is_missing: Cell<bool>,
}

/// Ends a request's wait when it is closed, in whatever way.
struct Gathering {
    waiting: Rc<RefCell<Waiting>>,
    id: Rc<str>,
    number: u64,
}

impl Drop for Gathering {
    fn drop(&mut self) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(those) = waiting.get_mut(&self.id) {
            those.retain(|(number, _)| *number != self.number);
            if those.is_empty() {
                waiting.remove(&self.id);
            }
        }
    }
}

impl broker::Link for Link {
    fn tend<'a>(&'a self, coordinator: &'a Coordinator) -> LocalBoxFuture<'a, ()> {
        let mut receive = Box::pin(self.receive(coordinator));
        if !coordinator.site.params.presence {
            return receive;
        }
        let mut clean_up = Box::pin(clean_up(coordinator));
        let both = poll_fn(move |cx| {
            let ended = receive.poll_unpin(cx);
            // Nearly all that comes is a result; what waits for nothing but its time is not asked before.
            if coordinator.is_due() && clean_up.poll_unpin(cx).is_ready() {
                return Poll::Ready(());
            }
            ended
        });
        both.boxed_local()
    }

    fn check(&self) -> Result<(), String> {
        let why = |error: NatsError| match self.is_missing.get() && self.bus.asking.borrow().is_none() {
            // As a program says that does not get to work without.
            true => error.to_string().replacen("nats:", "Failed to connect to NATS:", 1),
            false => error.to_string(),
        };
        self.client().map(drop).map_err(why)
    }

    fn health(&self, workers: usize) -> Value {
        let error = self.check().err();
        let status = if error.is_some() { "degraded" } else { "ok" };
        let nats = json!({"url": "nats://localhost:4222", "connected": error.is_none(), "error": error});
        json!({"status": status, "workers": workers, "nats": nats})
    }

    fn ask<'a>(
        &'a self,
        coordinator: &'a Coordinator,
        task: &'a Json<OracleRequest>,
        handling: u64,
    ) -> LocalBoxFuture<'a, Answers> {
        self.gather(coordinator, task, handling).boxed_local()
    }
}

impl Link {
    pub(super) fn new(bus: Bus) -> Self {
        *bus.asking.borrow_mut() = None;
        Link { bus, waiting: Rc::default(), asked: Cell::default(), is_missing: Cell::default() }
    }

    /// The connection; the error says why there is none.
    fn client(&self) -> Result<NatsClient, NatsError> {
        let client = self.bus.asking.borrow().clone();
        client.filter(|client| client.status() == Status::Connected).ok_or(NatsError::NoServers)
    }

    /// Connects and takes results, for ever.
    async fn receive(&self, coordinator: &Coordinator) {
        let (ctx, params) = (coordinator.site.ctx(), &coordinator.site.params);
        loop {
            let client = connect(&self.bus, &coordinator.site, coordinator.node, &self.is_missing).await;
            let inbox = Inbox { subject: RESULTS, stream: RESULT_STREAM, durable: DURABLE, group: None };
            match listen(params, &client, &inbox).await {
                Ok(mut results) => {
                    *self.bus.asking.borrow_mut() = Some(client.clone());
                    let results = async {
                        while let Some(message) = results.next().await {
                            self.take(coordinator, &client, message);
                        }
                    };
                    let signs = async {
                        let signs = params.presence.then(|| presence::listen(&client));
                        if let Some(Ok(mut signs)) = signs {
                            let take = async {
                                while let Some(sign) = signs.next().await {
                                    presence::take(coordinator, &sign);
                                }
                            };
                            future::join(take, presence::call_again(ctx, &client)).await;
                        }
                    };
                    future::join(results, signs).await;
                }
                Err(_) => ctx.sleep(RETRY).await,
            }
            client.close();
        }
    }

    /// A result goes to whoever waits for it; if nobody does any more, it is dropped and counted.
    fn take(&self, coordinator: &Coordinator, client: &NatsClient, message: Message) {
        let site = &coordinator.site;
        if site.params.transport == Transport::JetStream {
            // Lost, the result comes again, and is dropped as a repetition.
            let _ = JsMessage::of(client, message.clone()).ack();
        }
        let Ok(result) = message.payload.read::<WorkerResult>() else {
            return;
        };
        follow(site.ctx(), &result.request_id);
        let (worker, node) = coordinator.meet(&result.worker_id);
        if let Some(those) = self.waiting.borrow().get(&result.request_id) {
            let come = Come { result, worker, node, span: site.ctx().span() };
            for (_, sender) in those {
                // Full: so many results that the request is lost in them.
                let _ = sender.send(come.clone());
            }
            return;
        }
        coordinator.drop_result(&worker, node);
    }

    /// Publishes a task and gathers the answers, one of each worker, until all have answered that are there, the timeout, or a
    /// quorum.
    async fn gather(&self, coordinator: &Coordinator, task: &Json<OracleRequest>, handling: u64) -> Answers {
        let (site, mut answers) = (&coordinator.site, Answers::new());
        let Ok(client) = self.client() else {
            return answers;
        };
        let (sender, mut results) = channel(site.ctx(), RESULTS_MAX);
        let number = self.asked.replace(self.asked.get() + 1);
        self.waiting.borrow_mut().entry(Rc::clone(&task.id)).or_default().push((number, sender));
        let _open = Gathering { waiting: Rc::clone(&self.waiting), id: Rc::clone(&task.id), number };
        let payload = task.clone().into();
        let members = if site.params.presence { coordinator.members() } else { Rc::default() };
        if members.is_empty() && site.params.presence {
            return answers;
        }
        let mut asked = Asked::of(members);

        let gather = async {
            let mut values = 0;
            while let Some(Come { result, worker, node, span }) = results.recv().await {
                let absent = asked.absent;
                if !asked.answer(&worker) {
                    continue;
                }
                let result = result.into_inner();
                let name = Rc::clone(&result.worker_id);
                let answer = Answer::of(result, &name);
                let (place, result) = (answers.len() as u32, answer.result().clone());
                let taken = Fact::AnswerTaken { handling, place, worker: node, result };
                let n = site.facts.tell_in(coordinator.node.scope(), span, taken);
                values += u32::from(answer.is_value());
                answers.push((worker, Some(Taken { n, answer })));
                let was_last = absent == 1 && asked.absent == 0;
                if was_last || site.params.quorum > 0 && values >= site.params.quorum {
                    break;
                }
            }
        };
        let (id, again) = (&task.id, task.again());
        let id = [&**id, &again];
        let publishing = publish(site, &client, TASKS, &id, &payload);
        let both = async {
            match future::select(pin!(publishing), pin!(gather)).await {
                Either::Left(((), gather)) => gather.await,
                Either::Right(_) => {}
            }
        };
        // Without presence whoever has not answered by then is not known.
        let _ = site.ctx().timeout(site.params.timeout, both).await;
        answers.extend(asked.absent().map(|member| (member.into(), None)));
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, order: u32) -> Member {
        Member::new(id.into(), 0, order)
    }

    #[test]
    fn each_answers_once_whoever_registers_anew_meanwhile() {
        let mut asked = Asked::of([member("w-01", 0), member("w-02", 2), member("w-03", 5)].into());
        let mut answer = |id, order| asked.answer(&Known::from(&member(id, order)));
        assert!(answer("w-02", 2));
        assert!(!answer("w-02", 2) && !answer("w-02", 7), "it has answered, as whomever");
        assert!(answer("w-03", 8), "it came back while it was waited for");
        assert!(answer("w-04", 9), "it was not asked, and is heard");
        assert!(!answer("w-04", 9));
        assert!(asked.answer(&Known::from(Rc::<str>::from("w-05"))), "nobody knows it");
        assert_eq!(asked.absent, 1);
        assert!(asked.absent().map(|member| &*member.id).eq(["w-01"]));
    }
}
