//! What a terminal shows of an answer, as curl's options say: `-i`, `-I`, `-o`, `-w`, `-s`, `-S`, `-v`, `-f`.

use super::Command;
use crate::kernel::Duration;
use crate::lab::invalid::Invalid;
use crate::substrate::http::{HttpError, Response};
use std::fmt::Write;

/// Nobody answered, or not in time.
const UNANSWERED: u8 = 1;
/// With `-f`: the answer's status is 400 or above.
const STATUS_OF_ERROR: u8 = 22;
/// What `-w` knows, besides `%header{name}`.
const VARIABLES: [&str; 10] = [
    "content_type",
    "errormsg",
    "exitcode",
    "http_code",
    "http_version",
    "method",
    "response_code",
    "size_download",
    "time_total",
    "url_effective",
];

/// What is shown where.
#[derive(Debug, Default, PartialEq)]
pub struct Shown {
    /// What goes to the file that `-o` names, or else to standard output.
    pub answer: Vec<u8>,
    /// What `-w` writes to standard output after it.
    pub written: String,
    /// What goes to standard error.
    pub aside: String,
    /// The exit code.
    pub code: u8,
}

/// How long `-m` waits, if it is given.
pub fn max_time(command: &Command) -> Result<Option<Duration>, Invalid> {
    let Some(text) = command.says('m') else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().filter(|s| (0.001..=86_400.0).contains(s));
    let wrong = || Invalid::new("-m", text, "seconds from 0.001 to 86400");
    seconds.map(|seconds| Some(Duration::from_secs_f64(seconds))).ok_or_else(wrong)
}

/// Refuses a `-w` that names what is not known.
pub fn check(command: &Command) -> Result<(), Invalid> {
    for piece in command.says('w').unwrap_or_default().split("%{").skip(1) {
        let name = piece.split('}').next().unwrap_or_default();
        if !VARIABLES.contains(&name) {
            let allowed = format!("%{{name}} of {}, and %header{{name}}", VARIABLES.join(", "));
            return Err(Invalid::new("-w", name, &allowed));
        }
    }
    Ok(())
}

/// What is shown of an answer, or of its lack, that came after `took`.
pub fn show(command: &Command, answer: &Result<Response, HttpError>, took: Duration) -> Shown {
    let mut shown = Shown::default();
    let url = &command.request.url;
    let has = |letter| command.says(letter).is_some();
    let mut error = String::new();
    if has('v') {
        shown.aside = sent(command);
    }
    match answer {
        Err(why) => {
            shown.code = UNANSWERED;
            error = format!("{}{}: {why}", url.authority, url.path);
        }
        Ok(response) => {
            let head = head(response);
            if has('v') {
                head.lines().for_each(|line| shown.aside += &format!("< {line}\n"));
            }
            if command.include {
                shown.answer.extend(head.into_bytes());
            }
            if has('f') && response.status >= 400 {
                shown.code = STATUS_OF_ERROR;
                error = format!("(22) the requested URL returned error: {}", response.status);
            } else {
                shown.answer.extend(response.body.bytes());
            }
        }
    }
    if !error.is_empty() && (!has('s') || has('S')) {
        shown.aside += &format!("curl: {error}\n");
    }
    if let Some(format) = command.says('w') {
        shown.written = write_out(format, command, answer, took, &error, shown.code);
    }
    shown
}

/// The request's lines, as `-v` shows them.
fn sent(command: &Command) -> String {
    let request = &command.request;
    let query = if request.url.query.is_empty() { String::new() } else { format!("?{}", request.url.query) };
    let mut text = format!("> {} {}{query} HTTP/1.1\n", request.method.as_str(), request.url.path);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "> Host: {}", request.url.authority);
    for (name, value) in request.headers.iter() {
        let _ = writeln!(text, "> {name}: {value}");
    }
    text + ">\n"
}

/// The status line and the headers.
fn head(response: &Response) -> String {
    let mut text = format!("HTTP/1.1 {} {}\r\n", response.status, response.reason());
    for (name, value) in response.headers.iter() {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if response.header("Content-Length").is_none() {
        let _ = write!(text, "Content-Length: {}\r\n", response.body.len());
    }
    text + "\r\n"
}

/// `-w`'s text with its variables filled in.
fn write_out(
    format: &str,
    command: &Command,
    answer: &Result<Response, HttpError>,
    took: Duration,
    error: &str,
    code: u8,
) -> String {
    let request = &command.request;
    let response = answer.as_ref().ok();
    let header =
        |name: &str| response.and_then(|response| response.header(name)).unwrap_or_default().to_owned();
    let value = |name: &str| match name {
        "http_code" | "response_code" => format!("{:03}", response.map_or(0, |response| response.status)),
        "size_download" => response.map_or(0, |response| response.body.len()).to_string(),
        "time_total" => format!("{:.6}", took.as_secs_f64()),
        "content_type" => header("Content-Type"),
        "method" => request.method.as_str().to_owned(),
        "http_version" => "1.1".to_owned(),
        "errormsg" => error.to_owned(),
        "exitcode" => code.to_string(),
        // The last that is known: `check` has seen to the others.
        _ => format!("http://{}{}", request.url.authority, request.url.path),
    };
    let (mut text, mut rest) = (String::new(), format);
    while let Some(at) = rest.find(['%', '\\']) {
        text += &rest[..at];
        rest = &rest[at..];
        let variable = |opening: &str| rest.strip_prefix(opening).and_then(|inner| inner.split_once('}'));
        let (piece, after) = match variable("%{").map(|(name, after)| (value(name), after)) {
            Some(found) => found,
            None => match variable("%header{") {
                Some((name, after)) => (header(name), after),
                None => escaped(rest),
            },
        };
        text += &piece;
        rest = after;
    }
    text + rest
}

/// `%%` and what a backslash makes of a letter; anything else stays as it is.
fn escaped(text: &str) -> (String, &str) {
    let length = text.chars().take(2).map(char::len_utf8).sum();
    let (pair, after) = text.split_at(length);
    let piece = match pair {
        "%%" => "%",
        "\\n" => "\n",
        "\\r" => "\r",
        "\\t" => "\t",
        _ => return (text[..1].to_owned(), &text[1..]),
    };
    (piece.to_owned(), after)
}
