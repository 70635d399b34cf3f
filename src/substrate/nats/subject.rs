//! Subjects and patterns: tokens between dots, `*` for one token, `>` for all that follow.

use crate::kernel::SortedMap;
use crate::substrate::merge;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A pattern that many subjects are held against.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Rc<str>,
    /// It has no wildcard and no empty token: it matches itself only.
    is_literal: bool,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Pattern { text: text.into(), is_literal: is_valid_literal(text) }
    }

    /// True if messages published to `subject` go to it.
    pub(super) fn matches(&self, subject: &str) -> bool {
        if self.is_literal { *self.text == *subject } else { matches(&self.text, subject) }
    }
}

/// Numbers under patterns with wildcards, found by a subject's tokens.
#[derive(Default)]
pub(super) struct Tree {
    named: SortedMap<Box<str>, Tree>,
    /// Behind `*`.
    any: Option<Box<Tree>>,
    /// Of patterns that end here, and here with `>`.
    here: BTreeSet<u64>,
    rest: BTreeSet<u64>,
}

impl Tree {
    pub(super) fn insert(&mut self, pattern: &str, number: u64) {
        match pattern.split_once('.').unwrap_or((pattern, "")) {
            (">", _) => drop(self.rest.insert(number)),
            ("", _) => drop(self.here.insert(number)),
            ("*", rest) => self.any.get_or_insert_default().insert(rest, number),
            (token, rest) => self.named.entry(token.into()).or_default().insert(rest, number),
        }
    }

