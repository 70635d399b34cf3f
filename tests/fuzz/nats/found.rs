//! What JetStream's fuzzer has found: `found.txt` has the shortest forms with what nats-server 2.9.10 answers. The model answers
//! the same; with `GLASSHIVE_REAL=1` the server is asked again.

use super::input::Act;
use super::jetstream::Side;
use super::session::Session;
use super::{SETTLE_MS, bed, both};
use crate::is_real;

fn act(line: &str) -> Act {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let word = |place: usize| words.get(place).copied().unwrap_or_default().to_owned();
    match words[0] {
        "call" => Act::Call(word(1), line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned()),
        "publish" => Act::Publish(word(1), String::new(), word(2)),
        "pull" => Act::Pull(word(1), word(2), word(3)),
        "say" => Act::Acknowledge(word(1).parse().expect("a number"), word(2)),
        other => panic!("found.txt: there is no {other}"),
    }
}

/// Plays all cases; a line that begins with `=` is what the act before it shows.
fn replay(session: &mut Session) -> usize {
    let conn = session.plain();
    let cases = include_str!("found.txt").split("\n\n").filter(|case| case.contains("\n= "));
    let mut count = 0;
    for case in cases {
        let mut side = Side::fresh(session, conn);
        let mut seen = serde_json::Value::Null;
        for line in case.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            match line.strip_prefix("= ") {
                Some(expected) => assert_eq!(seen.to_string(), expected, "{case}"),
                None => seen = side.act(&act(line)),
            }
        }
        count += 1;
    }
    count
}

#[test]
fn what_the_fuzzer_found_in_jetstream_stays_mended() {
    let mut model = Session::new(
        Box::new(bed::Model::new(&bed::Setup { jetstream: true, ..bed::Setup::default() })),
        SETTLE_MS,
    );
    assert!(replay(&mut model) >= 13);
    if is_real() {
        let [mut real, _] = both(true);
        replay(&mut real);
    }
}
