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

/// The options that are understood.
const KNOWN: &str = "-X, -H, -d, --data-raw, --data-binary, --json, --url, -A, -b, -e, -i, -I, -G, -s, -S, -v, -L, -f, -k, -N, --compressed";

/// Reads curl's arguments: a URL, `-X`, `-H`, `-d` and its kin, `--json`, `-i`, `-I`, `-G`, and the flags that change
/// nothing here (`-s`, `-S`, `-v`, `-L`, `-f`, `-k`, `-N`, `--compressed`). Short flags may stand in one word.
pub fn parse(arguments: &[String]) -> Result<Command, Invalid> {
    let mut options = CurlOptions::default();
    let mut rest = arguments.iter().skip(usize::from(arguments.first().is_some_and(|word| word == "curl")));
    while let Some(argument) = rest.next() {
        if !argument.starts_with('-') || argument.len() == 1 {
            options.urls.push(argument.clone());
            continue;
        }
        let mut flags = split_flags(argument);
        while let Some((name, attached)) = flags.next() {
            let value = || match attached {
                "" => rest.next().cloned().ok_or_else(|| Invalid::new(argument, "", "a value after it")),
                value => Ok(value.to_owned()),
            };
            if options.take(&name, value)? {
                flags.finish();
            }
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
    head: bool,
    include: bool,
}

impl CurlOptions {
    /// Takes an option; true if it has taken a value.
    fn take(&mut self, name: &str, value: impl FnOnce() -> Result<String, Invalid>) -> Result<bool, Invalid> {
        let mut header =
            |name, value: String| check_header(name, &value).map(|line| self.headers.to_mut().push(line));
        match name {
            "-X" | "--request" => self.method = Some(value()?),
            "-H" | "--header" => self.headers.to_mut().push(parse_header(&value()?)?),
            "-d" | "--data" | "--data-ascii" | "--data-binary" | "--json" => {
                let data = value()?;
                if data.starts_with('@') {
                    return Err(Invalid::new(name, &data, "the text itself: there are no files here"));
                }
                self.json |= name == "--json";
                self.data.push(data);
            }
            "--data-raw" => self.data.push(value()?),
            "--url" => self.urls.push(value()?),
            "-A" | "--user-agent" => header("User-Agent", value()?)?,
            "-b" | "--cookie" => header("Cookie", value()?)?,
            "-e" | "--referer" => header("Referer", value()?)?,
            flag => return self.set(flag).map(|()| false),
        }
        Ok(true)
    }

    /// Sets a flag, which has no value.
    fn set(&mut self, flag: &str) -> Result<(), Invalid> {
        match flag {
            "-i" | "--include" => self.include = true,
            "-G" | "--get" => self.get = true,
            "-I" | "--head" => (self.head, self.include) = (true, true),
            "-s" | "--silent" | "-S" | "--show-error" | "-v" | "--verbose" | "-L" | "--location" | "-f"
            | "--fail" | "-k" | "--insecure" | "-N" | "--no-buffer" | "--compressed" => {}
            other => return Err(Invalid::new("curl", &other.chars().take(60).collect::<String>(), KNOWN)),
        }
        Ok(())
    }

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
        let usual = if self.head {
            "HEAD"
        } else if sends_body {
            "POST"
        } else {
            "GET"
        };
        let method = self.method.take().unwrap_or_else(|| usual.to_owned());
        check_method(&method)?;
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

/// The flags of one word.
struct Flags<'a> {
    /// Those that are still to come: `--name`, or letters.
    rest: &'a str,
}

impl<'a> Flags<'a> {
    /// The next one, and what stands behind it: its value, if it has one.
    fn next(&mut self) -> Option<(String, &'a str)> {
        let rest = self.rest;
        if rest.starts_with("--") {
            self.rest = "";
            let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
            return Some((name.to_owned(), value));
        }
        let letter = rest.chars().next()?;
        self.rest = &rest[letter.len_utf8()..];
        Some((format!("-{letter}"), self.rest))
    }

    /// What was left is a value.
    fn finish(&mut self) {
        self.rest = "";
    }
}

/// `--name`, `--name=value`, `-XPOST`, `-sS`.
fn split_flags(argument: &str) -> Flags<'_> {
    let is_long = argument.starts_with("--");
    Flags { rest: if is_long { argument } else { argument.strip_prefix('-').unwrap_or(argument) } }
}

/// Refuses a method that no request line could have.
pub fn check_method(method: &str) -> Result<(), Invalid> {
    let is_one =
        !method.is_empty() && method.len() <= 20 && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_one { Ok(()) } else { Err(Invalid::new("method", method, "letters, such as POST")) }
}

/// A header line, if it can be one.
pub fn check_header(name: &str, value: &str) -> Result<(Text, Text), Invalid> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Invalid::new("header", name, "Name: value"));
    }
    if value.chars().any(char::is_control) {
        return Err(Invalid::new("header", name, "a value in one line"));
    }
    Ok((name.to_owned().into(), value.to_owned().into()))
}

fn parse_header(text: &str) -> Result<(Text, Text), Invalid> {
    let line = text.split_once(':').ok_or_else(|| Invalid::new("header", text, "Name: value"))?;
    check_header(line.0.trim(), line.1.trim())
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
