//! What a message carries: a value that both ends share, or bytes.
//!
//! A [`Body`] of a [`Json`] is that very value. Whoever reads it as the type that it is gets it as it is; its JSON is made
//! when somebody looks at the bytes, once for all copies: a person's call, a length, a reader who expects another type.
//! Whatever came as bytes meets the real parser. Nobody can tell the difference: a value that its JSON does not give
//! back ([`Message::is_exact`]) travels as bytes, and where assertions are on every reading is held against the parser.

use crate::kernel::fetch;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Serialize, Serializer};
use std::any::Any;
use std::cell::OnceCell;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::rc::Rc;

/// A value that can travel as itself.
pub trait Message: Serialize + DeserializeOwned + 'static {
    /// True when reading its JSON gives the same value. A number that is not finite has no JSON.
    fn is_exact(&self) -> bool {
        true
    }

    /// More bytes than its JSON can have, if that is known without making it.
    fn length_bound(&self) -> Option<usize> {
        None
    }

    /// How many bytes its JSON has, if that is known without making it: a broker asks it of every message.
    fn length(&self) -> Option<usize> {
        None
    }
}

/// More bytes than a text's JSON can have: each of its own may need an escape of six.
pub fn text_bound(text: &str) -> usize {
    2 + 6 * text.len()
}

/// How many bytes the JSON of a text has.
pub fn text_length(text: &str) -> usize {
    2 + text.bytes().map(|byte| usize::from(ESCAPED[usize::from(byte)])).sum::<usize>()
}

/// How many bytes of JSON each byte of a text becomes.
static ESCAPED: [u8; 256] = {
    let mut lengths = [1; 256];
    let mut byte = 0;
    while byte < lengths.len() {
        lengths[byte] = match byte as u8 {
            b'"' | b'\\' | b'\x08' | b'\x0c' | b'\n' | b'\r' | b'\t' => 2,
            0..b' ' => 6,
            _ => 1,
        };
        byte += 1;
    }
    lengths
};

/// How many bytes the JSON of a number or of another small value has.
pub fn value_length(value: &impl Serialize) -> usize {
    let mut written = Written(0);
    // Counting cannot fail, nor can the JSON of plain data.
    let _ = serde_json::to_writer(&mut written, value);
    written.0
}

/// Counts what is written.
struct Written(usize);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A shared value with its JSON made on demand. Cheap to clone.
pub struct Json<T>(Rc<Typed<T>>);

struct Typed<T> {
    value: T,
    /// With a line feed at the end, as Go's encoder writes it.
    line: OnceCell<Box<[u8]>>,
    /// Of the JSON: it is asked for at every hop.
    length: OnceCell<usize>,
}

impl<T: Message> Json<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Json(Rc::new(Typed { value, line: OnceCell::new(), length: OnceCell::new() }))
    }

    /// The value itself: a copy only if somebody else holds it too.
    pub fn into_inner(self) -> T
    where
        T: Clone,
    {
        Rc::try_unwrap(self.0).map_or_else(|shared| shared.value.clone(), |typed| typed.value)
    }
}

impl<T> Clone for Json<T> {
    fn clone(&self) -> Self {
        Json(Rc::clone(&self.0))
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.value.serialize(serializer)
    }
}

impl<T: PartialEq> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

/// What a body consists of.
trait Content: Any {
    /// The bytes, and one line feed behind them.
    fn line(&self) -> &[u8];

    /// More bytes than there are, if that is known without making them.
    fn length_bound(&self) -> Option<usize> {
        None
    }

    /// How many bytes there are, if that is known without making them.
    fn known_length(&self) -> Option<usize> {
        None
    }

    /// Where their number is kept, once somebody has asked; bytes that are there are counted anew.
    fn length(&self) -> Option<&OnceCell<usize>> {
        None
    }
}

impl<T: Message> Content for Typed<T> {
    fn line(&self) -> &[u8] {
        self.line.get_or_init(|| {
            let mut line = to_json(&self.value);
            line.push(b'\n');
            line.into()
        })
    }

    fn length_bound(&self) -> Option<usize> {
        self.value.length_bound()
    }

    fn known_length(&self) -> Option<usize> {
        self.value.length()
    }

    fn length(&self) -> Option<&OnceCell<usize>> {
        Some(&self.length)
    }
}

struct Raw(Box<[u8]>);

impl Content for Raw {
    fn line(&self) -> &[u8] {
        &self.0
    }
}

/// A body, maybe empty. Cheap to clone.
#[derive(Clone, Default)]
pub struct Body {
    content: Option<Rc<dyn Content>>,
    /// The line feed at the end belongs to it.
    ends_line: bool,
}

impl Body {
    /// The JSON of a value, made now.
    pub fn json(value: &impl Serialize) -> Self {
        to_json(value).into()
    }

    /// The same body with a line feed at its end.
    pub fn with_line_feed(self) -> Self {
        Body { ends_line: true, ..self }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        let line = self.content.as_ref().map_or(&b"\n"[..], |content| content.line());
        &line[..line.len() - usize::from(!self.ends_line)]
    }

