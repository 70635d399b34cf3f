//! Monitoring over HTTP: `GET /varz`, `/connz`, `/subsz`, `/jsz` and `/healthz`, with the fields that mean something here.

use super::VERSION;
use super::broker::Broker;
use crate::kernel::Duration;
use crate::substrate::http::{Http, Method, Request, Response, Route};
use serde_json::{Value, json};
use std::rc::Rc;

/// The broker's figures, as `GET /varz` names them.
#[derive(Clone, Debug, Default)]
pub struct Varz {
    /// Where clients connect.
    pub address: String,
    /// Clients at a time.
    pub max_connections: usize,
    /// Bytes that a message may have.
    pub max_payload: usize,
    /// Clients now.
    pub connections: usize,
    /// Clients since the start.
    pub total_connections: u64,
    /// Subscriptions now.
    pub subscriptions: usize,
    /// Messages and bytes from clients, and to them.
    pub in_msgs: u64,
    /// See `in_msgs`.
    pub out_msgs: u64,
    /// See `in_msgs`.
    pub in_bytes: u64,
    /// See `in_msgs`.
    pub out_bytes: u64,
    /// Clients that were cut off because they did not read.
    pub slow_consumers: u64,
    /// Since the broker's start.
    pub uptime: Duration,
    /// With JetStream: streams, consumers, messages, bytes.
    pub jetstream: Option<[u64; 4]>,
}

impl Varz {
    /// A message came.
    pub(super) fn count_in(&mut self, size: u64) {
        self.in_msgs += 1;
        self.in_bytes += size;
    }

    /// A message goes to so many.
    pub(super) fn count_out(&mut self, heard_by: u64, size: u64) {
        self.out_msgs += heard_by;
        self.out_bytes += heard_by * size;
    }

    fn json(&self) -> Value {
        let (host, port) = self.address.rsplit_once(':').unwrap_or((&self.address, "4222"));
        let jetstream = self.jetstream.map(|[streams, consumers, messages, bytes]| {
            json!({"streams": streams, "consumers": consumers, "messages": messages, "bytes": bytes})
        });
        json!({
            "version": VERSION,
            "proto": 1,
            "host": host,
            "port": port.parse::<u16>().unwrap_or(0),
            "max_connections": self.max_connections,
            "max_payload": self.max_payload,
            "connections": self.connections,
            "total_connections": self.total_connections,
            "subscriptions": self.subscriptions,
            "in_msgs": self.in_msgs,
            "out_msgs": self.out_msgs,
            "in_bytes": self.in_bytes,
            "out_bytes": self.out_bytes,
            "slow_consumers": self.slow_consumers,
            // Whole seconds, as the server has it.
            "uptime": Duration::from_secs(self.uptime.as_nanos() / 1_000_000_000).to_string(),
            "jetstream": jetstream.map_or_else(|| json!({}), |stats| json!({"stats": stats})),
        })
    }
}

/// What it serves.
pub const MONITORING: [Route; 5] = [
    Route::new("GET", "/varz", "the broker's figures, as the real one has them"),
    Route::new("GET", "/connz", "who is connected, and with how many subscriptions"),
    Route::new("GET", "/subsz", "how many subscriptions there are"),
    Route::new("GET", "/jsz", "JetStream's streams, consumers, messages and bytes"),
    Route::new("GET", "/healthz", "liveness"),
];

fn connz(broker: &Broker) -> Value {
    let connections: Vec<Value> = broker
        .connections()
        .into_iter()
        .map(|(cid, name, subscriptions)| {
            json!({"cid": cid, "kind": "Client", "type": "nats", "ip": &*name, "subscriptions": subscriptions})
        })
        .collect();
    let count = connections.len();
    json!({"num_connections": count, "total": count, "offset": 0, "limit": 1024, "connections": connections})
}

fn jsz(broker: &Broker) -> Value {
    match broker.varz().jetstream {
        Some([streams, consumers, messages, bytes]) => {
            json!({"streams": streams, "consumers": consumers, "messages": messages, "bytes": bytes, "storage": bytes})
        }
        None => json!({"disabled": true}),
    }
}

/// Answers, for ever.
pub(super) async fn serve(http: Http, broker: Rc<Broker>) {
    let address = broker.monitor_address();
    http.listen(&address)
        .serve(move |request: Request| {
            let response = match (&request.method, request.url.path.as_str()) {
                (Method::Get, "/varz") => Response::json(200, &broker.varz().json()),
                (Method::Get, "/connz") => Response::json(200, &connz(&broker)),
                (Method::Get, "/subsz") => {
                    Response::json(200, &json!({"num_subscriptions": broker.varz().subscriptions}))
                }
                (Method::Get, "/jsz") => Response::json(200, &jsz(&broker)),
                (Method::Get, "/healthz") => Response::json(200, &json!({"status": "ok"})),
                _ => Response::json(
                    404,
                    &json!({"error": {"code": "not_found", "message": "404 page not found"}}),
                ),
            };
            std::future::ready(response)
        })
        .await;
}
