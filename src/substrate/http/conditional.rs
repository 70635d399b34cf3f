//! Conditional requests as Go's `http.ServeContent` answers them (RFC 9110, section 13).
//!
//! [`Resource::serve`] is for content that a GET or HEAD reads; [`precondition`] alone is for a handler that writes. The order
//! of the conditions is RFC 9110's: `If-Match`, or without it `If-Unmodified-Since`; then `If-None-Match`, or without
//! it `If-Modified-Since`. Like Go's, and unlike the RFC's, only a header's first line counts, and a `*` inside a
//! list matches. Ranges are not served, which the RFC leaves to the server.

use super::date::{http_date, parse_http_date, seconds};
use super::message::{Headers, Method, Request, Response};
use crate::kernel::Instant;
use crate::substrate::body::Body;
use crate::substrate::text::Text;

/// Something to be served, with the answers that are made of it. They are made once: most that is asked for has been asked
/// for before.
pub struct Resource {
    etag: Text,
    modified: Instant,
    /// The tag is one that a list can name.
    is_well_formed: bool,
    /// A 200 with its body.
    whole: Response,
    /// The line that goes with a 304.
    line: Headers,
}

impl Resource {
    /// `content` is what a GET gets, a 200 with its body; the entity tag has its quotes and `W/`.
    pub fn new(content: Response, etag: impl Into<Text>, modified: Instant) -> Self {
        let etag = etag.into();
        Resource {
            is_well_formed: tag_length(&etag) == Some(etag.len()),
            line: vec![("ETag".into(), etag.clone())].into(),
            whole: content.with_header("ETag", &etag).with_header("Last-Modified", http_date(modified)),
            etag,
            modified,
        }
    }

    /// The tag.
    pub fn etag(&self) -> &Text {
        &self.etag
    }

    /// Answers `request` with the content, or with what its conditions make of that. Every answer has the entity tag; a 304
    /// and a 412 have no body, nor has any answer to HEAD.
    pub fn serve(&self, request: &Request) -> Response {
        let bare = |status, headers| Response { status, headers, body: Body::default() };
        if self.is_known_to(request) {
            return bare(304, self.line.clone());
        }
        match precondition(request, &self.etag, self.modified) {
            Precondition::NotModified => bare(304, self.line.clone()),
            Precondition::Failed => {
                let failed = bare(412, Headers::default()).with_header("ETag", &self.etag);
                failed.with_header("Last-Modified", http_date(self.modified))
            }
            Precondition::Proceed if request.method == Method::Head => {
                bare(self.whole.status, self.whole.headers.clone())
            }
            Precondition::Proceed => self.whole.clone(),
        }
    }

    /// Whether it asks for what is newer and for nothing else, as nearly everybody does.
    fn is_known_to(&self, request: &Request) -> bool {
        let reads = matches!(request.method, Method::Get | Method::Head);
        reads
            && self.is_well_formed
            && matches!(&*request.headers, [(name, tag)] if *name == "If-None-Match" && *tag == self.etag)
    }
}

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
