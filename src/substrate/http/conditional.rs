//! Conditional requests as Go's `http.ServeContent` answers them (RFC 9110, section 13).
//!
//! [`serve`] is for content that a GET or HEAD reads; [`precondition`] alone is for a handler that writes. The order
//! of the conditions is RFC 9110's: `If-Match`, or without it `If-Unmodified-Since`; then `If-None-Match`, or without
//! it `If-Modified-Since`. Like Go's, and unlike the RFC's, only a header's first line counts, and a `*` inside a
//! list matches. Ranges are not served, which the RFC leaves to the server.

use super::date::{http_date, parse_http_date, seconds};
use super::message::{Headers, Method, Request, Response};
use crate::kernel::Instant;
use crate::substrate::body::Body;

/// What a request's conditions ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Go on: they hold, or there are none.
    Proceed,
    /// 304: the caller has it already.
    NotModified,
    /// 412: it is not what the caller thinks that it is.
    Failed,
}

/// Judges the conditions of `request` against the entity tag (quotes and `W/` included) and the last change of what
/// is there now.
pub fn precondition(request: &Request, etag: &str, modified: Instant) -> Precondition {
    let header = |name| request.header(name).filter(|value| !value.is_empty());
    let date = |name| header(name).and_then(parse_http_date);
    let reads = matches!(request.method, Method::Get | Method::Head);
    let modified = seconds(modified);

    let holds = match header("If-Match") {
        Some(list) => names(list, etag, strong_match),
        None => date("If-Unmodified-Since").is_none_or(|limit| modified <= limit),
    };
    if !holds {
        return Precondition::Failed;
    }
    match header("If-None-Match") {
        Some(list) if !names(list, etag, weak_match) => Precondition::Proceed,
        Some(_) if reads => Precondition::NotModified,
        Some(_) => Precondition::Failed,
        None if reads && date("If-Modified-Since").is_some_and(|limit| modified <= limit) => {
            Precondition::NotModified
        }
        None => Precondition::Proceed,
    }
}

/// Answers `request` with `content`, a 200 with its body, or with what its conditions make of that; made only when it is
/// asked for. Every answer has the entity tag; a 304 and a 412 have no body, nor has any answer to HEAD.
pub fn serve(
    request: &Request,
    content: impl FnOnce() -> Response,
    etag: &str,
    modified: Instant,
) -> Response {
    let bare = |status| Response { status, headers: Headers::default(), body: Body::default() };
    match precondition(request, etag, modified) {
        Precondition::NotModified => bare(304).with_header("ETag", etag.to_owned()),
        outcome => {
            let mut response = if outcome == Precondition::Failed { bare(412) } else { content() };
            if request.method == Method::Head {
                response.body = Body::default();
            }
            response.with_header("ETag", etag.to_owned()).with_header("Last-Modified", http_date(modified))
        }
    }
}

/// True when a list such as `"a", W/"b"` names `etag`, or anything with `*`. What stands behind a malformed member is
/// not looked at.
fn names(list: &str, etag: &str, same: fn(&str, &str) -> bool) -> bool {
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
        if rest.starts_with('*') {
            return true;
        }
        let Some(length) = tag_length(rest) else { return false };
        let (tag, behind) = rest.split_at(length);
        if same(tag, etag) {
            return true;
        }
        rest = behind;
    }
}

/// The length in bytes of the entity tag that `text` begins with.
fn tag_length(text: &str) -> Option<usize> {
    let opaque = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?;
    let end = opaque.find(|c: char| c <= ' ' || c == '"' || c == '\x7f')?;
    opaque[end..].starts_with('"').then(|| text.len() - opaque.len() + end + 1)
}

fn strong_match(a: &str, b: &str) -> bool {
    a == b && a.starts_with('"')
}

fn weak_match(a: &str, b: &str) -> bool {
    a.strip_prefix("W/").unwrap_or(a) == b.strip_prefix("W/").unwrap_or(b)
}
