//! One literal call `glasshive.fetch('/path', {method, headers, body})`: JavaScript's literals and nothing more.
//!
//! A value becomes its JSON as it is read, so that numbers and the order of fields stay what they were.

use super::{ALLOWED, invalid};
use crate::lab::Invalid;
use crate::lab::curl::{check_header, check_method};
use crate::substrate::body::Body;
use crate::substrate::http::{Method, Request, Url};
use crate::substrate::text::Text;

/// So deep may values be nested.
const DEPTH_MAX: usize = 16;
/// What a browser says of a text that nothing is said of.
const PLAIN: &str = "text/plain;charset=UTF-8";

/// Reads the whole call.
pub(super) fn call(text: &str, base: &str) -> Result<Request, Invalid> {
    let mut reader = Reader { rest: text };
    reader.word("await");
    let _ = reader.mark("window.");
    if !(reader.mark("glasshive.fetch") || reader.mark("fetch")) || !reader.mark("(") {
        return Err(reader.wrong(ALLOWED));
    }
    let path = reader.string("a path or a URL in quotes")?;
    let mut init = Init::default();
    if reader.mark(",") && !reader.starts(")") {
        init.read(&mut reader)?;
        let _ = reader.mark(",");
    }
    if !reader.mark(")") {
        return Err(reader.wrong("a closing parenthesis"));
    }
    let _ = reader.mark(";");
    reader.end("nothing after the call")?;
    init.into_request(&path, base)
}

/// Reads what a script hands over: a path, and an object as JSON; an empty text is none.
pub(super) fn request(path: &str, init: &str, base: &str) -> Result<Request, Invalid> {
    let (mut reader, mut read) = (Reader { rest: init }, Init::default());
    if !init.is_empty() {
        read.read(&mut reader)?;
        reader.end("nothing after the object")?;
    }
    read.into_request(path, base)
}

/// The second argument.
#[derive(Default)]
struct Init {
    method: Option<String>,
    headers: Vec<(Text, Text)>,
    body: Option<String>,
}

impl Init {
    fn read(&mut self, reader: &mut Reader) -> Result<(), Invalid> {
        reader.list('{', '}', |reader| {
            let key = reader.key()?;
            match key.as_str() {
                "method" => self.method = Some(reader.string("a method in quotes")?),
                "body" if reader.mark("JSON.stringify") => {
                    if !reader.mark("(") {
                        return Err(reader.wrong("an opening parenthesis"));
                    }
                    let mut json = String::new();
                    reader.value(&mut json, 0)?;
                    let _ = reader.mark(",");
                    if !reader.mark(")") {
                        return Err(reader.wrong("one literal value in JSON.stringify"));
                    }
                    self.body = Some(json);
                }
                "body" if reader.mark("null") => self.body = None,
                "body" => {
                    self.body = Some(reader.string("a text in quotes, or JSON.stringify of a literal")?);
                }
                "headers" if reader.starts("[") => reader.list('[', ']', |reader| {
                    let mut pair = Vec::new();
                    reader.list('[', ']', |reader| {
                        pair.push(reader.string("a name and a value in quotes")?);
                        Ok(())
                    })?;
                    match pair.as_slice() {
                        [name, value] => self.header(name, value),
                        _ => Err(reader.wrong("pairs of a name and a value")),
                    }
                })?,
                "headers" => reader.list('{', '}', |reader| {
                    let name = reader.key()?;
                    let value = reader.string("a header's value in quotes")?;
                    self.header(&name, &value)
                })?,
                _ => return Err(invalid("fetch", &key, "method, headers or body")),
            }
            Ok(())
        })
    }

    fn header(&mut self, name: &str, value: &str) -> Result<(), Invalid> {
        self.headers.push(check_header(name, value)?);
        Ok(())
    }

