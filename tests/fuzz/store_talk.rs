//! What a connection of the store's fuzzer has asked and not heard yet, so that each reply is compared as the command that it
//! answers is, wherever it stands: alone, inside of EXEC's array, or behind the reply to a call that blocked.

use super::store::{Compared, compared, same, shown};
use super::store_peer::Words;
use glasshive::substrate::valkey::Reply;
use std::collections::VecDeque;

#[derive(Default)]
pub struct Talk {
    /// The commands without an answer.
    unanswered: VecDeque<Words>,
    /// How many confirmations the first of them has had.
    confirmed: usize,
    /// A transaction is open, and has taken these.
    is_open: bool,
    queued: Vec<Words>,
}

/// Messages and confirmations answer no command, or one of them more than once.
#[derive(PartialEq)]
enum Kind {
    Message,
    PatternMessage,
    Confirmation,
    Answer,
}

fn kind(reply: &Reply) -> Kind {
    let Reply::Array(items) = reply else { return Kind::Answer };
    match items.first() {
        Some(Reply::Bulk(word)) => match &**word {
            b"message" => Kind::Message,
            b"pmessage" => Kind::PatternMessage,
            b"subscribe" | b"unsubscribe" | b"psubscribe" | b"punsubscribe" => Kind::Confirmation,
            _ => Kind::Answer,
        },
        _ => Kind::Answer,
    }
}

fn is(words: &Words, names: &[&str]) -> bool {
    names.iter().any(|name| words[0].eq_ignore_ascii_case(name.as_bytes()))
}

fn subscribes(words: &Words) -> bool {
    is(words, &["SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE"])
}

/// Commands that may leave their client waiting.
fn waits(words: &Words) -> bool {
    is(words, &["XREAD", "XREADGROUP", "BRPOPLPUSH", "BLMOVE"])
        || is(words, &["BLPOP", "BRPOP", "BLMPOP"])
        || is(words, &["BZPOPMIN", "BZPOPMAX"])
}

impl Talk {
    pub fn ask(&mut self, words: &Words) {
        self.unanswered.push_back(words.clone());
    }

    /// What is asked now is answered at once.
    pub fn is_free(&self) -> bool {
        self.unanswered.is_empty() && !self.is_open
    }

    /// What came on both sides, as many of each: the first two that differ.
    pub fn hear(&mut self, real: Vec<Reply>, model: Vec<Reply>) -> Result<(), (Reply, Reply)> {
        let mut pairs: VecDeque<(Reply, Reply)> = real.into_iter().zip(model).collect();
        while let Some((real, model)) = pairs.pop_front() {
            let fits = match kind(&model) {
                Kind::Message => real == model,
                Kind::PatternMessage => {
                    // Which pattern is looked at first is the server's own business.
                    let mut both = (vec![shown(&real)], vec![shown(&model)]);
                    while pairs.front().is_some_and(|(_, next)| is_sibling(&model, next)) {
                        let (real, model) = pairs.pop_front().expect("a pair");
                        both.0.push(shown(&real));
                        both.1.push(shown(&model));
                    }
                    both.0.sort();
                    both.1.sort();
                    both.0 == both.1
                }
                Kind::Confirmation => {
                    self.confirm();
                    same(Compared::Confirmation, &real, &model)
                }
                Kind::Answer => self.answer(&real, &model, &mut pairs),
            };
            if !fits {
                return Err((real, model));
            }
        }
        // Whoever has had all of that waits for nothing, unless it is for a value.
        while self.unanswered.front().is_some_and(|words| !waits(words)) {
            self.unanswered.pop_front();
        }
        self.confirmed = 0;
        Ok(())
    }

    fn confirm(&mut self) {
        let Some(words) = self.unanswered.front().filter(|words| subscribes(words)) else { return };
        self.confirmed += 1;
        if words.len() == 1 + self.confirmed {
            self.unanswered.pop_front();
            self.confirmed = 0;
        }
    }

