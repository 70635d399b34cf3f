//! The endpoints of the system that runs, each with a request that shows how it is called. The endpoints come from the table
//! that serves them (`Settings::services`); what they are sent stands here.

use super::write::to_curl;
use crate::kernel::Instant;
use crate::lab::{Action, Run, SystemKind, systems};
use crate::substrate::http::{Headers, Method, Request, Route, Service, Url};
use crate::substrate::text::Text;
use serde_json::Value;

/// What an endpoint is sent: whose it is, if that matters, its method and its path; then a body, or a query that begins with `?`.
const SAMPLES: [(&str, &str, &str, &str); 9] = [
    ("", "POST", "/register", r#"{"id":"worker-1","endpoint":"http://localhost:8081"}"#),
    ("", "POST", "/heartbeat", r#"{"id":"w-01"}"#),
    ("", "POST", "/deregister", r#"{"id":"w-01"}"#),
    ("", "POST", "/request", r#"{"query":"BTC/USD"}"#),
    ("", "GET", "/report", "?query=BTC/USD"),
    ("worker", "POST", "/task", r#"{"id":"req-12345","query":"BTC/USD"}"#),
    ("gateway", "POST", "/task", r#"{"a":2,"b":3}"#),
    ("", "GET", "/add", "?a=2&b=3"),
    ("", "PUT", "/config", r#"{"rate":2,"query":"BTC/USD","note":"by hand"}"#),
];
/// The ports of one role's instances are below those of the next role.
const INSTANCES: u16 = 500;
/// What a system is there for: the endpoint that one begins with.
const FIRST: [&str; 3] = ["/request", "/task", "/config"];
/// The field of an answer that names what it has begun, for the part of a path in angle brackets.
const BEGUN: &str = "task_id";

/// The endpoints of one role.
pub struct Group {
    /// Whose they are.
    pub role: &'static str,
    /// Where.
    pub at: &'static str,
    /// Each of them.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint.
pub struct Endpoint {
    service: Service,
    /// What is served.
    pub route: Route,
}

/// The endpoints of a system, role by role.
pub fn groups(kind: SystemKind) -> Vec<Group> {
    let services = systems::defaults(kind).map_or(&[][..], |defaults| defaults.services());
    let group = |service: &Service| {
        let endpoint = |&route: &Route| Endpoint { service: *service, route };
        let endpoints = service.routes.iter().map(endpoint).collect();
        Group { role: service.role, at: service.at, endpoints }
    };
    services.iter().map(group).collect()
}

/// Where a path without a host leads to: the first role's first address.
pub fn base(kind: SystemKind) -> String {
    let defaults = systems::defaults(kind);
    let service = defaults.and_then(|defaults| defaults.services().first().copied());
    service.map_or_else(String::new, |service| origin(&service, 1))
}

/// The address of a role's instance.
fn origin(service: &Service, instance: u16) -> String {
    let first = service.at.split(',').next().unwrap_or_default();
    match first.strip_suffix(" + i").and_then(|first| first.rsplit_once(':')) {
        Some((host, port)) => format!("{host}:{}", port.parse::<u16>().unwrap_or_default() + instance),
        None => first.to_owned(),
    }
}

impl Endpoint {
    /// A request that it takes, as text: to the node that is selected, if it is one of this role.
    pub fn sample(&self, run: &Run, selected: &str) -> String {
        to_curl(&self.request(run, selected))
    }

    /// Whether a request is for it.
    pub fn takes(&self, request: &Request) -> bool {
        let Endpoint { service, route } = self;
        let asked = format!("http://{}", request.url.authority);
        let asked = asked.strip_suffix(":80").unwrap_or(&asked);
        let port = |origin: &str| origin.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let is_there = match service.at.strip_suffix(" + i") {
            Some(first) => {
                port(asked) > port(first) && port(asked) < port(first).map(|port| port + INSTANCES)
            }
            None => service.at.split(", ").any(|at| at == asked),
        };
        is_there && route.method == request.method.as_str() && route.is_at(&request.url.path)
    }

    /// Whether it is what the system is there for.
    pub fn is_first(&self) -> bool {
        FIRST.contains(&self.route.path)
    }

    fn request(&self, run: &Run, selected: &str) -> Request {
        let Endpoint { service, route } = self;
        let (letter, number) = selected.split_once('-').unwrap_or_default();
        let is_its = !letter.is_empty() && service.role.starts_with(letter);
        let instance = number.parse().ok().filter(|_| is_its).unwrap_or(1);
        let is_it = |(role, method, path, _): &&(&str, &str, &str, &str)| {
            service.role.starts_with(role) && (*method, *path) == (route.method, route.path)
        };
        let sample = SAMPLES.iter().find(is_it).map_or("", |(.., sample)| sample);
        let (query, body) = if sample.starts_with('?') { (sample, "") } else { ("", sample) };
        let path = match (route.path.find('<'), route.path.find('>')) {
            (Some(from), Some(to)) => {
                let id = begun(run).unwrap_or_else(|| "id".to_owned());
                format!("{}{id}{}", &route.path[..from], &route.path[to + 1..])
            }
            _ => route.path.to_owned(),
        };
        let address = format!("{}{path}{query}", origin(service, instance));
        let nowhere = || Url::new("localhost:80", route.path);
        let mut headers = Headers::default();
        if !body.is_empty() {
            headers.to_mut().push((Text::Fixed("Content-Type"), Text::Fixed("application/json")));
        }
        Request {
            method: Method::from(route.method),
            url: address.parse().unwrap_or_else(|_| nowhere()),
            headers,
            body: body.to_owned().into(),
        }
    }
}

/// What the newest answer says that it has begun.
fn begun(run: &Run) -> Option<String> {
    let (now, actions) = (run.now(), &run.scenario().actions);
    let calls = actions.iter().enumerate().filter(|(_, action)| is_call(action, now));
    let mut answers = calls.rev().filter_map(|(index, _)| run.answer(index)?.1.ok());
    answers.find_map(|answer| answer.parse::<Value>().ok()?.get(BEGUN)?.as_str().map(str::to_owned))
}

/// Whether an action is a call that was made by an instant.
pub(super) fn is_call(action: &Action, by: Instant) -> bool {
    matches!(action, Action::Call { .. }) && action.at() <= by
}