    fn into_request(mut self, path: &str, base: &str) -> Result<Request, Invalid> {
        let address = if path.starts_with('/') { format!("{base}{path}") } else { path.to_owned() };
        let is_whole = path.starts_with('/') || path.starts_with("http://");
        let url = address.parse::<Url>().ok().filter(|_| is_whole);
        let allowed = format!("a path such as /request, or a URL such as {base}/request");
        let url = url.ok_or_else(|| invalid("path", path, &allowed))?;
        let method = self.method.unwrap_or_else(|| "GET".to_owned());
        // As a browser has it, these are written in capitals, whatever others are.
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE"].into_iter();
        let method =
            known.clone().find(|known| known.eq_ignore_ascii_case(&method)).map_or(method, str::to_owned);
        check_method(&method)?;
        if self.body.is_some() && matches!(method.as_str(), "GET" | "HEAD") {
            return Err(invalid("body", &method, "a body with any method but GET and HEAD"));
        }
        let has_type = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.body.is_some() && !has_type {
            self.headers.push((Text::Fixed("Content-Type"), Text::Fixed(PLAIN)));
        }
        let body = self.body.map_or_else(Body::default, Body::from);
        Ok(Request { method: Method::from(method.as_str()), url, headers: self.headers.into(), body })
    }
}

/// What is still to be read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Skips space and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let end = if self.rest.starts_with("//") {
                self.rest.find('\n')
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map(|end| end + 2)
            } else {
                return;
            };
            self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
        }
    }

    fn starts(&mut self, mark: &str) -> bool {
        self.skip();
        self.rest.starts_with(mark)
    }

    /// Takes a mark, if it stands here.
    fn mark(&mut self, mark: &str) -> bool {
        let found = self.starts(mark);
        if found {
            self.rest = &self.rest[mark.len()..];
        }
        found
    }

    /// Takes a word, if it stands here with a space behind it.
    fn word(&mut self, word: &str) {
        let is_it =
            |rest: &str| rest.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace));
        if is_it(self.rest) {
            let _ = self.mark(word);
        }
    }

    /// What stands here is not what is allowed here.
    fn wrong(&self, allowed: &str) -> Invalid {
        let mut here = *self;
        here.skip();
        // A word, or else a sign.
        let is_word = |c: char| c.is_alphanumeric() || "_$.".contains(c);
        let end = here.rest.find(|c| !is_word(c)).unwrap_or(here.rest.len());
        let end = if end == 0 { here.rest.chars().next().map_or(0, char::len_utf8) } else { end };
        let token = if end == 0 { "the end" } else { &here.rest[..end] };
        invalid("fetch", token, allowed)
    }

    fn end(mut self, allowed: &str) -> Result<(), Invalid> {
        self.skip();
        if self.rest.is_empty() { Ok(()) } else { Err(self.wrong(allowed)) }
    }

    /// What stands between two brackets, separated by commas, the last of which may be one too many.
    fn list(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let (open, close) =
            (open.encode_utf8(&mut [0; 4]).to_owned(), close.encode_utf8(&mut [0; 4]).to_owned());
        if !self.mark(&open) {
            return Err(self.wrong(&format!("a literal that begins with {open}")));
        }
        while !self.mark(&close) {
            item(self)?;
            if !self.mark(",") && !self.starts(&close) {
                return Err(self.wrong(&format!("a comma or {close}")));
            }
        }
        Ok(())
    }

    /// A field's name and its colon.
    fn key(&mut self) -> Result<String, Invalid> {
        self.skip();
        let key = if self.rest.starts_with(['\'', '"']) {
            self.string("a name")?
        } else {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(end);
            if name.is_empty() {
                return Err(self.wrong("a field's name"));
            }
            self.rest = rest;
            name.to_owned()
        };
        if self.mark(":") { Ok(key) } else { Err(self.wrong("a colon and a literal value")) }
    }

    fn string(&mut self, allowed: &str) -> Result<String, Invalid> {
        self.skip();
        let start = *self;
        let mut rest = self.rest.chars();
        let Some(quote @ ('\'' | '"' | '`')) = rest.next() else { return Err(self.wrong(allowed)) };
        let mut text = String::new();
        // The first half of a character that JavaScript writes as two.
        let mut high = None::<u32>;
        loop {
            let c = match rest.next() {
                Some(c) if c == quote => break,
                Some('\n') if quote != '`' => None,
                Some('$') if quote == '`' && rest.as_str().starts_with('{') => None,
                Some('\\') => match rest.next() {
                    Some('\n') => continue,
                    Some(c) => unescaped(c, &mut rest).and_then(|unit| match (high.take(), unit) {
                        (None, 0xd800..0xdc00) => {
                            high = Some(unit);
                            Some(None)
                        }
                        (Some(high), 0xdc00..0xe000) => {
                            char::from_u32(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00)).map(Some)
                        }
                        (None, unit) => char::from_u32(unit).map(Some),
                        (Some(_), _) => None,
                    }),
                    None => None,
                },
                Some(c) => Some(Some(c)),
                None => None,
            };
            match c {
                Some(c) if high.is_none() || c.is_none() => text.extend(c),
                _ => {
                    return Err(invalid(
                        "fetch",
                        start.rest,
                        "a plain text in quotes, which are closed again",
                    ));
                }
            }
        }
        if high.is_some() {
            return Err(invalid("fetch", start.rest, "whole characters"));
        }
        self.rest = rest.as_str();
        Ok(text)
    }

    /// A literal value, written as JSON.
    fn value(&mut self, json: &mut String, depth: usize) -> Result<(), Invalid> {
        self.skip();
        if depth > DEPTH_MAX {
            return Err(self.wrong("values that are nested at most 16 deep"));
        }
        let separate = |json: &mut String| {
            if !json.ends_with(['{', '[']) {
                json.push(',');
            }
        };
        match self.rest.chars().next() {
            Some('\'' | '"' | '`') => write_text(json, &self.string("a text")?),
            Some('{') => {
                json.push('{');
                self.list('{', '}', |reader| {
                    separate(json);
                    write_text(json, &reader.key()?);
                    json.push(':');
                    reader.value(json, depth + 1)
                })?;
                json.push('}');
            }
            Some('[') => {
                json.push('[');
                self.list('[', ']', |reader| {
                    separate(json);
                    reader.value(json, depth + 1)
                })?;
                json.push(']');
            }
            _ => {
                let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "+-._$".contains(c)));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                if !(["true", "false", "null"].contains(&word) || is_number(word)) {
                    return Err(self.wrong("a literal: a text, a number, true, false, null, {…} or […]"));
                }
                json.push_str(word);
                self.rest = rest;
            }
        }
        Ok(())
    }
}

