//! A request as a text that the editor reads again: for a shell, or for a script.

use super::address;
use super::literal::write_text;
use crate::substrate::http::{Method, Request};

/// The request as a curl command, which a shell understands as well.
pub fn to_curl(request: &Request) -> String {
    let Request { method, url, headers, body } = request;
    let body = String::from_utf8_lossy(body.bytes());
    let mut text = "curl".to_owned();
    match method {
        Method::Get if body.is_empty() => {}
        // Otherwise curl would wait for a body.
        Method::Head => text.push_str(" -I"),
        method => {
            text.push_str(" -X ");
            text.push_str(method.as_str());
        }
    }
    text.push(' ');
    text.push_str(&quoted(&address(url)));
    for (name, value) in headers.iter() {
        text.push_str(" \\\n  -H ");
        text.push_str(&in_quotes(&format!("{name}: {value}")));
    }
    if !body.is_empty() {
        // Otherwise an @ would name a file.
        text.push_str(if body.starts_with('@') { " \\\n  --data-raw " } else { " \\\n  -d " });
        text.push_str(&in_quotes(&body));
    }
    text
}

/// The request as a script's call; what is at `base` needs its path only.
pub fn to_fetch(request: &Request, base: &str) -> String {
    let Request { method, url, headers, body } = request;
    let address = address(url);
    let path = address.strip_prefix(base).filter(|path| path.starts_with('/')).unwrap_or(&address);
    let mut fields = Vec::new();
    if *method != Method::Get {
        fields.push(format!("method: {}", text(method.as_str())));
    }
    let names = || headers.iter().map(|(name, _)| name.as_str());
    let is_twice = names().enumerate().any(|(i, name)| names().skip(i + 1).any(|other| other == name));
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| match is_twice {
            true => format!("[{}, {}]", text(name), text(value)),
            false => format!("{}: {}", text(name), text(value)),
        })
        .collect();
    if !lines.is_empty() {
        let lines = lines.join(", ");
        fields.push(if is_twice { format!("headers: [{lines}]") } else { format!("headers: {{{lines}}}") });
    }
    if !body.is_empty() {
        fields.push(format!("body: {}", text(&String::from_utf8_lossy(body.bytes()))));
    }
    if fields.is_empty() {
        return format!("glasshive.fetch({})", text(path));
    }
    format!("glasshive.fetch({}, {{\n  {},\n}})", text(path), fields.join(",\n  "))
}

/// A word of a shell's line, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":/._-=,@%+".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { in_quotes(word) }
}

fn in_quotes(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A text in JavaScript: in single quotes, since most of what is sent is JSON.
fn text(text: &str) -> String {
    let mut json = String::new();
    write_text(&mut json, text);
    if text.contains(['\'', '\\']) || text.chars().any(char::is_control) {
        return json;
    }
    format!("'{text}'")
}
