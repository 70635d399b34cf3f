//! The oracle's captions: what just happened to the requests, and what one would ask next.

mod broker;

use crate::app::caption::Caption;
use crate::app::oracle::Now;
use crate::app::oracle::view::{RequestView, TaskView};
use crate::app::snapshot::FaultView;
use crate::lab::oracle::TaskEnd;
use crate::lab::params::Setting;

/// A fault is news for so long.
const NEWS_MS: f64 = 2500.0;
/// Counter-answers that differ by less than this say nothing.
const TELLING_DIFFERENCE: f64 = 0.002;

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let news = now.faults.iter().rev().find(|fault| {
        let age = now.vtime_ms - fault.from_ms;
        (0.0..NEWS_MS).contains(&age)
    });
    let closed =
        now.view.request.as_ref().filter(|request| request.closed_ms.is_some() || request.error.is_some());
    let lost = now.view.broker.as_ref().is_some_and(|broker| broker.lost > 0);
    match (news, closed) {
        (Some(fault), None) => of_fault(fault, now),
        // Until a request that has met the fault is through, the fault is the news.
        (Some(fault), Some(request)) if request.opened_ms < Some(fault.from_ms) && !lost => {
            of_fault(fault, now)
        }
        (_, Some(request)) => of_request(request, now),
        (None, None) => of_waiting(now),
    }
}

fn of_fault(fault: &FaultView, now: Now) -> Caption {
    if let Some(caption) = broker::of_fault(fault, now) {
        return caption;
    }
    let FaultView { target, value, .. } = fault;
    let at = format!("at {} s", seconds(fault.from_ms));
    match fault.kind {
        "crash" => Caption::new(
            format!("{target} crashed {at}."),
            "Requests to it are refused at once, and count as failed until it falls out of the registry."
                .to_owned(),
            "Does the answer get worse without it?",
        ),
        "restart" => Caption::new(
            format!("{target} restarts {at}."),
            "Its memory is gone; it registers again before it is asked again.".to_owned(),
            "What did it forget?",
        ),
        "lie" => Caption::new(
            format!("{target} lies by {} from {} s on.", percent(*value), seconds(fault.from_ms)),
            format!(
                "The coordinator cannot know; it takes the {} of all answers.",
                now.view.settings.strategy
            ),
            "How far does one liar move it?",
        ),
        "slow" => Caption::new(
            format!("{target} is {value} times as slow from {} s on.", seconds(fault.from_ms)),
            "Whatever takes it past the timeout is cancelled.".to_owned(),
            "Would a longer timeout help, or only cost time?",
        ),
        "cut" => Caption::new(
            format!("{target} is cut off {at}."),
            "Nothing passes, and nothing says so: the coordinator learns it by waiting.".to_owned(),
            "How does this differ from a crash?",
        ),
        "drop" | "dup" => Caption::new(
            format!("{target} {} messages {at}.", if fault.kind == "drop" { "loses" } else { "doubles" }),
            format!("Each with a probability of {}.", percent(*value).trim_start_matches('+')),
            "Which requests does it cost?",
        ),
        _ => Caption::new(format!("{target}: {} {at}.", fault.kind), String::new(), "What changes?"),
    }
}

/// By how much it means to lie, if that is the same for every request; else how far off it is this time.
fn of_liar(liar: &TaskView, request: &RequestView, now: Now) -> String {
    let node = now.nodes.iter().find(|node| node.id == liar.node);
    let is_constant = |setting: &Setting| setting.key == "lie-mode" && setting.value == "constant";
    match (node.and_then(|node| node.lie), liar.value) {
        (Some(bias), _) if now.set.iter().any(is_constant) => {
            format!("{} lies by {}.", liar.worker, percent(bias))
        }
        (_, Some(value)) if request.truth != 0.0 => {
            format!("{} lies: it is off by {}.", liar.worker, percent(value / request.truth - 1.0))
        }
        _ => format!("{} lies.", liar.worker),
    }
}

