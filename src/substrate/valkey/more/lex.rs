//! Ranges of members by their bytes: `-`, `+`, `[a` counted in, `(a` not.

use super::super::reply::{Bytes, ErrorText, error};

/// One end.
enum End {
    /// `-`: before everything.
    Least,
    /// `+`: behind everything.
    Greatest,
    /// A member, and whether it is left out.
    At(Bytes, bool),
}

/// Between two of them.
pub(super) struct Lex {
    from: End,
    to: End,
}

impl Lex {
    pub(super) fn read(from: &[u8], to: &[u8]) -> Result<Lex, ErrorText> {
        let end = |text: &[u8]| match text {
            b"-" => Some(End::Least),
            b"+" => Some(End::Greatest),
            [b'[', rest @ ..] => Some(End::At(rest.into(), false)),
            [b'(', rest @ ..] => Some(End::At(rest.into(), true)),
            _ => None,
        };
        let both = end(from).zip(end(to)).ok_or(error("ERR min or max not valid string range item"))?;
        Ok(Lex { from: both.0, to: both.1 })
    }

    pub(super) fn has(&self, member: &Bytes) -> bool {
        let above = match &self.from {
            End::Least => true,
            End::Greatest => false,
            End::At(at, left_out) => member > at || !left_out && member == at,
        };
        above
            && match &self.to {
                End::Least => false,
                End::Greatest => true,
                End::At(at, left_out) => member < at || !left_out && member == at,
            }
    }
}
