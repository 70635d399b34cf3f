//! The endpoints by which workers come and go, and the parameters of a URL.

use super::Coordinator;
use crate::net::NodeId;
use crate::substrate::body::Json;
use crate::substrate::http::{Response, Url};
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::messages::{Acknowledgement, Noted, Registration, WorkerName, empty};
use serde_json::json;
use std::rc::Rc;

/// The parameter `name` of a URL's query, decoded.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let of_name = |pair: &&str| pair.split('=').next() == Some(name);
    let pair = query.split('&').find(of_name)?;
    let value = pair.split_once('=').map_or("", |(_, value)| value);
    let (value, mut bytes, mut i) = (value.as_bytes(), Vec::with_capacity(value.len()), 0);
    while let Some(&byte) = value.get(i) {
        let digit = |place: usize| (*value.get(place)? as char).to_digit(16);
        let code = digit(i + 1).zip(digit(i + 2)).filter(|_| byte == b'%');
        let (byte, length) = match code {
            Some((high, low)) => ((16 * high + low) as u8, 3),
            None => (if byte == b'+' { b' ' } else { byte }, 1),
        };
        bytes.push(byte);
        i += length;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn register(coordinator: &Coordinator, body: &Registration) -> Response {
    if body.id.is_empty() {
        return empty("id", "it names the worker");
    }
    if let Err(why) = check_endpoint(&body.endpoint) {
        let message = format!("endpoint: {why}");
        return Response::error(400, "invalid_field", &message, json!({"field": "endpoint"}));
    }
    let (site, node) = (&coordinator.site, coordinator.peer(&body.id));
    let now = site.ctx().now();
    let member = coordinator.registry.borrow_mut().register(&body.id, &body.endpoint, node, now);
    coordinator.counters.borrow_mut().registrations += 1;
    site.tell(Fact::WorkerRegistered(member));
    acknowledge(Noted::Registered, &body.id)
}

/// `/task` is put after it. Behind a query that would be no path, and a coordinator registered as its own worker
/// with `/request?` would ask itself for ever, without any time passing.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    endpoint.parse::<Url>().map_err(|error| error.to_string())?;
    match endpoint.contains(['?', '#']) {
        true => Err(format!("{endpoint:?} has a query or a fragment, and /task cannot follow it")),
        false => Ok(()),
    }
}

pub(super) fn heartbeat(coordinator: &Coordinator, peer: NodeId, body: &WorkerName) -> Response {
    let mut registry = coordinator.registry.borrow_mut();
    if !registry.seen(&body.id, peer.0, coordinator.site.ctx().now()) {
        return match registry.is_deregistered(&body.id) {
            true => {
                no_worker(410, "deregistered", &body.id, "was deregistered; it is out until it starts again")
            }
            false => no_worker(404, "unknown_worker", &body.id, "is not registered; register it first"),
        };
    }
    coordinator.counters.borrow_mut().heartbeats += 1;
    acknowledge(Noted::Alive, &body.id)
}

pub(super) fn deregister(coordinator: &Coordinator, body: &WorkerName) -> Response {
    let Some(member) = coordinator.registry.borrow_mut().deregister(&body.id) else {
        return no_worker(404, "unknown_worker", &body.id, "is not registered, so it cannot be removed");
    };
    coordinator.site.tell(Fact::WorkerDeregistered(member));
    acknowledge(Noted::Deregistered, &body.id)
}

fn acknowledge(noted: Noted, worker: &Rc<str>) -> Response {
    Response::of(200, Json::new(Acknowledgement::of(noted, worker)))
}

fn no_worker(status: u16, code: &str, id: &str, why: &str) -> Response {
    Response::error(status, code, &["worker ", id, " ", why].concat(), json!({"id": id}))
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn parameters_are_found_and_decoded() {
        for (query, expected) in [
            ("query=BTC/USD", Some("BTC/USD")),
            ("a=1&query=BTC%2fUSD&query=other", Some("BTC/USD")),
            ("query=a+b%20c%", Some("a b c%")),
            ("query=%C3%a9%zz%4", Some("é%zz%4")),
            ("query=é%", Some("é%")),
            ("query", Some("")),
            ("query=", Some("")),
            ("", None),
            ("other=query", None),
        ] {
            assert_eq!(parameter(query, "query").as_deref(), expected, "{query}");
        }
    }
}
