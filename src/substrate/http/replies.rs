//! Structured errors that every simulated service answers with alike.

use super::message::{Method, Request, Response};
use serde_json::json;

/// A longer body gets 413, as Go's `http.MaxBytesReader` would be set.
const BODY_BYTES_MAX: usize = 1 << 20;

/// 413 for a request whose body has more than 1 MiB; `None` for any other.
pub fn too_large(request: &Request) -> Option<Response> {
    let bytes = request.body.len();
    (bytes > BODY_BYTES_MAX).then(|| {
        let message = format!("the body has {bytes} bytes; at most {BODY_BYTES_MAX} are taken");
        Response::error(413, "body_too_large", &message, json!({"max_bytes": BODY_BYTES_MAX}))
    })
}

/// 400 for a body that is not the JSON asked for; the message says where and why.
pub fn bad_json(error: &serde_json::Error) -> Response {
    let details = json!({"line": error.line(), "column": error.column()});
    Response::error(400, "invalid_json", &error.to_string(), details)
}

/// 405 with `Allow` for a known path, 404 for any other. `routes` are the methods and paths that are served.
pub fn no_route(method: &Method, path: &str, routes: &[(&str, &str)]) -> Response {
    let allowed: Vec<&str> =
        routes.iter().filter(|(_, known)| *known == path).map(|(method, _)| *method).collect();
    if allowed.is_empty() {
        let mut paths: Vec<&str> = routes.iter().map(|(_, path)| *path).collect();
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
        .with_header("Allow", &allowed.join(", "))
}