fn of_request(request: &RequestView, now: Now) -> Caption {
    if let Some(caption) = broker::of_request(request, now) {
        return caption;
    }
    let asked = request.tasks.len();
    let heartbeats_off = |setting: &Setting| setting.key == "heartbeat" && setting.value == "0s";
    let none_registered = request.error.as_ref().is_some_and(|error| error.code == "no_workers");
    if none_registered && now.set.iter().any(heartbeats_off) {
        return Caption::new(
            format!("{} failed: all workers were dropped from the registry.", request.id),
            "They are healthy and idle, but heartbeats are off, and silence counts as death.".to_owned(),
            "What if they sent heartbeats?",
        );
    }
    if let Some(error) = &request.error {
        return Caption::new(
            format!("{} failed: {}.", request.id, error.code.replace('_', " ")),
            format!("{}.", error.message),
            "What would have saved it?",
        );
    }
    let count = |end: TaskEnd| request.tasks.iter().filter(|task| task.end == end).count();
    let (in_time, late, failed) = (count(TaskEnd::InTime), count(TaskEnd::Late), count(TaskEnd::Failed));
    let lies = request.tasks.iter().filter(|task| task.lied);
    let liars: Vec<&TaskView> = lies.filter(|task| task.value.is_some()).collect();
    let compared = compare(request, now.view.settings.strategy);
    match (liars.as_slice(), compared) {
        ([liar], Some(compared)) => {
            Caption::new(of_liar(liar, request, now), compared, "What if three more lie?")
        }
        ([], Some(compared)) if 2 * late > asked => Caption::new(
            format!("{in_time} of {asked} answered in time, {late} late."),
            compared,
            "What does a longer timeout buy?",
        ),
        ([], Some(compared)) => Caption::new(
            format!("{in_time} of {asked} answered in time: {late} late, {failed} failed."),
            compared,
            "What if one of them lies?",
        ),
        (many, Some(compared)) => Caption::new(
            format!("{} of {in_time} answers are lies.", many.len()),
            compared,
            "When does the median give in?",
        ),
        (_, None) => Caption::new(
            format!("{in_time} of {asked} answered in time: {late} late, {failed} failed."),
            "There is nothing to aggregate.".to_owned(),
            "What would have saved the request?",
        ),
    }
}

/// "The average is off by +4.52 %; a median would be off by −0.93 %."
fn compare(request: &RequestView, strategy: &str) -> Option<String> {
    let analysis = request.analysis.as_ref()?;
    let other = if strategy == "average" { "median" } else { "average" };
    let counter = (analysis.counter_answers.get(other)? - analysis.truth) / analysis.truth;
    let own = format!("The {strategy} is off by {}", percent(analysis.error));
    let article = if other == "average" { "an" } else { "a" };
    Some(if (counter - analysis.error).abs() < TELLING_DIFFERENCE {
        format!("{own}; {article} {other} would be, too.")
    } else {
        format!("{own}; {article} {other} would be off by {}.", percent(counter))
    })
}

fn of_waiting(now: Now) -> Caption {
    let workers = now.view.settings.workers;
    let timeout = seconds(now.view.settings.timeout_ms);
    let coming: Vec<String> = now
        .faults
        .iter()
        .filter(|fault| fault.from_ms > now.vtime_ms)
        .take(2)
        .map(|fault| {
            let what = match fault.kind {
                "crash" => "crashes",
                "lie" => "begins to lie",
                "restart" => "restarts",
                "slow" => "slows down",
                _ => "breaks",
            };
            format!("{} {what} at {} s", fault.target, seconds(fault.from_ms))
        })
        .collect();
    let detail = if coming.is_empty() { String::new() } else { format!("{}.", coming.join(", ")) };
    Caption::new(
        format!("{workers} workers race to the gate at {timeout} s."),
        detail,
        "How many will be in time?",
    )
}

