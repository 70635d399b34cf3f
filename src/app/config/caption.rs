//! The caption of a configuration system: what just happened, what it means for the workers, what one would ask next.

use crate::app::caption::{About, Caption, Rank};
use crate::app::config::observe::{AGENT, CONTROLLER, VersionView, WORKER};
use crate::app::config::{Now, experiment};
use crate::app::snapshot::{FaultView, NodeView, Sign};
use crate::lab::{self, Run};

/// A fault, and its end, are news for so long.
const NEWS_MS: f64 = 2500.0;
/// Fewer agents are no crowd.
const CROWD: usize = 20;
/// So many requests in a second for each agent are a herd.
const HERD_SHARE: f64 = 0.5;
/// A crowd that failed together is back by then, at the longest wait and its jitter.
const ALL_BACK_MS: f64 = 31_000.0;
/// A worker that is behind for longer is told of, and again after as much more.
const BEHIND_MS: f64 = 5000.0;
/// A wait that is worth a story.
const LONG_WAIT_MS: f64 = 20_000.0;
/// A change that has not come after that has been missed.
const MISSED_MS: f64 = 1000.0;

/// What stories are told apart by, besides a version or a count.
mod story {
    pub const BEGIN: u64 = 1;
    pub const SHIPPED: u64 = 2;
    pub const SPREADING: u64 = 1 << 32;
    pub const BEHIND: u64 = 2 << 32;
    pub const PAUSES: u64 = 3 << 32;
    pub const HERD: u64 = 4 << 32;
    pub const BAD: u64 = 5 << 32;
    pub const TAKEN_BACK: u64 = 6 << 32;
    pub const UNHEARD: u64 = 7 << 32;
    pub const POLLED: u64 = 8 << 32;
}

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let edge = now.snapshot.newest_edge().filter(|edge| now.vtime_ms - edge.at_ms < NEWS_MS);
    if let Some(edge) = edge {
        return edge.tell(if edge.ends { of_end(edge.fault, now) } else { of_begin(edge.fault) });
    }
    let controller = now.nodes.iter().find(|node| node.role == CONTROLLER);
    let failing = now.rows().iter().any(|node| node.role == WORKER && node.state.sign == Sign::Failed);
    match controller.and_then(|node| node.down_since_ms) {
        Some(since) => of_outage(now, since),
        None => of_herd(now).or_else(|| of_bad(now, failing)).unwrap_or_else(|| of_versions(now)),
    }
}

fn other(caption: Caption, about: u64, rank: Rank) -> Caption {
    caption.about(About::Other(about), rank)
}

fn new(headline: String, detail: &str, question: &str) -> Caption {
    Caption::new(headline, detail.to_owned(), question)
}

fn of_begin(fault: &FaultView) -> Caption {
    let FaultView { target, kind, from_ms, .. } = fault;
    let at = format!("at {} s", seconds(*from_ms));
    let is_broker = target.contains("valkey");
    match *kind {
        "crash" if target == "controller" => new(
            format!("The controller crashed {at}."),
            "Workers go on with the version that they have.",
            "How stale can a worker get?",
        ),
        "crash" if is_broker => new(
            format!("Valkey crashed {at}."),
            "Nobody announces changes any more; the agents still poll.",
            experiment::NOW,
        ),
        "crash" if target.starts_with("a-") => new(
            format!("{target} crashed {at}."),
            "Its workers go on with the version that they run.",
            "Which version has it after a restart?",
        ),
        "crash" => new(
            format!("{target} crashed {at}."),
            "Whatever it held in memory is gone.",
            "What does it have to read again?",
        ),
        "cut" if is_broker => new(
            format!("{} is cut off from Valkey {at}.", target.replace("valkey", "").replace(['~', '>'], "")),
            "It hears of no change; a trigger carries no configuration, so nothing is lost but time.",
            "What does a lost trigger cost?",
        ),
        "cut" => new(
            format!("{target} is cut off {at}."),
            "Nothing passes, and nothing says so.",
            "Who notices first?",
        ),
        _ => new(format!("{target}: {kind} {at}."), "", "Who falls behind?"),
    }
}

