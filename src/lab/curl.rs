//! Curl's command line, as far as a person needs it against the simulated API. What a terminal makes of the answer stands in
//! `curl/terminal.rs`; the cluster that answers, in `cluster.rs`.

#[cfg(not(target_arch = "wasm32"))]
pub mod terminal;

use super::invalid::Invalid;
use crate::substrate::body::Body;
use crate::substrate::http::{Headers, Method, Request};
use crate::substrate::text::Text;

/// A curl command line as a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What to send.
    pub request: Request,
    /// `-i`: print the status line and the headers.
    pub include: bool,
    /// What is said of the terminal: letters of flags (`f`, `s`, `S`, `v`), and of options with their values (`m`, `o`, `w`).
    pub terminal: Vec<(char, String)>,
}

impl Command {
    /// The value of an option that is about the terminal; the last one counts.
    pub fn says(&self, letter: char) -> Option<&str> {
        self.terminal.iter().rev().find(|(other, _)| *other == letter).map(|(_, value)| value.as_str())
    }
}

/// The options that are understood.
const KNOWN: &str = "-X, -H, -d, --data-raw, --data-binary, --json, --url, -A, -b, -e, -i, -I, -G, -o, -w, -m, -s, -S, -v, -f, -L, -k, -N, --compressed";

/// Reads the text of a file that `-d @file` names.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, Invalid>;

/// Where there are no files.
pub fn no_files(name: &str) -> Result<String, Invalid> {
    Err(Invalid::new("-d", &["@", name].concat(), "the text itself: there are no files here"))
}

/// Reads curl's arguments: a URL, `-X`, `-H`, `-d` and its kin, `--json`, `-i`, `-I`, `-G`, what the terminal is told, and the
/// flags that change nothing here (`-L`, `-k`, `-N`, `--compressed`). Short flags may stand in one word.
pub fn parse(arguments: &[String], file: ReadFile<'_>) -> Result<Command, Invalid> {
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
            if options.take(&name, value, file)? {
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
    terminal: Vec<(char, String)>,
}

impl CurlOptions {
    /// Takes an option; true if it has taken a value.
    fn take(
        &mut self,
        name: &str,
        value: impl FnOnce() -> Result<String, Invalid>,
        file: ReadFile<'_>,
    ) -> Result<bool, Invalid> {
        let mut header =
            |name, value: String| check_header(name, &value).map(|line| self.headers.to_mut().push(line));
        match name {
            "-X" | "--request" => self.method = Some(value()?),
            "-H" | "--header" => self.headers.to_mut().push(parse_header(&value()?)?),
            "-d" | "--data" | "--data-ascii" | "--data-binary" | "--json" => {
                let mut data = value()?;
                if let Some(path) = data.strip_prefix('@') {
                    data = file(path)?;
                    // As curl does: in a form's text there are no ends of lines.
                    if !matches!(name, "--data-binary" | "--json") {
                        data.retain(|c| !matches!(c, '\r' | '\n' | '\0'));
                    }
                }
                match self.data.last_mut().filter(|_| name == "--json") {
                    Some(last) => last.push_str(&data),
                    None => self.data.push(data),
                }
                self.json |= name == "--json";
            }
            "--data-raw" => self.data.push(value()?),
            "--url" => self.urls.push(value()?),
            "-o" | "--output" => self.terminal.push(('o', value()?)),
            "-w" | "--write-out" => self.terminal.push(('w', value()?)),
            "-m" | "--max-time" => self.terminal.push(('m', value()?)),
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
            "-s" | "--silent" => self.terminal.push(('s', String::new())),
            "-S" | "--show-error" => self.terminal.push(('S', String::new())),
            "-v" | "--verbose" => self.terminal.push(('v', String::new())),
            "-f" | "--fail" => self.terminal.push(('f', String::new())),
            "-L" | "--location" | "-k" | "--insecure" | "-N" | "--no-buffer" | "--compressed" => {}
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
        let kind = if self.json { "application/json" } else { "application/x-www-form-urlencoded" };
        for (name, is_sent) in [("Content-Type", sends_body), ("Accept", self.json)] {
            if is_sent && !self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                self.headers.to_mut().push((name.into(), kind.into()));
            }
        }
        let body = if sends_body { data.into() } else { Body::default() };
        let request = Request { method: Method::from(method.as_str()), url, headers: self.headers, body };
        Ok(Command { request, include: self.include, terminal: self.terminal })
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
        parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>(), &no_files)
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
    fn json_comes_with_its_headers_and_files_with_their_text() {
        let request = parse_words(&["--json", "{", "--json", "}", "localhost"]).unwrap().request;
        assert_eq!(
            (request.header("content-type"), request.header("accept")),
            (Some("application/json"), Some("application/json"))
        );
        assert_eq!(request.body.bytes(), b"{}");
        let words = ["-d", "@form", "--data-binary", "@raw", "localhost"].map(str::to_owned);
        let read = |name: &str| Ok(format!("{name}\r\n"));
        assert_eq!(parse(&words, &read).unwrap().request.body.bytes(), b"form&raw\r\n");
    }

    #[test]
    fn what_the_terminal_is_told_is_kept() {
        let command =
            parse_words(&["-sSf", "-o", "a", "-w%{http_code}", "-m", "1", "-o", "b", "localhost"]).unwrap();
        assert_eq!(
            (command.says('o'), command.says('w'), command.says('m')),
            (Some("b"), Some("%{http_code}"), Some("1"))
        );
        assert!(command.says('s').is_some() && command.says('S').is_some() && command.says('f').is_some());
        assert_eq!(command.says('v'), None);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, part) in [
            (&["-u", "me:secret", "localhost"][..], "-u"),
            (&["-d", "@file", "localhost"], "@file"),
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