/// What an escape stands for, as a unit of UTF-16; or a whole character's number.
fn unescaped(c: char, rest: &mut std::str::Chars) -> Option<u32> {
    let hex = |rest: &mut std::str::Chars, digits: usize| {
        (0..digits).try_fold(0, |number, _| Some(number * 16 + rest.next()?.to_digit(16)?))
    };
    Some(match c {
        'n' => 10,
        'r' => 13,
        't' => 9,
        'b' => 8,
        'f' => 12,
        'v' => 11,
        '0' if !rest.as_str().starts_with(|c: char| c.is_ascii_digit()) => 0,
        'x' => hex(rest, 2)?,
        'u' if rest.as_str().starts_with('{') => {
            let (digits, _) = rest.as_str()[1..].split_once('}')?;
            let number = u32::from_str_radix(digits, 16).ok()?;
            rest.nth(digits.len() + 1);
            number
        }
        'u' => hex(rest, 4)?,
        '1'..='9' | '0' => return None,
        c => u32::from(c),
    })
}

/// Whether JSON has this number, too: no leading zeros, no signs but a minus.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_whole = digits(whole) && (whole.len() == 1 || !whole.starts_with('0'));
    is_whole && digits(part) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// A text in JSON's quotes.
pub(super) fn write_text(json: &mut String, text: &str) {
    // A text is always JSON.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}