fn of_end(fault: &FaultView, now: Now) -> Caption {
    let FaultView { target, kind, to_ms, .. } = fault;
    let at = format!("at {} s", seconds(to_ms.unwrap_or_default()));
    match (*kind, target.as_str()) {
        ("crash" | "stop", "controller") => new(
            format!("The controller is back {at}."),
            "Each agent comes back when its own wait is over.",
            "Do they come all at once?",
        ),
        ("crash" | "stop", "valkey") => {
            new(format!("Valkey is back {at}."), "Changes are announced again.", "Who still has to catch up?")
        }
        (_, name) => Caption::new(
            format!("{name} is well again {at}."),
            format!("The newest version is v{}.", now.view.newest),
            "Who still has to catch up?",
        ),
    }
}

fn of_outage(now: Now, since: f64) -> Caption {
    let view = now.view;
    let failures = view.holders.iter().map(|holder| holder.failures).max().unwrap_or(0);
    let pauses = view.holders.iter().filter_map(|holder| holder.next_poll_ms);
    let longest = pauses.fold(0.0, f64::max) - now.vtime_ms;
    let is_long = longest >= LONG_WAIT_MS;
    if let Some((node, version, ms)) = oldest(now).filter(|oldest| oldest.2 > BEHIND_MS && !is_long) {
        // The headline stays for a while, and stays true.
        let steps = (ms / BEHIND_MS).ceil() - 1.0;
        // What has been told of one worker is not told again for each step.
        let doubled = (0..16).map(|power| 1_u64 << power).take_while(|&count| count <= steps as u64).last();
        let told = doubled.unwrap_or(1);
        let caption = Caption::new(
            format!(
                "{} still runs v{version}, more than {} s behind.",
                node.name,
                told * BEHIND_MS as u64 / 1000
            ),
            format!("The controller has a newer one, and is down since {} s.", seconds(since)),
            "How stale can a worker get?",
        );
        if failures < 4 || told > 1 || ms < 2.0 * BEHIND_MS {
            return other(caption, story::BEHIND + told, if told == 1 { Rank::Effect } else { Rank::Result });
        }
    }
    let power = (0..16).map(|power| 1_u32 << power).take_while(|&count| count <= failures).last();
    match power {
        None | Some(1) => other(
            new(
                "No agent has missed the controller yet.".to_owned(),
                "They ask at their next poll.",
                "Who asks first?",
            ),
            story::PAUSES,
            Rank::Result,
        ),
        Some(told) => {
            let caption = Caption::new(
                format!(
                    "After {told} failures in a row an agent waits up to {} s.",
                    seconds(longest.max(0.0))
                ),
                "Each failure makes the next wait longer.".to_owned(),
                "What would a change need now?",
            );
            let rank = if is_long { Rank::Effect } else { Rank::Result };
            other(caption, story::PAUSES + (u64::from(is_long) << 16) + u64::from(told), rank)
        }
    }
}

/// The worker that has been behind longest, its version, and for how long.
fn oldest<'a>(now: Now<'a>) -> Option<(&'a NodeView, u64, f64)> {
    let rows = now.snapshot.rows().iter().zip(&now.view.holders);
    let behind = rows.filter(|(node, _)| node.role == WORKER && node.up);
    let behind = behind.filter_map(|(node, holder)| Some((node, holder.version, holder.behind_ms?)));
    behind.max_by(|a, b| a.2.total_cmp(&b.2))
}

/// Many agents that failed together have come back.
fn of_herd(now: Now) -> Option<Caption> {
    let view = now.view;
    let agents = now.rows().iter().filter(|node| node.role == AGENT).count();
    let peak = view.herd_peak_since_restart.filter(|&peak| peak > 0 && agents >= CROWD)?;
    let ends = now.faults.iter().filter(|fault| fault.target == "controller").filter_map(|fault| fault.to_ms);
    let back_ms = now.vtime_ms - ends.filter(|&end| end <= now.vtime_ms).fold(f64::NEG_INFINITY, f64::max);
    let is_herd = f64::from(peak) >= HERD_SHARE * agents as f64;
    // The last whole second is over, so all of its requests have been counted.
    if is_herd && (view.load >= peak || back_ms > ALL_BACK_MS) {
        let caption = Caption::new(
            format!("{peak} requests hit the controller within one second."),
            format!("All {agents} agents had failed together, and came back together."),
            "What would jitter do to that peak?",
        );
        return Some(other(caption, story::HERD, Rank::Effect));
    }
    (!is_herd && back_ms > ALL_BACK_MS).then(|| {
        let caption = Caption::new(
            format!("All are back, and at most {peak} of {agents} agents came in any second."),
            "Full jitter spreads those who failed together.".to_owned(),
            "How high is the peak without it?",
        );
        other(caption, story::HERD, Rank::Effect)
    })
}

