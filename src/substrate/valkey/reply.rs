//! What the server answers, in the terms of RESP2, and the texts of its common errors.

use std::borrow::Cow;
use std::rc::Rc;

/// An immutable byte string: a key, a value, an argument.
pub type Bytes = Rc<[u8]>;

/// The text of an error reply, without the leading `-`: a code in capitals, a space, a sentence.
pub type ErrorText = Cow<'static, str>;

/// A reply. RESP2 has two nulls, and clients can tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`
    Simple(Cow<'static, str>),
    /// `-ERR …`
    Error(ErrorText),
    /// `:1`
    Int(i64),
    /// `$5 hello`
    Bulk(Bytes),
    /// `$-1`: no such value.
    NilBulk,
    /// `*2 …`
    Array(Vec<Reply>),
    /// `*-1`: a blocking call timed out, or a transaction was called off.
    NilArray,
}

/// What a handler answers: a reply, or an error that `?` passes on.
pub type Answer = Result<Reply, ErrorText>;

impl Reply {
    /// `+OK`
    pub const OK: Reply = Reply::Simple(Cow::Borrowed("OK"));

    /// A bulk string.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(bytes.as_ref().into())
    }

    /// A length or a count.
    pub fn count(n: usize) -> Reply {
        Reply::Int(n as i64)
    }

    /// The value, or the null of bulk strings.
    pub fn bulk_or_nil(value: Option<Bytes>) -> Reply {
        value.map_or(Reply::NilBulk, Reply::Bulk)
    }

    /// An array of bulk strings.
    pub fn bulks(items: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::Array(items.into_iter().map(Reply::Bulk).collect())
    }

    /// How many bytes the reply takes on the wire.
    pub fn wire_size(&self) -> usize {
        match self {
            Reply::Simple(text) | Reply::Error(text) => text.len() + 3,
            Reply::Int(n) => 3 + digits(n.unsigned_abs()) + usize::from(*n < 0),
            Reply::Bulk(bytes) => bytes.len() + 5 + digits(bytes.len() as u64),
            Reply::NilBulk | Reply::NilArray => 5,
            Reply::Array(items) => {
                3 + digits(items.len() as u64) + items.iter().map(Reply::wire_size).sum::<usize>()
            }
        }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        answer.unwrap_or_else(Reply::Error)
    }
}

/// What a command is answered: one reply, except for subscriptions, which have one for each channel, for a transaction whose
/// commands had several, and for a client that is blocked now.
pub(super) enum Replies {
    One(Reply),
    Several(Vec<Reply>),
}

impl Replies {
    pub(super) fn last(self) -> Option<Reply> {
        match self {
            Replies::One(reply) => Some(reply),
            Replies::Several(mut replies) => replies.pop(),
        }
    }

    pub(super) fn add_to(self, others: &mut Vec<Reply>) {
        match self {
            Replies::One(reply) => others.push(reply),
            Replies::Several(replies) => others.extend(replies),
        }
    }
}

impl From<Option<Reply>> for Replies {
    fn from(reply: Option<Reply>) -> Self {
        reply.map_or_else(|| Replies::Several(Vec::new()), Replies::One)
    }
}

fn digits(mut n: u64) -> usize {
    let mut count = 1;
    while n >= 10 {
        n /= 10;
        count += 1;
    }
    count
}

/// What a client said, as error texts repeat it: nothing behind a zero byte. They are texts here: what is no UTF-8 is
/// replaced in them.
pub(super) fn repeated(word: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(word.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// An error without parts that vary.
pub(super) const fn error(text: &'static str) -> ErrorText {
    Cow::Borrowed(text)
}

pub(super) const WRONG_TYPE: ErrorText =
    error("WRONGTYPE Operation against a key holding the wrong kind of value");
pub(super) const SYNTAX: ErrorText = error("ERR syntax error");
pub(super) const NOT_AN_INTEGER: ErrorText = error("ERR value is not an integer or out of range");
pub(super) const NOT_POSITIVE: ErrorText = error("ERR value is out of range, must be positive");
#[cfg(not(target_arch = "wasm32"))]
pub(super) const NOT_A_FLOAT: ErrorText = error("ERR value is not a valid float");
pub(super) const OVERFLOW: ErrorText = error("ERR increment or decrement would overflow");
pub(super) const NO_SUCH_KEY: ErrorText = error("ERR no such key");
pub(super) const OUT_OF_RANGE: ErrorText = error("ERR index out of range");
pub(super) const OUT_OF_MEMORY: ErrorText = error("OOM command not allowed when used memory > 'maxmemory'.");
pub(super) const EXEC_ABORT: ErrorText = error("EXECABORT Transaction discarded because of previous errors.");
pub(super) const TOO_LONG: ErrorText = error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_encoded_replies() {
        for (reply, wire) in [
            (Reply::OK, "+OK\r\n"),
            (Reply::Int(-120), ":-120\r\n"),
            (Reply::bulk("hello"), "$5\r\nhello\r\n"),
            (Reply::NilArray, "*-1\r\n"),
            (Reply::Array(vec![Reply::Int(1), Reply::NilBulk]), "*2\r\n:1\r\n$-1\r\n"),
        ] {
            assert_eq!(reply.wire_size(), wire.len(), "{wire:?}");
        }
    }
}
