//! The caption of a configuration system: what just happened, what it means for the workers, what one would ask next.

use crate::app::caption::Caption;
use crate::app::config::Now;
use crate::app::config::observe::{CONTROLLER, ConfigView, VersionView, WORKER};
use crate::app::snapshot::{FaultView, NodeView, Sign};

/// A fault, and its end, are news for so long.
const NEWS_MS: f64 = 3000.0;
/// Fewer agents are no crowd.
const CROWD: usize = 20;
/// So many requests in a second for each agent are a herd.
const HERD_SHARE: f64 = 0.5;

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let view = now.view;
    let is_news = |ms: f64| (0.0..NEWS_MS).contains(&(now.vtime_ms - ms));
    let ended = now.faults.iter().rev().find(|fault| fault.to_ms.is_some_and(is_news));
    let began = now.faults.iter().rev().find(|fault| is_news(fault.from_ms));
    let controller = now.nodes.iter().find(|node| node.role == CONTROLLER);
    let down = controller.and_then(|node| node.down_since_ms);
    let failing = now.rows().iter().filter(|node| node.role == WORKER && node.state.sign == Sign::Failed);
    let failing = failing.count();
    match (began, ended, down) {
        (Some(fault), _, _) if fault.target != "controller" || fault.kind != "crash" => of_fault(fault),
        (_, _, Some(since)) => of_outage(now, view, since),
        (_, Some(fault), _) => of_end(fault, view),
        _ if failing > 0 => of_bad(view, failing),
        _ => of_versions(now, view),
    }
}

fn new(headline: String, detail: String, question: &str) -> Caption {
    Caption::new(headline, detail, question)
}

fn of_fault(fault: &FaultView) -> Caption {
    let FaultView { target, kind, from_ms, .. } = fault;
    let at = format!("at {} s", seconds(*from_ms));
    let is_broker = target.contains("valkey");
    match *kind {
        "crash" if is_broker => new(
            format!("{target} crashed {at}."),
            "Nobody announces changes any more; the agents still poll.".to_owned(),
            "How long does a change take now?",
        ),
        "crash" if target.starts_with("a-") => new(
            format!("{target} crashed {at}."),
            "Its workers go on with the version that they run.".to_owned(),
            "Which version has it after a restart?",
        ),
        "crash" => new(
            format!("{target} crashed {at}."),
            "Whatever it held in memory is gone.".to_owned(),
            "What does it have to read again?",
        ),
        "cut" if is_broker => new(
            format!("{target} is cut {at}."),
            "Triggers do not get through; a trigger carries no configuration, so nothing is lost but time."
                .to_owned(),
            "What does a lost trigger cost?",
        ),
        "cut" => new(
            format!("{target} is cut {at}."),
            "Nothing passes, and nothing says so.".to_owned(),
            "Who notices first?",
        ),
        _ => new(format!("{target}: {kind} {at}."), String::new(), "Who falls behind?"),
    }
}

fn of_outage(now: Now, view: &ConfigView, since: f64) -> Caption {
    let headline = format!("The controller is down since {} s.", seconds(since));
    let failures = view.holders.iter().map(|holder| holder.failures).max().unwrap_or(0);
    let pauses = view.holders.iter().filter_map(|holder| holder.next_poll_ms);
    let longest = pauses.fold(0.0, f64::max) - now.vtime_ms;
    let polling = match failures {
        0 => "No agent has noticed yet.".to_owned(),
        1 => "The agents back off after their first failure.".to_owned(),
        _ => {
            format!("After {failures} failures in a row the longest wait is {} s.", seconds(longest.max(0.0)))
        }
    };
    match oldest(now, view) {
        Some((node, version, ms)) => new(
            headline,
            format!("{} runs v{version} and is {} s behind. {polling}", node.name, seconds(ms)),
            "How stale can a worker get?",
        ),
        None => new(
            headline,
            format!("All workers run v{}, the newest. {polling}", view.newest),
            "What would a change need now?",
        ),
    }
}

/// The worker that has been behind longest, its version, and for how long.
fn oldest<'a>(now: Now<'a>, view: &ConfigView) -> Option<(&'a NodeView, u64, f64)> {
    let rows = now.snapshot.rows().iter().zip(&view.holders);
    let behind = rows.filter(|(node, _)| node.role == WORKER && node.up);
    let behind = behind.filter_map(|(node, holder)| Some((node, holder.version, holder.behind_ms?)));
    behind.max_by(|a, b| a.2.total_cmp(&b.2))
}

