//! The coordinator's side of NATS: publishes a task, and gathers the results that come until the request is closed.

use super::{Bus, Inbox, RESULT_STREAM, RESULTS, RETRY, TASKS, connect, follow, listen, publish};
use crate::kernel::{Sender, channel};
use crate::substrate::nats::{JsMessage, Message, NatsClient, NatsError, Status};
use crate::systems::oracle::coordinator::{Answer, Coordinator};
use crate::systems::oracle::log::TaskEnd;
use crate::systems::oracle::messages::{OracleRequest, WorkerResult};
use crate::systems::oracle::{RESULT_DROPPED, Transport};
use futures::future::{self, Either};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::rc::Rc;

/// The coordinator's durable consumer.
const DURABLE: &str = "coordinator";
/// Results that one request may have unread: each worker's, and repetitions.
const RESULTS_MAX: usize = 100_000;

/// Who waits for the results of a request. A duplicate of a request has the same id, and both get all results.
type Waiting = BTreeMap<String, Vec<(u64, Sender<WorkerResult>)>>;

/// A coordinator's connection to the broker.
pub(in crate::systems::oracle) struct Link {
    bus: Bus,
    waiting: Rc<RefCell<Waiting>>,
    /// How many requests waited so far.
    asked: Cell<u64>,
}

/// Ends a request's wait when it is closed, in whatever way.
struct Gathering {
    waiting: Rc<RefCell<Waiting>>,
    id: String,
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

impl Link {
    pub(in crate::systems::oracle) fn new(bus: Bus) -> Self {
        *bus.asking.borrow_mut() = None;
        Link { bus, waiting: Rc::default(), asked: Cell::default() }
    }

    /// The connection; the error says why there is none.
    pub(in crate::systems::oracle) fn client(&self) -> Result<NatsClient, NatsError> {
        let client = self.bus.asking.borrow().clone();
        client.filter(|client| client.status() == Status::Connected).ok_or(NatsError::NoServers)
    }

    /// Connects and takes results, for ever.
    pub(in crate::systems::oracle) async fn receive(&self, coordinator: &Coordinator) {
        let (ctx, params) = (coordinator.site.ctx(), &coordinator.site.params);
        loop {
            let client = connect(&self.bus, ctx, coordinator.node).await;
            let inbox = Inbox { subject: RESULTS, stream: RESULT_STREAM, durable: DURABLE, group: None };
            match listen(params, &client, &inbox).await {
                Ok(mut results) => {
                    *self.bus.asking.borrow_mut() = Some(client.clone());
                    while let Some(message) = results.next().await {
                        self.take(coordinator, &client, message);
                    }
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
        let Ok(result) = serde_json::from_slice::<WorkerResult>(&message.payload) else {
            return;
        };
        let (ctx, worker) = (site.ctx(), result.worker_id.as_str());
        let req = follow(ctx, &result.request_id);
        coordinator.meet(worker);
        if let Some(those) = self.waiting.borrow().get(&result.request_id) {
            for (_, sender) in those {
                // Full: so many results that the request is lost in them.
                let _ = sender.send(result.clone());
            }
            return;
        }
        ctx.record(RESULT_DROPPED, coordinator.peer(worker), 0);
        site.log.borrow_mut().came_late(req, worker, ctx.now());
        coordinator.drop_result(worker);
    }

    /// Publishes a task and gathers the answers, one of each worker, until the timeout or a quorum.
    pub(in crate::systems::oracle) async fn ask(
        &self,
        coordinator: &Coordinator,
        client: &NatsClient,
        task: &OracleRequest,
        logged: Option<u64>,
    ) -> Vec<(String, Option<Answer>)> {
        let site = &coordinator.site;
        let ctx = site.ctx();
        let (sender, mut results) = channel(ctx, RESULTS_MAX);
        let number = self.asked.replace(self.asked.get() + 1);
        self.waiting.borrow_mut().entry(task.id.clone()).or_default().push((number, sender));
        let _open = Gathering { waiting: Rc::clone(&self.waiting), id: task.id.clone(), number };
        // It has three plain fields: it cannot fail to be JSON.
        let payload = serde_json::to_vec(task).unwrap_or_default();
        site.log.borrow_mut().published(ctx.span().tag);

        let mut answers = Vec::new();
        let gather = async {
            let (mut known, mut values) = (BTreeSet::new(), 0);
            while let Some(result) = results.recv().await {
                if !known.insert(result.worker_id.clone()) {
                    continue;
                }
                let worker = result.worker_id.clone();
                let answer = Answer::of(result, worker.clone());
                let (result, end) = answer.judged();
                if let Some(number) = logged {
                    site.log.borrow_mut().arrived_from(number, ctx.now(), result, end);
                }
                values += u32::from(end == TaskEnd::InTime);
                answers.push((worker, Some(answer)));
                if site.params.quorum > 0 && values >= site.params.quorum {
                    break;
                }
            }
        };
        let publishing = publish(site, client, TASKS, &task.id, &payload);
        let both = async {
            match future::select(pin!(publishing), pin!(gather)).await {
                Either::Left(((), gather)) => gather.await,
                Either::Right(_) => {}
            }
        };
        // Whoever has not answered by then is not known: nobody says how many were asked.
        let _ = ctx.timeout(site.params.timeout, both).await;
        answers
    }
}
