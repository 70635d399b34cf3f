//! Handler: HTTP in front of the use cases.

use super::domain::{InvalidField, Settings, Version};
use super::use_case::{self, Refused, Repository};
use crate::substrate::body::Json;
use crate::substrate::http::conditional::{self, Precondition, Resource};
use crate::substrate::http::{Method, Request, Response, Route, bad_json, no_route, too_large};
use crate::systems::config::messages::{Document, History};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::rc::Rc;

/// What it serves, for 404 and 405.
pub const ROUTES: [Route; 5] = [
    Route::new("GET", "/config", "the newest version, or 304 to its own `ETag`"),
    Route::new("HEAD", "/config", "the same without a body"),
    Route::new(
        "PUT",
        "/config",
        "commits the next version, durably as SQLite does with a rollback journal and synchronous=FULL; 412 when `If-Match` names another than the newest",
    ),
    Route::new("GET", "/config/history", "the newest 100 of the 1,000 versions that it keeps, newest first"),
    Route::new("GET", "/health", "liveness"),
];

/// The newest version as it is served, from the first time that somebody asks for it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Served(Rc<RefCell<Option<(u64, Resource)>>>);

impl Served {
    fn serve(&self, version: &Version, request: &Request) -> Response {
        let mut served = self.0.borrow_mut();
        match &*served {
            Some((number, resource)) if *number == version.number => resource.serve(request),
            _ => {
                let content = Response::of(200, Json::new(Document::from(version)));
                let resource = Resource::new(content, version.etag(), version.written_at);
                served.insert((version.number, resource)).1.serve(request)
            }
        }
    }
}

/// Answers a request; `announce` is told the number of a version that it made.
pub(super) async fn route(
    repository: impl Repository,
    served: Served,
    announce: impl Fn(u64),
    request: Request,
) -> Response {
    if let Some(refusal) = too_large(&request) {
        return refusal;
    }
    match (&request.method, request.url.path.as_str()) {
        (Method::Get | Method::Head, "/config") => read(&repository, &served, &request),
        // In memory of its own: it is rare, and all others would be as large.
        (Method::Put, "/config") => Box::pin(change(&repository, announce, &request)).await,
        (Method::Get, "/config/history") => {
            let versions = use_case::history(&repository).iter().map(Document::from).collect();
            Response::json(200, &History { versions })
        }
        (Method::Get, "/health") => {
            let version = use_case::read(&repository).map(|version| version.number);
            Response::json(200, &json!({"status": "ok", "version": version}))
        }
        (method, path) => no_route(method, path, &ROUTES),
    }
}

fn read(repository: &impl Repository, served: &Served, request: &Request) -> Response {
    match use_case::read(repository) {
        Some(version) => served.serve(&version, request),
        None => Response::error(404, "no_config", "there is no configuration yet; put one", json!({})),
    }
}

async fn change(repository: &impl Repository, announce: impl Fn(u64), request: &Request) -> Response {
    // First any object at all, in which the last of several equal keys counts, as with Go's decoder.
    let body: Map<String, Value> = match request.json() {
        Ok(body) => body,
        Err(error) => return bad_json(&error),
    };
    if let Some(refusal) = wrong_kind(&body) {
        return refusal;
    }
    let settings: Settings = match serde_json::from_value(Value::Object(body)) {
        Ok(settings) => settings,
        Err(error) => return bad_json(&error),
    };
    let expected = |newest: Option<&Version>| is_expected(request, newest);
    match use_case::change(repository, announce, settings, expected).await {
        Ok(version) => {
            Response::of(200, Json::new(Document::from(&version))).with_header("ETag", version.etag())
        }
        Err(Refused::Invalid(InvalidField { field, message })) => {
            Response::error(400, "invalid_field", &message, json!({"field": field}))
        }
        Err(Refused::Conflict(newest)) => conflict(newest.as_ref()),
    }
}

/// The 400 for a field of another kind than workers need. Keys that they do not use may hold anything.
fn wrong_kind(body: &Map<String, Value>) -> Option<Response> {
    let (mut field, mut kind) = ("rate", "a number");
    let mut is_wrong = body.get(field).is_some_and(|rate| !rate.is_number());
    for text in ["query", "note"] {
        if !is_wrong {
            (field, kind) = (text, "a text");
            is_wrong = body.get(text).is_some_and(|value| !value.is_string());
        }
    }
    let value = body.get(field).filter(|_| is_wrong)?;
    let message = format!("{field} is {value}; it must be {kind}");
    Some(Response::error(400, "invalid_field", &message, json!({"field": field})))
}

/// True when the request's conditions hold for the newest version. Where there is none, nothing matches.
fn is_expected(request: &Request, newest: Option<&Version>) -> bool {
    match newest {
        Some(version) => {
            conditional::precondition(request, &version.etag(), version.written_at) == Precondition::Proceed
        }
        None => request.header("If-Match").is_none(),
    }
}

fn conflict(newest: Option<&Version>) -> Response {
    let Some(newest) = newest else {
        return Response::error(412, "version_conflict", "there is no configuration yet", json!({}));
    };
    let message = format!("the current version is {}, not the one that the request names", newest.number);
    let details = json!({"current_version": newest.number, "etag": newest.etag()});
    Response::error(412, "version_conflict", &message, details).with_header("ETag", newest.etag())
}
