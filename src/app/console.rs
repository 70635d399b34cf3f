//! The API console: what a person pastes or types, read as one request, and the same request written again.
//!
//! A text is a curl command as a shell would hand it over, or one literal `glasshive.fetch('/path', {…})`. It is parsed and
//! never evaluated: whatever is more than a literal is refused by name. What curl's arguments mean stands in
//! [`lab::curl`](crate::lab::curl), which the command line uses, too. Names no system.

mod answer;
mod literal;
mod samples;
mod shell;
mod write;

pub use answer::{Answer, Seen, answer, seen};
pub use samples::{Endpoint, Group, base, groups};
pub use write::{to_curl, to_fetch};

use crate::app::command::Command;
use crate::lab::{Invalid, curl};
use crate::substrate::http::{Request, Url};

/// No text is longer, in bytes.
const TEXT_MAX: usize = 64 << 10;
/// So much of what is wrong is repeated to the person.
const SHOWN_MAX: usize = 60;
/// What the editor takes.
const ALLOWED: &str = "a curl command, or one glasshive.fetch('/path', {method, headers, body})";

/// Reads the editor's text; `base` is where a path without a host leads to.
pub fn read(text: &str, base: &str) -> Result<Request, Invalid> {
    read_whole(text, base).map_err(|Invalid { field, value, allowed }| invalid(&field, &value, &allowed))
}

fn read_whole(text: &str, base: &str) -> Result<Request, Invalid> {
    if text.len() > TEXT_MAX {
        return Err(invalid(
            "call",
            &format!("{} bytes", text.len()),
            &format!("at most {TEXT_MAX} bytes of text"),
        ));
    }
    // As it stands in many a manual, behind the prompt of a shell.
    let text = text.trim();
    let text = text.strip_prefix("$ ").unwrap_or(text).trim_start();
    let first = text.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    match first {
        "curl" => {
            let command = curl::parse(&shell::words(text)?, &curl::no_files)?;
            match command.terminal.iter().find(|(_, value)| !value.is_empty()) {
                Some((letter, value)) => {
                    Err(invalid(&format!("-{letter}"), value, "an option of the command line’s curl only"))
                }
                None => Ok(command.request),
            }
        }
        "await" | "fetch" | "glasshive.fetch" | "window.glasshive.fetch" => literal::call(text, base),
        _ => Err(invalid("call", first, ALLOWED)),
    }
}

/// Reads what a script hands to `glasshive.fetch`: a path and, as JSON, what comes with it.
pub fn read_fetch(path: &str, init: &str, base: &str) -> Result<Request, Invalid> {
    if init.len() > TEXT_MAX {
        return Err(invalid("init", &format!("{} bytes", init.len()), &format!("at most {TEXT_MAX} bytes")));
    }
    literal::request(path, init, base)
}

/// What sends a request so many times, a millisecond apart.
pub fn command(request: &Request, times: u32) -> Command {
    Command::Call {
        method: request.method.as_str().to_owned(),
        url: address(&request.url),
        headers: request.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: String::from_utf8_lossy(request.body.bytes()).into_owned(),
        times,
    }
}

/// A URL as people write it: without the port that is meant anyway.
fn address(url: &Url) -> String {
    let authority = url.authority.as_str();
    let authority = authority.strip_suffix(":80").unwrap_or(authority);
    let mut address = format!("http://{authority}{}", url.path);
    if !url.query.is_empty() {
        address.push('?');
        address.push_str(&url.query);
    }
    address
}

fn invalid(field: &str, value: &str, allowed: &str) -> Invalid {
    let mut value = value.to_owned();
    if let Some((end, _)) = value.char_indices().nth(SHOWN_MAX) {
        value.truncate(end);
        value.push('…');
    }
    Invalid { field: field.to_owned(), value, allowed: allowed.to_owned() }
}

#[cfg(test)]
mod tests;