    fn answer(&mut self, real: &Reply, model: &Reply, pairs: &mut VecDeque<(Reply, Reply)>) -> bool {
        let refusal = matches!(model, Reply::Error(_)) || *model == Reply::Simple("QUEUED".into());
        let words = loop {
            let Some(words) = self.unanswered.pop_front() else { return real == model };
            // A subscription is answered by confirmations, or refused.
            let confirmed = std::mem::take(&mut self.confirmed) > 0;
            if !subscribes(&words) || refusal && !confirmed {
                break words;
            }
        };
        if *model == Reply::Simple("QUEUED".into()) {
            self.queued.push(words);
            return real == model;
        }
        if is(&words, &["MULTI", "EXEC", "DISCARD", "RESET"]) && *model != Reply::Error(NESTED.into()) {
            self.is_open = is(&words, &["MULTI"]) && *model == Reply::OK;
            let queued = std::mem::take(&mut self.queued);
            if let (true, Reply::Array(a), Reply::Array(b)) = (is(&words, &["EXEC"]), real, model) {
                queued.into_iter().rev().for_each(|words| self.unanswered.push_front(words));
                a.iter().cloned().zip(b.iter().cloned()).rev().for_each(|pair| pairs.push_front(pair));
                return a.len() == b.len();
            }
        }
        same(compared(&words), real, model)
    }
}

/// What MULTI answers inside of a transaction, which goes on.
const NESTED: &str = "ERR MULTI calls can not be nested";

/// Whether two messages of patterns are one that was published.
fn is_sibling(one: &Reply, other: &Reply) -> bool {
    let (Reply::Array(a), Reply::Array(b)) = (one, other) else { return false };
    kind(other) == Kind::PatternMessage && a.get(2..) == b.get(2..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    fn array(items: &[&str]) -> Reply {
        Reply::Array(items.iter().map(Reply::bulk).collect())
    }

    fn queued() -> Reply {
        Reply::Simple("QUEUED".into())
    }

    #[test]
    fn replies_inside_of_a_transaction_are_compared_as_their_commands_are() {
        for (asked, fits) in [("SMEMBERS s", true), ("LRANGE s 0 -1", false)] {
            let mut talk = Talk::default();
            for (asked, reply) in [("MULTI", Reply::OK), (asked, queued()), ("SUBSCRIBE a b", queued())] {
                talk.ask(&words(asked));
                talk.hear(vec![reply.clone()], vec![reply]).expect("they are the same");
            }
            assert!(!talk.is_free());
            talk.ask(&words("EXEC"));
            let greeting = |name: &str, count| {
                Reply::Array(vec![Reply::bulk("subscribe"), Reply::bulk(name), Reply::Int(count)])
            };
            let heard =
                |members: Reply| vec![Reply::Array(vec![members, greeting("a", 1)]), greeting("b", 2)];
            let heard = talk.hear(heard(array(&["1", "2"])), heard(array(&["2", "1"])));
            assert_eq!(heard.is_ok(), fits, "{asked}");
            assert_eq!(talk.is_free(), fits, "{asked}");
        }
    }

    #[test]
    fn replies_behind_a_blocked_call_are_compared_as_their_commands_are() {
        let mut talk = Talk::default();
        for asked in ["BLPOP l 0", "SMEMBERS s", "LRANGE l 0 -1"] {
            talk.ask(&words(asked));
            talk.hear(Vec::new(), Vec::new()).expect("nothing came");
        }
        let heard = |members: &[&str], range: &[&str]| vec![array(&["l", "x"]), array(members), array(range)];
        assert_eq!(talk.hear(heard(&["1", "2"], &["3", "4"]), heard(&["2", "1"], &["3", "4"])), Ok(()));
        assert!(talk.is_free());
        for asked in ["BLPOP l 0", "LRANGE l 0 -1"] {
            talk.ask(&words(asked));
        }
        assert!(talk.hear(heard(&["1", "2"], &[]), heard(&["2", "1"], &[])).is_err());
    }
}
