//! What of the log is asked for: `node:w-09 kind:late req:15`. Terms narrow each other; values that commas join widen one;
//! a minus before a term takes away what it would leave; bare words are looked for in the line.

use std::rc::Rc;

/// What terms can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The node where it happened, or the other one concerned.
    Node,
    /// What happened.
    Kind,
    /// The request, job or change that it belongs to.
    Req,
    /// How much it matters to the program that prints it.
    Level,
}

const KEYS: [(&str, Key); 4] =
    [("node", Key::Node), ("kind", Key::Kind), ("req", Key::Req), ("level", Key::Level)];

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What it is about.
    pub key: Key,
    /// One of them has to hold.
    pub values: Vec<String>,
    /// Or none of them may.
    pub not: bool,
}

/// A query that has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The terms, all of which have to hold.
    pub terms: Vec<Term>,
    /// Words that have to stand in the line, in small letters.
    pub words: Vec<String>,
}

/// What can be asked for in a run.
pub struct Known<'a> {
    /// The nodes.
    pub nodes: &'a [Rc<str>],
    /// The kinds of records that there were, and the names of several of them.
    pub kinds: &'a [&'static str],
    /// How many requests, jobs or changes there were.
    pub units: u64,
    /// The levels; none where the lines have none.
    pub levels: &'a [&'static str],
}

/// Reads a query. The error says what is not known in it, and what is allowed.
pub fn parse(text: &str, known: &Known) -> Result<Query, String> {
    let mut query = Query::default();
    for piece in text.split_whitespace() {
        let (not, term) = piece.strip_prefix('-').map_or((false, piece), |term| (true, term));
        let Some((key, values)) = term.split_once(':') else {
            query.words.push(piece.to_lowercase());
            continue;
        };
        let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == key) else {
            return Err(format!("{key}: is not known. Allowed: node: kind: req: level:, and words"));
        };
        let values = values.split(',').map(|value| check(*key, value, known)).collect::<Result<_, _>>()?;
        query.terms.push(Term { key: *key, values, not });
    }
    Ok(query)
}

/// A value as it will be compared, if there is such a one.
fn check(key: Key, value: &str, known: &Known) -> Result<String, String> {
    let wrong = |what: &str, allowed: &str| Err(format!("{what}:{value} is not known. Allowed: {allowed}"));
    match key {
        Key::Node => match known.nodes.iter().find(|name| is_named(name, value)) {
            Some(name) => Ok(name.to_string()),
            None => wrong("node", &list(known.nodes.iter().map(|name| &**name))),
        },
        Key::Kind => match known.kinds.iter().any(|kind| is_kind(kind, value)) {
            true => Ok(value.to_owned()),
            false => wrong("kind", &format!("parts of {}", list(known.kinds.iter().copied()))),
        },
        Key::Req => {
            let digits = value.strip_prefix("req-").unwrap_or(value);
            match digits.parse::<u64>() {
                Ok(number) if (1..=known.units).contains(&number) => Ok(number.to_string()),
                _ if known.units == 0 => wrong("req", "none yet"),
                _ => wrong("req", &format!("1 to {}", known.units)),
            }
        }
        Key::Level if known.levels.is_empty() => {
            Err("level: is for the program's own log; events have none".to_owned())
        }
        Key::Level => match known.levels.iter().find(|level| **level == value) {
            Some(level) => Ok((*level).to_owned()),
            None => wrong("level", &list(known.levels.iter().copied())),
        },
    }
}

/// `w-09`, written also as `w9`.
fn is_named(name: &str, value: &str) -> bool {
    let short = |text: &str| {
        let (word, digits) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
        Some((word.trim_end_matches('-').to_owned(), digits.parse::<u32>().ok()?))
    };
    name == value || short(name).is_some_and(|name| short(value) == Some(name))
}

/// Whether a kind is meant by a value: its name, or the beginning of one of its name's words.
pub fn is_kind(kind: &str, value: &str) -> bool {
    !value.is_empty() && (kind == value || kind.split('_').any(|word| word.starts_with(value)))
}

/// The first few of some names.
fn list<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    const FEW: usize = 24;
    let mut text = names.clone().take(FEW).collect::<Vec<_>>().join(", ");
    if names.count() > FEW {
        text += " …";
    }
    text
}

/// A query with a term more, or without it if it has that already: what a chip does.
pub fn toggled(text: &str, term: &str) -> String {
    let has = has_term(text, term);
    let mut pieces: Vec<&str> = text.split_whitespace().filter(|piece| *piece != term).collect();
    if !has {
        // One node, and one request, at a time.
        let key = term.split_inclusive(':').next().unwrap_or(term);
        if key != "kind:" {
            pieces.retain(|piece| !piece.starts_with(key));
        }
        pieces.push(term);
    }
    pieces.join(" ")
}

/// Whether a query has a term.
pub fn has_term(text: &str, term: &str) -> bool {
    text.split_whitespace().any(|piece| piece == term)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Query, String> {
        let nodes: Vec<Rc<str>> = ["client", "coordinator", "w-01", "w-09"].map(Rc::from).to_vec();
        let known = Known {
            nodes: &nodes,
            kinds: &["request_sent", "task_failed", "late"],
            units: 20,
            levels: &["info", "warn"],
        };
        parse(text, &known)
    }

    fn term(key: Key, values: &[&str], not: bool) -> Term {
        Term { key, values: values.iter().map(|&value| value.to_owned()).collect(), not }
    }

    #[test]
    fn terms_are_read_with_their_values_and_words_stand_alone() {
        let query = read("node:w9 kind:late,failed -req:req-00015 Refused level:warn").unwrap();
        assert_eq!(
            query.terms,
            [
                term(Key::Node, &["w-09"], false),
                term(Key::Kind, &["late", "failed"], false),
                term(Key::Req, &["15"], true),
                term(Key::Level, &["warn"], false),
            ]
        );
        assert_eq!(query.words, ["refused"]);
        assert_eq!(read("  ").unwrap(), Query::default());
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is_allowed() {
        let cases = [
            ("nod:w-09", "nod: is not known. Allowed: node: kind: req: level:, and words"),
            ("node:w-13", "node:w-13 is not known. Allowed: client, coordinator, w-01, w-09"),
            ("kind:lat,lost", "kind:lost is not known. Allowed: parts of request_sent, task_failed, late"),
            ("kind:", "kind: is not known. Allowed: parts of request_sent, task_failed, late"),
            ("req:21", "req:21 is not known. Allowed: 1 to 20"),
            ("req:x", "req:x is not known. Allowed: 1 to 20"),
            ("level:loud", "level:loud is not known. Allowed: info, warn"),
        ];
        for (text, error) in cases {
            assert_eq!(read(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn a_kind_is_meant_by_the_beginning_of_a_word_of_its_name() {
        assert!(is_kind("request_sent", "sent") && is_kind("request_sent", "req"));
        assert!(is_kind("request_sent", "request_sent"));
        assert!(!is_kind("request_sent", "ent") && !is_kind("request_sent", "receive"));
    }

    #[test]
    fn a_chip_adds_its_term_and_takes_it_back() {
        let with = toggled("kind:late refused", "node:w-09");
        assert_eq!(with, "kind:late refused node:w-09");
        assert_eq!(toggled(&with, "node:w-08"), "kind:late refused node:w-08", "one node at a time");
        assert_eq!(toggled(&with, "kind:lost"), "kind:late refused node:w-09 kind:lost");
        assert_eq!(toggled(&with, "node:w-09"), "kind:late refused");
        assert!(has_term(&with, "node:w-09") && !has_term(&with, "node:w-0"));
    }
}