    /// Has the processor fetch what is read of it: see [`Foresee`](crate::kernel::Foresee).
    pub fn foresee(&self) {
        if let Some(content) = &self.content {
            fetch(&**content);
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        let Some(content) = &self.content else { return usize::from(self.ends_line) };
        let count = || {
            let known = content.known_length();
            debug_assert!(
                known.is_none_or(|known| known == content.line().len() - 1),
                "its JSON is as long as it says"
            );
            known.unwrap_or_else(|| content.line().len() - 1)
        };
        content.length().map_or_else(count, |length| *length.get_or_init(count)) + usize::from(self.ends_line)
    }

    /// True when it has more than `max` bytes; they are made only where that is in doubt.
    pub fn is_longer_than(&self, max: usize) -> bool {
        let bound = self.content.as_ref().and_then(|content| content.length_bound());
        debug_assert!(bound.is_none_or(|bound| bound > self.len()), "its JSON is longer than it says");
        bound.is_none_or(|bound| bound > max) && self.len() > max
    }

    /// True for a body without bytes.
    pub fn is_empty(&self) -> bool {
        self.content.is_none() && !self.ends_line
    }

    /// What it says, read as a `T`: the value itself if it is one, or what the parser makes of the bytes.
    pub fn read<T: Message>(&self) -> Result<Json<T>, serde_json::Error> {
        if let Some(content) = &self.content {
            let content: Rc<dyn Any> = Rc::<dyn Content>::clone(content);
            if let Ok(typed) = content.downcast::<Typed<T>>() {
                debug_assert!(reads_as_itself::<T>(typed.line()), "its JSON is another value");
                return Ok(Json(typed));
            }
        }
        // Of an array serde would make a message, field by field.
        if self.bytes().trim_ascii_start().starts_with(b"[") {
            return Err(serde_json::Error::custom("an array is no object"));
        }
        self.parse().map(Json::new)
    }

    /// What the parser makes of the bytes.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.bytes())
    }
}

fn reads_as_itself<T: Message>(line: &[u8]) -> bool {
    let json = &line[..line.len() - 1];
    serde_json::from_slice::<T>(json).is_ok_and(|value| to_json(&value) == json)
}

impl<T: Message> From<Json<T>> for Body {
    fn from(json: Json<T>) -> Self {
        if !json.is_exact() {
            return Body::json(&json.0.value);
        }
        Body { content: Some(json.0), ends_line: false }
    }
}

impl From<Vec<u8>> for Body {
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Body::default();
        }
        bytes.push(b'\n');
        Body { content: Some(Rc::new(Raw(bytes.into()))), ends_line: false }
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        // With room for the line feed.
        let mut own = Vec::with_capacity(bytes.len() + 1);
        own.extend_from_slice(bytes);
        own.into()
    }
}

impl<const N: usize> From<&[u8; N]> for Body {
    fn from(bytes: &[u8; N]) -> Self {
        bytes[..].into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    // The messages are our own plain structs: only a map with keys that are not strings could fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::cell::Cell;

    thread_local! {
        static WRITTEN: Cell<u32> = const { Cell::new(0) };
    }

    /// Counts how often its JSON is made.
    #[derive(Clone, Debug, PartialEq, Deserialize)]
    struct Reading {
        value: f64,
    }

    impl Serialize for Reading {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            WRITTEN.set(WRITTEN.get() + 1);
            std::collections::BTreeMap::from([("value", self.value)]).serialize(serializer)
        }
    }

    impl Message for Reading {
        fn is_exact(&self) -> bool {
            self.value.is_finite()
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Other {
        value: f64,
    }

    impl Message for Other {}

    #[test]
    fn a_message_is_read_as_itself_and_as_what_else_its_json_may_be() {
        for value in [0.1 + 0.2, -0.0, 5e-324, 1.0, f64::MAX] {
            let body = Body::from(Json::new(Reading { value }));
            assert_eq!(body.read::<Reading>().unwrap().value.to_bits(), value.to_bits());
            assert_eq!(body.read::<Other>().unwrap().value.to_bits(), value.to_bits());
            assert_eq!(body.parse::<serde_json::Value>().unwrap()["value"], value);
        }
    }

    #[test]
    fn json_is_made_when_somebody_looks_and_once_for_all_copies() {
        let body = Body::from(Json::new(Reading { value: 1.5 }));
        let copy = body.clone().with_line_feed();
        assert_eq!((body.is_empty(), WRITTEN.get()), (false, 0));
        assert_eq!((body.bytes(), body.len()), (&b"{\"value\":1.5}"[..], 13));
        assert_eq!(copy.bytes(), b"{\"value\":1.5}\n");
        assert_eq!(WRITTEN.get(), 1);
        let reading = body.read::<Reading>().unwrap();
        drop((body, copy));
        assert_eq!(reading.into_inner(), Reading { value: 1.5 });
    }

    #[test]
    fn what_has_no_json_is_refused_by_the_parser() {
        for value in [f64::NAN, f64::INFINITY] {
            let body = Body::from(Json::new(Reading { value }));
            assert_eq!(body.bytes(), b"{\"value\":null}");
            assert!(body.read::<Reading>().is_err());
        }
    }

    #[test]
    fn bytes_meet_the_parser() {
        for (bytes, read) in [("", None), ("{\"value\":2}", Some(2.0)), ("{\"value\":2", None), ("[]", None)]
        {
            let body = Body::from(bytes.as_bytes());
            assert_eq!(
                (body.bytes(), body.len(), body.is_empty()),
                (bytes.as_bytes(), bytes.len(), bytes.is_empty())
            );
            assert_eq!(body.read::<Reading>().ok().map(|reading| reading.value), read, "{bytes}");
        }
        assert_eq!(Body::from(b"{\"value\":2.0}"[..].to_vec()), Body::from(Json::new(Other { value: 2.0 })));
    }

    /// Says less than its JSON has, and its JSON is another value.
    #[derive(Deserialize)]
    struct Liar;

    impl Serialize for Liar {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            [1, 2].serialize(serializer)
        }
    }

    impl Message for Liar {
        fn length_bound(&self) -> Option<usize> {
            Some(3)
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "its JSON is longer than it says")]
    fn a_bound_holds() {
        Body::from(Json::new(Liar)).is_longer_than(9);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "its JSON is another value")]
    fn a_message_is_what_its_json_says() {
        let _ = Body::from(Json::new(Liar)).read::<Liar>();
    }
}