fn seconds(ms: f64) -> String {
    let tenths = libm::round(ms / 100.0) / 10.0;
    format!("{tenths}")
}

/// `+4.52 %`, `−0.93 %`, with the minus sign that has a plus sign's width.
fn percent(share: f64) -> String {
    let hundredths = libm::round(share * 1e4) / 100.0;
    let sign = if hundredths < 0.0 { '−' } else { '+' };
    let magnitude = hundredths.abs();
    if magnitude == libm::trunc(magnitude) {
        format!("{sign}{magnitude} %")
    } else {
        format!("{sign}{magnitude:.2} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Player, PlayerState};
    use crate::kernel::Instant;
    use crate::lab::Scenario;

    fn caption_at(ms: u64, set: &[(&str, &str)]) -> Caption {
        let mut scenario = Scenario::preset("oracle-http", 31);
        scenario.set = set.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
        let mut player = Player::new(&scenario, 1.0).unwrap();
        player.seek(Instant::from_millis(ms)).unwrap();
        while player.state() == PlayerState::Replaying {
            player.frame(16.0, || true);
        }
        caption(Now::of(&player.snapshot()).unwrap())
    }

    #[test]
    fn the_opening_story_is_told_in_order() {
        assert!(caption_at(10, &[]).text().contains("w-09 begins to lie at 11 s"));
        assert!(caption_at(8_600, &[]).headline.contains("w-04 crashed at 8 s"));
        assert!(caption_at(12_000, &[]).headline.contains("w-09 lies by +18 %"));
        let lie = caption_at(13_900, &[]);
        assert_eq!(lie.headline, "w-09 lies by +18 %.");
        assert!(
            lie.detail.starts_with("The average is off by +") && lie.detail.contains("median"),
            "{lie:?}"
        );
        assert_eq!(lie.question, "What if three more lie?");
    }

    #[test]
    fn every_moment_has_a_headline_and_a_question() {
        for ms in (0..40_000).step_by(731) {
            for set in [
                &[][..],
                &[("fail", "1")],
                &[("register", "off")],
                &[("lie", "0.5")],
                &[("strategy", "median")],
            ] {
                let caption = caption_at(ms, set);
                assert!(
                    caption.headline.ends_with('.') && caption.question.ends_with('?'),
                    "{ms} {set:?} {caption:?}"
                );
            }
        }
    }

    fn caption_of(preset: &str, ms: u64) -> Caption {
        let mut player = Player::new(&Scenario::preset(preset, 31), 1.0).unwrap();
        player.seek(Instant::from_millis(ms)).unwrap();
        while player.state() == PlayerState::Replaying {
            player.frame(16.0, || true);
        }
        caption(Now::of(&player.snapshot()).unwrap())
    }

    #[test]
    fn every_shipped_scenario_says_what_happens_in_it() {
        for (preset, ms, expected) in [
            ("heartbeat-trap", 21_000, "all workers were dropped from the registry"),
            ("oracle-nats", 9_100, "The broker went down at 9 s."),
            ("oracle-nats", 10_900, "12 tasks or answers were lost with the broker."),
            ("oracle-nats", 11_900, "nats: no servers available for connection"),
            ("oracle-jetstream", 14_500, "JetStream delivered"),
            ("broker-restart", 4_100, "The broker restarts at 4 s."),
            ("queue-group-trap", 2_900, "to one of 12 workers"),
            ("rate-limit-burst", 2_900, "20 of 30 requests got 429."),
            ("colluding-third", 2_900, "answers are lies."),
            ("stale-report", 2_900, "answers are lies."),
        ] {
            let caption = caption_of(preset, ms);
            assert!(caption.text().contains(expected), "{preset} at {ms}: {caption:?}");
        }
    }

    #[test]
    fn percentages_have_a_sign_and_two_digits() {
        assert_eq!(percent(0.18), "+18 %");
        assert_eq!(percent(-0.00934), "−0.93 %");
    }
}
