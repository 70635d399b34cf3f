//! Presence: which workers are there. Ours: the source document's protocol knows tasks and results only.
//!
//! A worker says on `oracle.presence` that it is there when it begins to listen, at every heartbeat, and whenever the roll is
//! called on `oracle.roll`, as a coordinator does that has just begun; and it says goodbye. Whoever is silent for longer than
//! the stale limit is taken off. What a worker says while the broker is down leaves with all else that it keeps, so after a
//! long fall all are known again at once.

use super::RETRY;
use crate::kernel::{Ctx, Duration, Span};
use crate::substrate::body::{Json, Message as Travels, text_length};
use crate::substrate::nats::{Message, NatsClient, NatsError, Status as Connection, Subscription};
use crate::systems::oracle::coordinator::Coordinator;
use crate::systems::oracle::worker::Worker;
use futures::future::{self, Either};
use serde::{Deserialize, Serialize};
use std::pin::pin;
use std::rc::Rc;

/// Where workers say that they are there.
const PRESENCE: &str = "oracle.presence";
/// Where they are asked to.
const ROLL: &str = "oracle.roll";

/// What a worker says of itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Presence {
    /// The worker.
    id: Rc<str>,
    /// Whether it stays.
    status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Here,
    Leaving,
}

impl Travels for Presence {
    fn length(&self) -> Option<usize> {
        let status = if self.status == Status::Here { "here" } else { "leaving" };
        Some(r#"{"id":,"status":""}"#.len() + text_length(&self.id) + status.len())
    }
}

fn say(worker: &Worker, client: &NatsClient, status: Status) {
    let presence = Json::new(Presence { id: Rc::clone(&worker.id), status });
    // What has no room is said again at the next heartbeat.
    let _ = client.publish(PRESENCE, presence);
}

/// Says that the worker is there, now and again; never ends.
pub(super) async fn announce(worker: Rc<Worker>, client: NatsClient) {
    let params = &worker.site.params;
    if !params.presence {
        return;
    }
    let Ok(mut calls) = client.subscribe(ROLL) else {
        return;
    };
    loop {
        say(&worker, &client, Status::Here);
        let pause = async {
            match params.heartbeat {
                Duration::ZERO => future::pending().await,
                heartbeat => worker.site.ctx().sleep(heartbeat).await,
            }
        };
        if let Either::Left((None, pause)) = future::select(pin!(calls.next()), pin!(pause)).await {
            // Nobody calls any more: the connection is closed.
            return pause.await;
        }
    }
}

/// The worker takes no more tasks.
pub(super) fn say_goodbye(worker: &Worker, client: &NatsClient) {
    if worker.site.params.presence {
        say(worker, client, Status::Leaving);
    }
}

/// Listens to who is there, and calls the roll.
pub(super) fn listen(client: &NatsClient) -> Result<Subscription, NatsError> {
    let signs = client.subscribe(PRESENCE)?;
    client.publish(ROLL, &b""[..])?;
    Ok(signs)
}

/// Calls the roll again whenever the connection is back, until it is closed: who came back earlier has said that he is there to
/// nobody.
pub(super) async fn call_again(ctx: &Ctx, client: &NatsClient) {
    let (began, mut news) = (ctx.now(), client.status_news());
    let mut before = client.status();
    while before != Connection::Closed {
        // It looks every so often, where there is anything new to be seen.
        let _ = news.recv().await;
        let looks = ctx.now().since(began).as_nanos() / RETRY.as_nanos() + 1;
        ctx.sleep_until(began + Duration::from_nanos(looks * RETRY.as_nanos())).await;
        let now = client.status();
        if before == Connection::Reconnecting && now == Connection::Connected {
            // What cannot leave now leaves with the next one.
            let _ = client.publish(ROLL, &b""[..]);
        }
        before = now;
    }
}

/// What a coordinator makes of a sign.
pub(super) fn take(coordinator: &Coordinator, sign: &Message) {
    let ctx = coordinator.site.ctx();
    // It is about no request.
    ctx.set_span(Span { tag: 0, ..ctx.span() });
    if let Ok(presence) = sign.payload.read::<Presence>() {
        match presence.status {
            Status::Here => coordinator.is_there(&presence.id),
            Status::Leaving => coordinator.has_left(&presence.id),
        }
    }
}