fn of_end(fault: &FaultView, view: &ConfigView) -> Caption {
    let FaultView { target, kind, to_ms, .. } = fault;
    let at = format!("at {} s", seconds(to_ms.unwrap_or_default()));
    match (*kind, target.as_str()) {
        ("crash", "controller") => new(
            format!("The controller is back {at}."),
            match view.herd_peak_since_restart {
                Some(peak) if peak > 1 => format!("{peak} requests came within one second since then."),
                _ => "Each agent comes back when its wait is over.".to_owned(),
            },
            "Do they come all at once?",
        ),
        (_, name) => new(
            format!("{name} is well again {at}."),
            format!("The newest version is v{}.", view.newest),
            "Who still has to catch up?",
        ),
    }
}

fn of_bad(view: &ConfigView, failing: usize) -> Caption {
    let bad = view.versions.iter().rev().find(|version| version.bad);
    let number = bad.map_or(0, |version| version.number);
    let workers = if failing == 1 { "1 worker fails".to_owned() } else { format!("{failing} workers fail") };
    let detail = match view.versions.iter().find(|version| version.number > number) {
        Some(next) => format!("v{} takes it back; they have to fetch it first.", next.number),
        None => "Agents and controller saw nothing wrong with it.".to_owned(),
    };
    new(format!("v{number} does not work: {workers}."), detail, "How fast is a rollback?")
}

fn of_versions(now: Now, view: &ConfigView) -> Caption {
    let workers = now.rows().iter().filter(|node| node.role == WORKER).count();
    let agents = now.rows().len() - workers;
    match view.herd_peak_since_restart.filter(|&peak| peak > 0 && agents >= CROWD) {
        Some(peak) if f64::from(peak) >= HERD_SHARE * agents as f64 => {
            return new(
                format!("{peak} requests hit the controller within one second."),
                format!("All {agents} agents had failed together, and came back together."),
                "What would jitter do to that peak?",
            );
        }
        Some(peak) => {
            return new(
                format!("At most {peak} of {agents} agents came in any second."),
                "Full jitter spreads those who failed together.".to_owned(),
                "How high is the peak without it?",
            );
        }
        None => {}
    }
    if let Some(version) = view.on_their_way().next() {
        return of_spreading(now, view, version, workers);
    }
    match view.versions.last() {
        Some(version) if version.number > 1 => {
            let took = version.everywhere_ms.zip(version.acknowledged_ms).map_or(0.0, |(to, from)| to - from);
            let how = if view.trigger { "announced" } else { "polled" };
            new(
                format!("v{} is everywhere, after {} s.", version.number, seconds(took)),
                format!("It was {how}; while all is well that takes at most {} s.", seconds(view.bound_ms)),
                if view.trigger { "What if a trigger is lost?" } else { "What would a trigger change?" },
            )
        }
        _ => new(
            format!("{workers} workers run v{}, the shipped version.", view.newest),
            "Polls with its ETag get 304 and no body.".to_owned(),
            "What happens at the first change?",
        ),
    }
}

fn of_spreading(now: Now, view: &ConfigView, version: &VersionView, workers: usize) -> Caption {
    let has = |node: &&NodeView, version: u64| {
        let row = now.rows().iter().position(|other| other.id == node.id);
        row.and_then(|row| view.holders.get(row)).is_some_and(|holder| holder.version >= version)
    };
    let rows = now.snapshot.rows().iter().filter(|node| node.role == WORKER);
    let current = rows.filter(|node| has(node, version.number)).count();
    let age = now.vtime_ms - version.acknowledged_ms.unwrap_or(now.vtime_ms);
    new(
        format!(
            "v{} runs on {current} of {workers} workers, {} s after the change.",
            version.number,
            seconds(age)
        ),
        match oldest(now, view) {
            Some((node, held, _)) if held > 0 => format!("{} still runs v{held}.", node.name),
            _ => String::new(),
        },
        "Who is last, and why?",
    )
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
            ("config", 14_000, "The controller is down since 9.2 s.", "runs v1 and is"),
            ("config", 23_000, "The controller is back at 22 s.", ""),
            ("controller-outage", 70_000, "The controller is down since 20.3 s.", "the longest wait is"),
            ("lost-trigger", 16_000, "valkey~a-03 is cut at 15 s.", "nothing is lost but time"),
            ("poll-vs-push", 13_800, "v3 is everywhere, after ", "announced"),
            ("poll-vs-push", 15_000, "valkey crashed at 14 s.", "still poll"),
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
        for preset in presets::all().filter(|preset| preset.system == crate::lab::config::KIND) {
            for ms in (0..45_000).step_by(1_731) {
                let caption = caption_at(preset.name, ms);
                let told = caption.headline.ends_with('.') && caption.question.ends_with('?');
                assert!(told, "{} {ms} {caption:?}", preset.name);
            }
        }
    }
}
