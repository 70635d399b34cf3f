//! Curl's command line, as far as a person needs it against the simulated API, and the cluster that it talks to.

use super::invalid::Invalid;
use super::options::Options;
use super::run::Run;
use super::scenario::Scenario;
use crate::kernel::Instant;
use crate::substrate::body::Body;
use crate::substrate::http::{Headers, HttpError, Method, Request, Response};
use crate::substrate::text::Text;
use serde::{Deserialize, Serialize};

/// A fresh cluster is called when everything has registered.
const FRESH_AT: Instant = Instant::from_millis(1000);

/// What a session file holds: each call replays it and goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Preset, seed, settings and the calls so far.
    pub scenario: Scenario,
    /// How far the run was played, in nanoseconds.
    pub played_ns: u64,
}

/// A cluster that a person calls: no client load, and no faults unless the scenario has its own.
pub struct Cluster {
    run: Run,
}

impl Cluster {
    /// A fresh one, at one second of virtual time.
    pub fn fresh(mut scenario: Scenario) -> Result<Self, Invalid> {
        scenario.faults.get_or_insert_default();
        Self::played(&scenario, FRESH_AT)
    }

    /// The one that a session left.
    pub fn resume(session: &Session) -> Result<Self, Invalid> {
        Self::played(&session.scenario, Instant::from_nanos(session.played_ns))
    }

    fn played(scenario: &Scenario, until: Instant) -> Result<Self, Invalid> {
        let mut run = Run::new(scenario, Options { client: false, ..Options::default() })?;
        run.run_until(until);
        Ok(Cluster { run })
    }

    /// Sends a request from the console and plays on until it is answered.
    pub fn call(&mut self, request: &Request) -> Result<Result<Response, HttpError>, Invalid> {
        let act = self.run.call(request)?;
        loop {
            if let Some((_, answer)) = self.run.answer(act.index) {
                return Ok(answer);
            }
            if !self.run.run_instant(self.run.horizon()) {
                self.run.check_passing()?;
                let horizon = format!("{}", self.run.horizon().since(Instant::ZERO));
                return Err(Invalid::new("horizon", &horizon, "enough virtual time left to get an answer"));
            }
        }
    }

    /// What to save for the next call.
    pub fn session(&self) -> Session {
        Session { scenario: self.run.scenario().clone(), played_ns: self.run.now().as_nanos() }
    }
}

/// A curl command line as a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What to send.
    pub request: Request,
    /// `-i`: print the status line and the headers.
    pub include: bool,
}

/// Reads curl's arguments: a URL, `-X`, `-H`, `-d` and its kin, `--json`, `-i`, `-G`, and the flags that change
/// nothing here (`-s`, `-S`, `-v`, `-L`, `-f`, `-k`, `--compressed`).
pub fn parse(arguments: &[String]) -> Result<Command, Invalid> {
    let mut options = CurlOptions::default();
    let mut rest = arguments.iter().skip(usize::from(arguments.first().is_some_and(|word| word == "curl")));
    while let Some(argument) = rest.next() {
        let (name, attached) = split_option(argument);
        let mut value = || match &attached {
            Some(value) => Ok(value.clone()),
            None => rest.next().cloned().ok_or_else(|| Invalid::new(argument, "", "a value after it")),
        };
        match name.as_str() {
            "-X" | "--request" => options.method = Some(value()?),
            "-H" | "--header" => options.headers.to_mut().push(parse_header(&value()?)?),
            "-d" | "--data" | "--data-ascii" | "--data-raw" | "--data-binary" => options.data.push(value()?),
            "--json" => {
                options.json = true;
                options.data.push(value()?);
            }
            "--url" => options.urls.push(value()?),
            "-A" | "--user-agent" => options.headers.to_mut().push(("User-Agent".into(), value()?.into())),
            "-i" | "--include" => options.include = true,
            "-G" | "--get" => options.get = true,
            "-s" | "--silent" | "-S" | "--show-error" | "-v" | "--verbose" | "-L" | "--location" | "-f"
            | "--fail" | "-k" | "--insecure" | "--compressed" | "-sS" => {}
            other if other.starts_with('-') && other.len() > 1 => {
                let known = "-X, -H, -d, --json, --url, -A, -i, -G, -s, -S, -v, -L, -f, -k, --compressed";
                return Err(Invalid::new("curl", other, known));
            }
            _ => options.urls.push(argument.clone()),
        }
    }
    options.into_command()
}

