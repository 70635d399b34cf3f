//! What is only counted: how changes, tries and polls ended.

use crate::systems::config::{ChangeEnd, TryEnd};
use serde::Serialize;

/// What became of the agents' polls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polls {
    /// 200: there was a newer version.
    pub modified: u64,
    /// 304.
    pub not_modified: u64,
    /// Anything else, or no answer.
    pub failed: u64,
}

/// What became of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// All that were wanted.
    pub intended: u64,
    /// Those whose author knows that they are made.
    pub made: u64,
    /// Those that the controller did not want: not valid, or a person's that came too late.
    pub refused: u64,
    /// Those whose author does not know what became of them, and tries no more.
    pub given_up: u64,
}

/// What became of tries to make a change: a read and a put of the operator, or a put of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tries {
    /// 200.
    pub answered: u64,
    /// An earlier try had succeeded, whose answer never came.
    pub found: u64,
    /// 412.
    pub conflicts: u64,
    /// Any other error of the client.
    pub refused: u64,
    /// An error of the server, or no answer. The version may be there nonetheless.
    pub unanswered: u64,
}

impl Polls {
    pub(super) fn count(&mut self, status: u16) {
        *match status {
            200 => &mut self.modified,
            304 => &mut self.not_modified,
            _ => &mut self.failed,
        } += 1;
    }
}

impl Changes {
    /// Those that somebody tries to make.
    pub fn under_way(&self) -> u64 {
        self.intended - self.ended()
    }

    /// Those that nobody tries to make any more.
    pub fn ended(&self) -> u64 {
        self.made + self.refused + self.given_up
    }

    pub(super) fn count(&mut self, end: ChangeEnd) {
        *match end {
            ChangeEnd::Made => &mut self.made,
            ChangeEnd::Refused => &mut self.refused,
            ChangeEnd::GivenUp => &mut self.given_up,
        } += 1;
    }
}

impl Tries {
    pub(super) fn count(&mut self, end: TryEnd) {
        *match end {
            TryEnd::Answered => &mut self.answered,
            TryEnd::Found => &mut self.found,
            TryEnd::Conflict => &mut self.conflicts,
            TryEnd::Refused => &mut self.refused,
            TryEnd::Unanswered => &mut self.unanswered,
        } += 1;
    }
}
