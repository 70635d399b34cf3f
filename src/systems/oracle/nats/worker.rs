//! A worker over NATS: listens for tasks, and publishes what it makes of them.

use super::{
    Bus, Inbox, RESULTS, RETRY, TASK_STREAM, TASKS, connect, follow, group, listen, presence, publish,
};
use crate::kernel::{Duration, JoinSet};
use crate::net::Shutdown;
use crate::substrate::body::Json;
use crate::substrate::nats::{JsMessage, Message, NatsClient, Status};
use crate::systems::oracle::Transport;
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::messages::OracleRequest;
use crate::systems::oracle::worker::{Busy, Worker, drain};
use futures::future::{self, Either};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

/// How long a worker that shuts down waits until its last answers have left.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// One worker process.
pub(super) async fn run(worker: &Rc<Worker>, bus: &Bus, shutdown: &Shutdown) {
    let place = &bus.listening[worker.index];
    *place.borrow_mut() = None;
    {
        let serving = pin!(serve(worker, bus));
        let asked_to_end = pin!(shutdown.requested());
        match future::select(serving, asked_to_end).await {
            Either::Left(((), asked_to_end)) => asked_to_end.await,
            Either::Right(((), _)) => {}
        }
    }
    // No more tasks come: the subscription has ended.
    let client = place.borrow_mut().take();
    if let Some(client) = &client {
        presence::say_goodbye(worker, client);
    }
    drain(worker).await;
    if let Some(client) = client {
        // Out of time: what could not leave is lost, or delivered again.
        let _ = client.drain(FLUSH_LIMIT).await;
    }
}

/// Connects and takes tasks, for ever.
async fn serve(worker: &Rc<Worker>, bus: &Bus) {
    let (ctx, params) = (worker.site.ctx(), &worker.site.params);
    let is_missing = Cell::new(false);
    loop {
        let client = connect(bus, &worker.site, worker.node, &is_missing).await;
        let durable = group(params).unwrap_or(&worker.id);
        let inbox = Inbox { subject: TASKS, stream: TASK_STREAM, durable, group: group(params) };
        match listen(params, &client, &inbox).await {
            Ok(mut tasks) => {
                *bus.listening[worker.index].borrow_mut() = Some(client.clone());
                // Ends with this function.
                let mut announcing = JoinSet::new(ctx);
                announcing.spawn(presence::announce(Rc::clone(worker), client.clone()));
                while let Some(message) = tasks.next().await {
                    let before = ctx.span();
                    ctx.spawn(handle(Rc::clone(worker), client.clone(), message));
                    ctx.set_span(before);
                }
            }
            Err(_) => ctx.sleep(RETRY).await,
        }
        client.close();
    }
}

async fn handle(worker: Rc<Worker>, client: NatsClient, message: Message) {
    let site = &worker.site;
    let stored =
        (site.params.transport == Transport::JetStream).then(|| JsMessage::of(&client, message.clone()));
    let Ok(task) = message.payload.read::<OracleRequest>() else {
        // Nobody can ever work on it.
        let _ = stored.map(|stored| stored.term());
        return;
    };
    let _busy = Busy::new(Rc::clone(&worker));
    follow(site.ctx(), &task.id);
    let delivery = stored.as_ref().map_or(1, JsMessage::delivered);
    site.tell(Fact::TaskReceived { delivery: u32::try_from(delivery).unwrap_or(u32::MAX) });
    let result = {
        let _turn = match worker.model.turn(site.ctx()) {
            Some(turn) => Some(turn.await),
            None => None,
        };
        let delay = worker.begin(&task);
        site.ctx().sleep(delay).await;
        // All that hear a subject hear the same: the asker is one, whoever publishes.
        Json::new(worker.finish(&task, 0, delay)).into()
    };
    if client.status() == Status::Connected {
        site.tell(Fact::ResultSent);
    }
    publish(site, &client, RESULTS, &[&task.id, &task.again(), ".", &worker.id], &result).await;
    if let Some(stored) = stored {
        // Without a connection it is kept; lost, the task comes again, and its answer is known by its id.
        let _ = stored.ack();
    }
}