#[derive(Default)]
struct CurlOptions {
    urls: Vec<String>,
    method: Option<String>,
    headers: Headers,
    data: Vec<String>,
    json: bool,
    get: bool,
    include: bool,
}

impl CurlOptions {
    fn into_command(mut self) -> Result<Command, Invalid> {
        let [text] = self.urls.as_slice() else {
            let given = self.urls.join(" ");
            return Err(Invalid::new(
                "curl",
                &given,
                "exactly one URL, such as http://localhost:8080/request",
            ));
        };
        let wrong = |error: crate::substrate::http::UrlError| Invalid::new("url", text, &error.to_string());
        let mut url: crate::substrate::http::Url = text.parse().map_err(wrong)?;
        let data = self.data.join("&");
        let has_data = !self.data.is_empty();
        if self.get && has_data {
            let query = if url.query.is_empty() { data.clone() } else { format!("{}&{data}", url.query) };
            url.to_mut().query = query.into();
        }
        let sends_body = has_data && !self.get;
        let method = self.method.take().unwrap_or_else(|| if sends_body { "POST" } else { "GET" }.to_owned());
        let has_type = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if sends_body && !has_type {
            let kind = if self.json { "application/json" } else { "application/x-www-form-urlencoded" };
            self.headers.to_mut().push(("Content-Type".into(), kind.into()));
        }
        let body = if sends_body { data.into() } else { Body::default() };
        let request = Request { method: Method::from(method.as_str()), url, headers: self.headers, body };
        Ok(Command { request, include: self.include })
    }
}

/// `--name=value` and `-XPOST` carry their value with them.
fn split_option(argument: &str) -> (String, Option<String>) {
    if argument.starts_with("--") {
        return match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument.to_owned(), None),
        };
    }
    for short in ["-X", "-H", "-d", "-A"] {
        if let Some(value) = argument.strip_prefix(short).filter(|value| !value.is_empty()) {
            return (short.to_owned(), Some(value.to_owned()));
        }
    }
    (argument.to_owned(), None)
}

fn parse_header(text: &str) -> Result<(Text, Text), Invalid> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned().into(), value.trim().to_owned().into()))
        }
        _ => Err(Invalid::new("header", text, "Name: value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Command, Invalid> {
        parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_documented_commands_are_understood() {
        let command = parse_words(&[
            "curl",
            "-X",
            "POST",
            "http://localhost:8080/request",
            "-H",
            "Content-Type: application/json",
            "-d",
            "{\"query\":\"BTC/USD\"}",
        ])
        .unwrap();
        assert_eq!(command.request.method, Method::Post);
        assert_eq!(command.request.url.path, "/request");
        assert_eq!(command.request.body.bytes(), b"{\"query\":\"BTC/USD\"}");
        assert_eq!(*command.request.headers, [("Content-Type".into(), "application/json".into())]);
    }

    #[test]
    fn data_makes_a_post_and_get_moves_it_to_the_query() {
        assert_eq!(
            parse_words(&["-d", "a=1", "-d", "b=2", "localhost/x"]).unwrap().request.body.bytes(),
            b"a=1&b=2"
        );
        let get = parse_words(&["-G", "-da=1", "localhost/x?z=0"]).unwrap().request;
        assert_eq!((get.method, get.url.query.as_str()), (Method::Get, "z=0&a=1"));
        assert_eq!(parse_words(&["-XDELETE", "localhost"]).unwrap().request.method, Method::Delete);
        assert!(parse_words(&["-i", "localhost"]).unwrap().include);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, part) in [
            (&["-o", "file", "localhost"][..], "-o"),
            (&["-X"], "a value after it"),
            (&[], "exactly one URL"),
            (&["a", "b"], "exactly one URL"),
            (&["-H", "no-colon", "localhost"], "Name: value"),
            (&["ftp://localhost/"], "not an http URL"),
        ] {
            let error = parse_words(words).unwrap_err().to_string();
            assert!(error.contains(part), "{words:?}: {error}");
        }
    }
}
