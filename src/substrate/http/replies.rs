//! Structured errors that every simulated service answers with alike.

use super::message::{Method, Request, Response};
use crate::substrate::text::in_full;
use serde_json::json;

/// A longer body gets 413, as Go's `http.MaxBytesReader` would be set.
const BODY_BYTES_MAX: usize = 1 << 20;

/// 413 for a request whose body has more than 1 MiB; `None` for any other.
pub fn too_large(request: &Request) -> Option<Response> {
    request.body.is_longer_than(BODY_BYTES_MAX).then(|| {
        let bytes = request.body.len();
        let message = format!("the body has {bytes} bytes; at most {BODY_BYTES_MAX} are taken");
        Response::error(413, "body_too_large", &message, json!({"max_bytes": BODY_BYTES_MAX}))
    })
}

/// 400 for a body that is not the JSON asked for; the message says where and why. One that merely lacks a field is told which.
pub fn bad_json(error: &serde_json::Error) -> Response {
    let message = error.to_string();
    let lacking = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    if let Some((field, _)) = lacking {
        return Response::error(
            400,
            "missing_field",
            &[field, " is missing"].concat(),
            json!({"field": field}),
        );
    }
    let details = json!({"line": error.line(), "column": error.column()});
    Response::error(400, "invalid_json", &message, details)
}

/// Something that a service serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// GET, POST, …
    pub method: &'static str,
    /// Its path; a part in angle brackets, as in `/tasks/<id>`, stands for any one part.
    pub path: &'static str,
    /// What it does, in a few words.
    pub what: &'static str,
}

/// A role's routes, and where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whose they are.
    pub role: &'static str,
    /// Scheme, host and port; i is the instance's number.
    pub at: &'static str,
    /// What it serves.
    pub routes: &'static [Route],
}

impl Route {
    /// A route.
    pub const fn new(method: &'static str, path: &'static str, what: &'static str) -> Self {
        Route { method, path, what: in_full(what) }
    }

    /// Whether a path leads there.
    pub fn is_at(&self, path: &str) -> bool {
        let (mut known, mut asked) = (self.path.split('/'), path.split('/'));
        loop {
            match (known.next(), asked.next()) {
                (None, None) => return true,
                (Some(part), Some(word)) if part == word || part.starts_with('<') && !word.is_empty() => {}
                _ => return false,
            }
        }
    }
}

/// 405 with `Allow` for a known path, 404 for any other. `routes` are what is served.
pub fn no_route(method: &Method, path: &str, routes: &[Route]) -> Response {
    let at = routes.iter().filter(|route| route.is_at(path));
    let allowed: Vec<&str> = at.map(|route| route.method).collect();
    if allowed.is_empty() {
        let mut paths: Vec<&str> = routes.iter().map(|route| route.path).collect();
        paths.dedup();
        return Response::error(
            404,
            "not_found",
            &format!("there is nothing at {path}"),
            json!({"paths": paths}),
        );
    }
    let message = format!("{} is not allowed at {path}", method.as_str());
    Response::error(405, "method_not_allowed", &message, json!({"allowed": allowed}))
        .with_header("Allow", allowed.join(", "))
}
