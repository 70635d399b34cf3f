//! Requests, responses and URLs.

use super::listener::Found;
use crate::substrate::body::{Body, Json, Message};
use crate::substrate::text::Text;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::str::FromStr;

/// An HTTP method. Servers answer 405 to those that they do not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
    /// Any other, verbatim.
    Other(Box<str>),
}

impl Method {
    /// The method as it stands in a request line.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Other(name) => name,
        }
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            other => Method::Other(other.into()),
        }
    }
}

/// An `http` URL, split where the simulation needs it.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(Rc<Parts>);

/// The parts of a [`Url`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Host and port: `localhost:8080`.
    pub authority: Text,
    /// The path, at least `/`.
    pub path: Text,
    /// What follows `?`, without it; empty if there is none.
    pub query: Text,
    /// Where the authority leads, once it was looked up.
    pub(super) found: Found,
}

impl Url {
    /// A path without a query, at an authority such as `localhost:8080`.
    pub fn new(authority: impl Into<Text>, path: impl Into<Text>) -> Self {
        Url(Rc::new(Parts {
            authority: authority.into(),
            path: path.into(),
            query: Text::default(),
            found: Found::default(),
        }))
    }

    /// Its parts, to be changed in this copy of it.
    pub fn to_mut(&mut self) -> &mut Parts {
        let parts = Rc::make_mut(&mut self.0);
        parts.found = Found::default();
        parts
    }
}

impl Deref for Url {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Why a text is no URL that the simulation can follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an http URL such as http://localhost:8080/request", self.0)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    /// Without a scheme `http://` is meant, as curl has it; without a port, 80.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let wrong = || UrlError(text.to_owned());
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(wrong()),
            None => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, tail) = rest.split_at(end);
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        if name.is_empty()
            || port.parse::<u16>().is_err()
            || name.contains(|c: char| c.is_whitespace() || c == ':')
        {
            return Err(wrong());
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let path = if path.is_empty() { "/" } else { path };
        let authority = format!("{name}:{port}").into();
        let (path, query) = (path.to_owned().into(), query.to_owned().into());
        Ok(Url(Rc::new(Parts { authority, path, query, found: Found::default() })))
    }
}

/// Names and values, in order. Cheap to clone: most messages have the same one line.
#[derive(Clone, Debug, Default)]
pub struct Headers(Lines);

#[derive(Clone, Debug, Default)]
enum Lines {
    #[default]
    None,
    /// What every message with JSON has.
    OfJson,
    Own(Rc<Vec<(Text, Text)>>),
}

const OF_JSON: &[(Text, Text)] = &[(Text::Fixed("Content-Type"), Text::Fixed("application/json"))];

impl Headers {
    fn of_json() -> Self {
        Headers(Lines::OfJson)
    }

    /// The lines, to be changed in this copy of them.
    pub fn to_mut(&mut self) -> &mut Vec<(Text, Text)> {
        if !matches!(self.0, Lines::Own(_)) {
            self.0 = Lines::Own(Rc::new(self.to_vec()));
        }
        match &mut self.0 {
            Lines::Own(lines) => Rc::make_mut(lines),
            Lines::None | Lines::OfJson => unreachable!("they were made its own"),
        }
    }
}

impl Deref for Headers {
    type Target = [(Text, Text)];

    fn deref(&self) -> &[(Text, Text)] {
        match &self.0 {
            Lines::None => &[],
            Lines::OfJson => OF_JSON,
            Lines::Own(lines) => lines,
        }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<Vec<(Text, Text)>> for Headers {
    fn from(lines: Vec<(Text, Text)>) -> Self {
        Headers(Lines::Own(Rc::new(lines)))
    }
}

impl FromIterator<(Text, Text)> for Headers {
    fn from_iter<I: IntoIterator<Item = (Text, Text)>>(lines: I) -> Self {
        Vec::from_iter(lines).into()
    }
}

/// A request. Header names are compared without regard to case.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Names and values, in order.
    pub headers: Headers,
    /// The body, maybe empty.
    pub body: Body,
}

impl Request {
    /// A GET request.
    pub fn get(url: Url) -> Self {
        Request { method: Method::Get, url, headers: Headers::default(), body: Body::default() }
    }

    /// A POST request with a message.
    pub fn post<T: Message>(url: Url, message: Json<T>) -> Self {
        Request { method: Method::Post, url, headers: Headers::of_json(), body: message.into() }
    }

    /// The same of what is no message: the JSON is made now.
    pub fn post_json(url: Url, body: &impl Serialize) -> Self {
        Request { method: Method::Post, url, headers: Headers::of_json(), body: Body::json(body) }
    }

    /// The value of the first header line of this name, without the white space around it.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The same request with one more header.
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.headers.to_mut().push((name.into(), value.into()));
        self
    }

    /// The message in it; the error says what is wrong with the body.
    pub fn read<T: Message>(&self) -> Result<Json<T>, serde_json::Error> {
        self.body.read()
    }

    /// The body read as JSON; the error says what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        self.body.parse()
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Headers,
    /// The body, maybe empty.
    pub body: Body,
}

impl Response {
    /// A response with a message, whose JSON ends with a line feed as Go's encoder writes it.
    pub fn of<T: Message>(status: u16, message: Json<T>) -> Self {
        Response { status, headers: Headers::of_json(), body: Body::from(message).with_line_feed() }
    }

    /// The same of what is no message: the JSON is made now.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        Response { status, headers: Headers::of_json(), body: Body::json(body).with_line_feed() }
    }

    /// The structured error that every simulated service answers with:
    /// `{"error": {"code", "message", "details"}}`.
    pub fn error(status: u16, code: &str, message: &str, details: serde_json::Value) -> Self {
        Response::json(status, &ErrorBody { error: ErrorFields { code, message, details } })
    }

    /// The same response with one more header.
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.headers.to_mut().push((name.into(), value.into()));
        self
    }

    /// The value of the first header line of this name, without the white space around it.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The message in it.
    pub fn read<T: Message>(&self) -> Result<Json<T>, serde_json::Error> {
        self.body.read()
    }

    /// The body read as JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        self.body.parse()
    }

    /// The standard phrase for the status, as it stands in a status line.
    pub fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            202 => "Accepted",
            204 => "No Content",
            304 => "Not Modified",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            409 => "Conflict",
            410 => "Gone",
            412 => "Precondition Failed",
            413 => "Request Entity Too Large",
            429 => "Too Many Requests",
            500 => "Internal Server Error",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            _ => "",
        }
    }
}

fn find_header<'a>(headers: &'a [(Text, Text)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The structured error, its fields in this order.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    code: &'a str,
    message: &'a str,
    details: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_as_curl_splits_them() {
        for (text, authority, path, query) in [
            ("http://localhost:8080/request", "localhost:8080", "/request", ""),
            ("localhost:8081", "localhost:8081", "/", ""),
            ("http://localhost/add?a=2&b=3", "localhost:80", "/add", "a=2&b=3"),
            ("http://localhost?x#y", "localhost:80", "/", "x"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(
                (url.authority.as_str(), url.path.as_str(), url.query.as_str()),
                (authority, path, query)
            );
        }
        for text in ["", "https://localhost/", "http://:80/", "http://localhost:99999/", "http://a b/"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
