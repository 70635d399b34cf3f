//! The operator: each change is made once, however often it has to be tried.

use super::config::{CONFIG, Lab, seconds};
use glasshive::kernel::Instant;
use glasshive::net::{Effect, Rule, Target};
use glasshive::systems::config::Params;
use serde_json::json;

#[test]
fn a_change_whose_answer_is_lost_is_made_once() {
    let mut lab = Lab::new(9, Params { put_period: seconds(10), ..Params::default() });
    let (client, controller) = (lab.config().client(), lab.config().controller());
    // The operator reads from 10,000 to 10,010 ms; its put arrives at 10,015 ms and is answered at 10,020 ms.
    lab.until(Instant::from_millis(10_012));
    let rule = Rule { target: Target::OneWay(controller, client), effect: Effect::Cut };
    let cut = lab.net.add_rule(rule);
    lab.until(Instant::from_millis(14_000));
    assert_eq!(lab.tally().newest(), 2);
    lab.net.remove_rule(cut);
    lab.until(Instant::from_millis(25_000));
    let (tally, ledger) = (lab.tally(), lab.ledger());
    let notes: Vec<&str> = ledger.versions().iter().map(|entry| entry.settings.note.as_str()).collect();
    assert_eq!(notes, ["as shipped", "change 1", "change 2"]);
    assert_eq!((tally.puts.unanswered, tally.puts.answered, tally.puts.conflicts), (1, 1, 0));
}

#[test]
fn an_operator_who_was_overtaken_looks_again_and_goes_on_from_there() {
    let mut lab = Lab::new(9, Params { put_period: seconds(10), ..Params::default() });
    // Between the operator's read and its put.
    lab.until(Instant::from_millis(10_004));
    let body = json!({"rate": 9, "query": "ETH/USD", "note": "by hand"}).to_string();
    assert_eq!(lab.call("PUT", CONFIG, &[], &body).status, 200);
    lab.until(Instant::from_millis(15_000));
    let (tally, ledger) = (lab.tally(), lab.ledger());
    let notes: Vec<&str> = ledger.versions().iter().map(|entry| entry.settings.note.as_str()).collect();
    assert_eq!(notes, ["as shipped", "by hand", "change 1"]);
    assert_eq!((tally.puts.conflicts, tally.puts.answered, lab.config().changes()), (1, 1, 2));
}