/// A version that does not work, and the one that takes it back.
fn of_bad(now: Now, failing: bool) -> Option<Caption> {
    let view = now.view;
    let bad = view.versions.iter().rev().find(|version| version.bad).filter(|_| failing)?.number;
    Some(match view.versions.iter().find(|version| version.number > bad) {
        None => other(
            new(
                format!("v{bad} does not work: workers that run it fail."),
                "Agents and controller saw nothing wrong with it.",
                "How fast is a rollback?",
            ),
            story::BAD + bad,
            Rank::Effect,
        ),
        Some(next) => other(
            Caption::new(
                format!("v{} takes v{bad} back.", next.number),
                "A worker fails until it has fetched it, like any other change.".to_owned(),
                "Would a check at the controller have been cheaper?",
            ),
            story::TAKEN_BACK + next.number,
            Rank::Effect,
        ),
    })
}

/// Whether nothing was announced at an instant: Valkey was away.
fn was_silent(now: Now, ms: f64) -> bool {
    now.faults.iter().any(|fault| {
        fault.target == "valkey" && matches!(fault.kind, "crash" | "stop" | "cut") && fault.holds_at(ms)
    })
}

fn of_versions(now: Now) -> Caption {
    let view = now.view;
    let workers = now.rows().iter().filter(|node| node.role == WORKER).count();
    if let Some(version) = view.on_their_way().last() {
        return of_spreading(now, version);
    }
    match view.versions.last() {
        Some(version) if version.number > 1 => {
            let took = version.everywhere_ms.zip(version.acknowledged_ms).map_or(0.0, |(to, from)| to - from);
            let announced = view.trigger && !version.acknowledged_ms.is_some_and(|ms| was_silent(now, ms));
            let how = match (view.trigger, announced) {
                (true, true) => "It was announced, so nobody had to wait for a poll.".to_owned(),
                (true, false) => "Nobody announced it: the agents found it when they polled.".to_owned(),
                (false, _) => {
                    format!(
                        "It was polled; while all is well that takes at most {} s.",
                        seconds(view.bound_ms)
                    )
                }
            };
            let question = if view.trigger { experiment::LOST } else { experiment::TRIGGER };
            let caption = Caption::new(
                format!("v{} is everywhere, after {} s.", version.number, seconds(took)),
                how,
                question,
            );
            caption.about(About::Result(version.number), Rank::Result)
        }
        _ if view.holders.iter().all(|holder| holder.version > 0) => other(
            new(
                format!("{workers} workers run v{}, the shipped version.", view.newest),
                "Polls with its ETag get 304 and no body.",
                experiment::FIRST,
            ),
            story::SHIPPED,
            Rank::Result,
        ),
        _ => of_beginning(workers),
    }
}

fn of_beginning(workers: usize) -> Caption {
    let headline = format!("{workers} workers wait for their first version.");
    other(new(headline, "Agents fetch it from the controller.", "Who is first?"), story::BEGIN, Rank::Result)
}

fn of_spreading(now: Now, version: &VersionView) -> Caption {
    let (view, number) = (now.view, version.number);
    let workers = now.rows().iter().filter(|node| node.role == WORKER).count();
    let acknowledged = version.acknowledged_ms.unwrap_or(now.vtime_ms);
    let age = now.vtime_ms - acknowledged;
    if number == 1 {
        return of_beginning(workers);
    }
    let rows = || now.snapshot.rows().iter().zip(&view.holders);
    let deaf = rows().find(|(node, holder)| node.role == AGENT && holder.unheard && holder.version < number);
    match deaf {
        _ if view.trigger && was_silent(now, acknowledged) => other(
            new(
                format!("Nobody announces v{number}: Valkey is down."),
                "The agents find it when they poll next.",
                experiment::NOW,
            ),
            story::POLLED + number,
            Rank::Effect,
        ),
        Some((node, holder)) if view.trigger && age > MISSED_MS => other(
            Caption::new(
                format!("{} has not heard of v{number}: its workers run v{}.", node.name, holder.version),
                "The others had it at once. It will come with the next poll.".to_owned(),
                "What does a lost trigger cost?",
            ),
            story::UNHEARD + number,
            Rank::Effect,
        ),
        _ => {
            let how = if view.trigger {
                "It is announced: agents fetch it at once."
            } else {
                "Each agent fetches it at its next poll."
            };
            other(
                new(format!("v{number} is out."), how, "Who is last, and why?"),
                story::SPREADING + number,
                Rank::Result,
            )
        }
    }
}

