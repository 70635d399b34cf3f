//! Words that a newcomer cannot know, and what they mean: one sentence each, for the page to show to who asks.

/// The words as they stand in captions, each with its meaning.
const WORDS: [(&str, &str); 14] = [
    ("p50", "Half of them took no longer than this: the median."),
    ("p95", "95 of 100 took no longer than this."),
    ("p99", "99 of 100 took no longer than this."),
    ("304", "The status that says: not modified, you have the newest."),
    ("429", "The status that says: too many requests, ask again later."),
    ("503", "The status that says: the service cannot answer now."),
    ("ETag", "A version's mark. Who has it asks whether there is a newer one, and gets the whole only then."),
    ("Retry-After", "A refusal's header: after so many seconds one may ask again."),
    ("API", "What programs call instead of the page that people see."),
    ("NATS", "A message broker: it passes messages on to whoever has subscribed to their subject."),
    (
        "JetStream",
        "The part of NATS that keeps messages, and delivers them again until they are acknowledged.",
    ),
    ("Valkey", "A store in memory, here of the queue; it speaks the protocol of Redis."),
    ("BRPOP", "Takes a job off the queue: from then on only the worker has it."),
    ("LMOVE", "Moves a job to the worker's own list in one step: it is never nowhere."),
];

/// A text in pieces, in order: plain ones, and words with their meanings.
pub fn explain(text: &str) -> Vec<(&str, Option<&'static str>)> {
    // A comma and a point may stand within a number. Letters of other scripts would cost their table, 2 KB of the program.
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ',' | '.');
    let (mut pieces, mut plain_from, mut from) = (Vec::new(), 0, 0);
    while let Some(begin) = text[from..].find(is_inside).map(|at| from + at) {
        let end = text[begin..].find(|c| !is_inside(c)).map_or(text.len(), |at| begin + at);
        let word = text[begin..end].trim_end_matches(['-', ',', '.']);
        let end = begin + word.len().max(1);
        if let Some((_, meaning)) = WORDS.iter().find(|(known, _)| *known == word) {
            pieces.extend((plain_from < begin).then(|| (&text[plain_from..begin], None)));
            pieces.push((word, Some(*meaning)));
            plain_from = end;
        }
        from = end;
    }
    pieces.extend((plain_from < text.len()).then(|| (&text[plain_from..], None)));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_need_it_are_explained_and_nothing_is_lost() {
        let text = "20 of 30 requests got 429: p95 is 1,429 ms, JetStream's 429.";
        let pieces = explain(text);
        let known: Vec<&str> =
            pieces.iter().filter(|(_, meaning)| meaning.is_some()).map(|(word, _)| *word).collect();
        // A number that has the figures of a status is none.
        assert_eq!(known, ["429", "p95", "JetStream", "429"]);
        assert_eq!(pieces.iter().map(|(piece, _)| *piece).collect::<String>(), text);
        assert_eq!(explain(""), []);
        assert!(WORDS.iter().all(|(_, meaning)| meaning.ends_with('.')));
    }
}
