//! The operator: each change is made once, however often it has to be tried.

use super::config::{CONFIG, Lab, seconds};
use glasshive::kernel::Instant;
use glasshive::lab::config::counts::{Changes, Tries};
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
    assert_eq!((tally.tries.unanswered, tally.tries.found, tally.tries.answered), (2, 1, 1));
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
    assert_eq!((tally.tries.conflicts, tally.tries.answered, tally.changes.made), (1, 2, 2));
}

/// Of each change it is known how it ended, whoever wanted it; nothing is under way for ever.
#[test]
fn every_change_ends_in_one_way() {
    let mut lab = Lab::quiet(11);
    assert_eq!(lab.call("PUT", CONFIG, &[], "{\"rate\": 2, \"query\": \"b\"}").status, 200);
    assert_eq!(lab.call("PUT", CONFIG, &[], "{\"rate\": 0, \"query\": \"b\"}").status, 400);
    let late = lab.call("PUT", CONFIG, &[("If-Match", "\"v1\"")], "{\"rate\": 2, \"query\": \"b\"}");
    assert_eq!(late.status, 412);
    lab.net.crash(lab.config().controller());
    lab.put_without_waiting();
    assert_eq!(lab.tally().changes.under_way(), 0, "nothing has been sent");
    lab.until(Instant::from_millis(60));
    let Changes { intended, made, refused, given_up } = lab.tally().changes;
    assert_eq!((intended, made, refused, given_up), (4, 1, 2, 1));
    let Tries { answered, conflicts, refused, unanswered, .. } = lab.tally().tries;
    assert_eq!((answered, conflicts, refused, unanswered), (1, 1, 1, 1));
}

#[test]
fn an_operator_tries_until_it_is_answered_and_a_crash_makes_it_forget() {
    let mut lab = Lab::new(9, Params { put_period: seconds(10), ..Params::default() });
    let (client, controller) = (lab.config().client(), lab.config().controller());
    lab.net.crash(controller);
    lab.until(Instant::from_millis(15_500));
    // Refused after 10 ms, and a second later again: at 10, 11.01, 12.02, … s.
    assert_eq!((lab.tally().changes.under_way(), lab.tally().tries.unanswered), (1, 6));
    lab.net.crash(client);
    assert_eq!((lab.tally().changes.under_way(), lab.tally().changes.given_up), (0, 1));
    lab.net.start(client);
    lab.until(Instant::from_millis(25_500));
    assert_eq!((lab.tally().changes.intended, lab.tally().changes.under_way()), (2, 1));
    lab.net.start(controller);
    lab.until(Instant::from_millis(29_000));
    assert_eq!((lab.tally().changes.made, lab.tally().changes.under_way()), (1, 0));
    lab.net.stop(client);
    lab.until(Instant::from_millis(29_500));
    assert_eq!(lab.tally().changes.given_up, 1, "nothing was under way");
}