/// What a run that has been watched to its end amounts to.
pub(super) fn ending(run: &Run) -> Caption {
    let Some(config) = lab::config::of(run.system()) else {
        return Caption::default();
    };
    let tally = config.tally();
    let newest = tally.newest();
    let headline = match tally.still_behind() {
        0 => format!("All workers run v{newest}, the newest."),
        _ => format!("v{newest} is on its way."),
    };
    let mut parts = Vec::new();
    if let Some(staleness) = tally.staleness_ms(run.now()) {
        parts.push(format!(
            "After a change a worker was behind for {} s on average, {} s at most.",
            seconds(staleness.mean),
            seconds(staleness.max)
        ));
    }
    if let Some(peak) = tally.herd_peak_since_restart() {
        parts.push(format!("At most {peak} requests came in one second after the controller was back."));
    }
    Caption::new(headline, parts.join(" "), "")
}

fn seconds(ms: f64) -> String {
    format!("{}", libm::round(ms / 100.0) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Player;
    use crate::kernel::Instant;
    use crate::lab::{Scenario, presets};

    fn caption_at(preset: &str, ms: u64) -> Caption {
        let mut player = Player::new(&Scenario::preset(preset, 31), 1.0).unwrap();
        player.seek(Instant::from_millis(ms)).unwrap();
        while player.progress().is_some() {
            player.frame(16.0, || true);
        }
        caption(Now::of(&player.snapshot()).unwrap())
    }

    #[test]
    fn each_preset_tells_its_story() {
        for (preset, ms, headline, detail) in [
            ("config", 5_000, "6 workers run v1, the shipped version.", "304"),
            ("config", 9_500, "The controller crashed at 8.5 s.", "the version that they have"),
            ("config", 14_000, "w-06 still runs v1, more than 5 s behind.", "down since 8.5 s"),
            ("config", 23_000, "The controller is back at 22 s.", ""),
            ("lost-trigger", 16_000, "a-03 is cut off from Valkey at 15 s.", "nothing is lost but time"),
            ("lost-trigger", 18_000, "a-03 has not heard of v3: its workers run v2.", "next poll"),
            ("poll-vs-push", 13_800, "v3 is everywhere, after ", "It was announced"),
            ("poll-vs-push", 15_000, "Valkey crashed at 14 s.", "still poll"),
            ("poll-vs-push", 20_000, "Nobody announces v4: Valkey is down.", "poll next"),
            ("bad-rollout", 21_000, "v3 does not work: ", "saw nothing wrong"),
        ] {
            let caption = caption_at(preset, ms);
            assert!(caption.headline.starts_with(headline), "{preset} at {ms}: {caption:?}");
            assert!(caption.detail.contains(detail), "{preset} at {ms}: {caption:?}");
        }
    }

    #[test]
    fn the_two_herds_are_told_apart() {
        assert!(
            caption_at("thundering-herd", 660_000).headline.contains("hit the controller within one second")
        );
        assert!(
            caption_at("thundering-herd-cured", 660_000)
                .headline
                .contains("of 200 agents came in any second")
        );
    }

    #[test]
    fn every_moment_has_a_headline_and_a_question() {
        for preset in presets::all().filter(|preset| preset.system == lab::config::KIND) {
            for ms in (0..45_000).step_by(1_731) {
                let caption = caption_at(preset.name, ms);
                let told = caption.headline.ends_with('.') && caption.question.ends_with('?');
                assert!(told, "{} {ms} {caption:?}", preset.name);
            }
        }
    }
}