    pub(super) fn remove(&mut self, pattern: &str, number: u64) {
        match pattern.split_once('.').unwrap_or((pattern, "")) {
            (">", _) => drop(self.rest.remove(&number)),
            ("", _) => drop(self.here.remove(&number)),
            ("*", rest) => {
                self.any.as_mut().into_iter().for_each(|tree| tree.remove(rest, number));
                self.any.take_if(|tree| tree.is_empty());
            }
            (token, rest) => {
                let Some(tree) = self.named.get_mut(token) else { return };
                tree.remove(rest, number);
                if tree.is_empty() {
                    self.named.remove(token);
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.any.is_none() && self.here.is_empty() && self.rest.is_empty()
    }

    /// The numbers of all patterns that `subject` goes to, in ascending order.
    pub(super) fn matching(&self, subject: &str) -> Vec<u64> {
        let mut found = Vec::new();
        if !self.is_empty() && subject.split('.').all(|token| !token.is_empty()) {
            self.collect(Some(subject), &mut found);
            merge::sort(&mut found, |a, b| a < b);
        }
        found
    }

    fn collect(&self, subject: Option<&str>, found: &mut Vec<u64>) {
        let Some(subject) = subject else { return found.extend(&self.here) };
        found.extend(&self.rest);
        let (token, rest) =
            subject.split_once('.').map_or((subject, None), |(token, rest)| (token, Some(rest)));
        for tree in self.named.get(token).into_iter().chain(self.any.as_deref()) {
            tree.collect(rest, found);
        }
    }
}

/// The tokens of a subject. Byte by byte: they are short, and a search made for long texts costs more before it begins.
pub(super) fn tokens(subject: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(subject);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.bytes().position(|byte| byte == b'.');
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// True for what may be subscribed to: no empty token, no blank, `>` last only.
pub fn is_valid_pattern(subject: &str) -> bool {
    let bytes = subject.as_bytes();
    let mut begins = true;
    for (place, &byte) in bytes.iter().enumerate() {
        let is_wrong = match byte {
            b'.' => begins,
            b'>' => begins && bytes.get(place + 1) == Some(&b'.'),
            _ => byte.is_ascii_whitespace(),
        };
        if is_wrong {
            return false;
        }
        begins = byte == b'.';
    }
    !begins
}

/// True for what may be published to: a pattern without wildcards.
pub fn is_valid_literal(subject: &str) -> bool {
    is_valid_pattern(subject) && !has_wildcard(subject)
}

/// True if a token is a wildcard; `fo*` is an ordinary token.
pub fn has_wildcard(subject: &str) -> bool {
    let may_be = subject.bytes().any(|byte| matches!(byte, b'*' | b'>'));
    may_be && tokens(subject).any(|token| token == "*" || token == ">")
}

/// True if messages published to `subject` go to a subscription of `pattern`. The subject's own wildcards are
/// ordinary tokens; a subject with an empty token goes nowhere.
pub fn matches(pattern: &str, subject: &str) -> bool {
    let (mut patterns, mut tokens) = (tokens(pattern), tokens(subject));
    loop {
        match (patterns.next(), tokens.next()) {
            (Some(">"), Some(token)) => {
                return !token.is_empty() && tokens.all(|token| !token.is_empty());
            }
            (Some(pattern), Some(token)) if !token.is_empty() && (pattern == "*" || pattern == token) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// True if whatever goes to the first pattern goes to the second as well.
pub fn is_subset(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (tokens(a), tokens(b));
    loop {
        match (a.next(), b.next()) {
            (Some(_), Some(">")) | (None, None) => return true,
            (Some(token), Some(pattern)) if token != ">" && (pattern == "*" || pattern == token) => {}
            _ => return false,
        }
    }
}

/// Which of two patterns that match the same subject the server finds first: `>` before all else, then `*`, then the
/// token itself; at the end the token itself before `*`.
pub(super) fn comes_first(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (tokens(a).peekable(), tokens(b).peekable());
    while let (Some(x), Some(y)) = (a.next(), b.next()) {
        let rank = |token: &str, last: bool| match token {
            ">" => 0,
            "*" if !last => 1,
            "*" => 3,
            _ => 2,
        };
        // A pattern ends where the subject does, or with `>`.
        let last = a.peek().is_none() && x != ">" || b.peek().is_none() && y != ">";
        if rank(x, last) != rank(y, last) {
            return rank(x, last) < rank(y, last);
        }
    }
    false
}

/// True if some subject goes to both patterns.
pub fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (tokens(a), tokens(b));
    loop {
        match (a.next(), b.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    #[test]
    fn tree_and_pattern_find_what_a_comparison_finds() {
        let mut rng = Rng::new(3);
        let mut text = |tokens: &[&str]| {
            let parts: Vec<&str> =
                (0..1 + rng.below(3)).map(|_| tokens[rng.below(tokens.len() as u64) as usize]).collect();
            parts.join(".")
        };
        let (mut tree, mut patterns): (Tree, Vec<(u64, String)>) = (Tree::default(), Vec::new());
        for number in 0..3000 {
            let pattern = text(&["a", "b", "*", "*", ">", "a*"]);
            if is_valid_pattern(&pattern) && has_wildcard(&pattern) {
                tree.insert(&pattern, number);
                patterns.push((number, pattern));
            }
            if patterns.len() > 8 {
                let (number, pattern) = patterns.remove(number as usize % 8);
                tree.remove(&pattern, number);
            }
            let subject = text(&["a", "b", "c", "", "*", "a*", ">"]);
            let expected: Vec<u64> =
                patterns.iter().filter(|(_, p)| matches(p, &subject)).map(|&(n, _)| n).collect();
            assert_eq!(tree.matching(&subject), expected, "{subject} {patterns:?}");
            let pattern = text(&["a", "b", "", "*"]);
            assert_eq!(Pattern::new(&pattern).matches(&subject), matches(&pattern, &subject), "{pattern}");
        }
        patterns.iter().for_each(|(number, pattern)| tree.remove(pattern, *number));
        assert!(tree.is_empty());
    }

    #[test]
    fn wildcards_match_whole_tokens() {
        for (pattern, subject, expected) in [
            ("foo.*", "foo.bar", true),
            ("foo.*", "foo", false),
            ("foo.*", "foo.a.b", false),
            ("foo.>", "foo.a.b", true),
            ("foo.>", "foo", false),
            (">", "foo", true),
            (">", "foo..bar", false),
            ("*", "", false),
            ("fo*", "foo", false),
            ("fo*", "fo*", true),
        ] {
            assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[test]
    fn patterns_overlap_when_one_subject_fits_both() {
        assert!(overlap("oracle.*", "oracle.tasks") && overlap("a.>", "*.b.c") && overlap("a.*.c", "a.b.*"));
        assert!(!overlap("a", "a.>") && !overlap("a.b", "a.c") && !overlap("a.*", "a.b.c"));
    }

    #[test]
    fn the_greater_sign_is_last_and_no_token_is_empty() {
        for valid in ["foo", "foo.>", ">", "foo.>bar", "*.b*r", "$JS.API.>"] {
            assert!(is_valid_pattern(valid), "{valid}");
        }
        for invalid in ["", ".foo", "foo.", "a..b", "foo.>.bar", "a b"] {
            assert!(!is_valid_pattern(invalid), "{invalid}");
        }
        assert!(is_valid_literal("foo.b*r") && !is_valid_literal("foo.*"));
    }
}
