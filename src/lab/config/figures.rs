//! What a run amounts to, in words and as JSON: every figure comes from the tally.

use super::counts::{Changes, Tries};
use super::tally::Tally;
use crate::kernel::Instant;
use crate::lab::figures::Figures;

/// The figures of a run at `now`.
pub(super) fn figures(tally: &Tally, now: Instant) -> Figures {
    let mut figures = Figures::default();
    versions(&mut figures, tally, now);
    load(&mut figures, tally, now);
    figures
}

/// Who has which version, and how long that took.
fn versions(figures: &mut Figures, tally: &Tally, now: Instant) {
    let (newest, workers) = (tally.newest(), tally.workers().len());
    let stale: Vec<f64> = (0..workers)
        .map(|i| tally.stale_since(i).map_or(0.0, |since| now.since(since).as_millis_f64()))
        .collect();
    let current = (0..workers).filter(|&i| tally.stale_since(i).is_none()).count();
    let words = format!("{newest}: {current} of {workers} workers run it");
    figures.tell("version", newest, "version", words);
    changes(figures, tally);
    let (staleness, behind) = (tally.staleness_ms(now), tally.still_behind());
    let words = staleness.map_or_else(String::new, |s| {
        let (p50, p95, max) = (s.p50 / 1000.0, s.p95 / 1000.0, s.max / 1000.0);
        let open = match behind {
            0 => String::new(),
            _ => format!(", with the time until now for {behind} of {} that are not there yet", s.count),
        };
        format!("p50 {p50:.1} s, p95 {p95:.1} s, max {max:.1} s{open}")
    });
    figures.tell("staleness_ms", staleness, "staleness", words);
    figures.add("staleness_still_behind", behind);
    figures.add("stale_now_ms", stale);
    let convergence = tally.convergence_ms();
    let words = convergence.map_or_else(String::new, |times| {
        let (count, mean, slowest) = (times.count, times.mean / 1000.0, times.max / 1000.0);
        format!("{count} versions everywhere, in {mean:.1} s on average, {slowest:.1} s at most")
    });
    figures.tell("convergence_ms", convergence, "convergence", words);
}

/// What became of what the operator and persons wanted, and of each try.
fn changes(figures: &mut Figures, tally: &Tally) {
    let Changes { intended, made, refused, given_up } = tally.changes;
    let under_way = tally.changes.under_way();
    let words =
        format!("{intended}: {made} made, {refused} refused, {given_up} given up, {under_way} under way");
    figures.tell("changes", intended, "changes", words);
    figures.add("changes_made", made);
    figures.add("changes_refused", refused);
    figures.add("changes_given_up", given_up);
    figures.add("changes_under_way", under_way);
    let Tries { answered, found, conflicts, refused, unanswered } = tally.tries;
    let words = format!(
        "{answered} answered, {found} found done, {conflicts} conflicts, {refused} refused, {unanswered} without an answer"
    );
    figures.tell("tries", tally.tries, "tries", words);
}

/// What that cost the controller, and what came of it.
fn load(figures: &mut Figures, tally: &Tally, now: Instant) {
    let (polls, share) = (tally.polls, tally.share_not_modified());
    let count = polls.modified + polls.not_modified + polls.failed;
    let percent = share.unwrap_or_default() * 100.0;
    let words = format!("{count}, {percent:.1} % of the answered with 304; {} failed", polls.failed);
    figures.tell("polls", count, "polls", words);
    figures.add("share_not_modified", share);
    let (requests, peak, since) = (tally.requests, tally.herd_peak(), tally.herd_peak_since_restart());
    let seconds = now.as_nanos() as f64 / 1e9;
    let rate = if seconds > 0.0 { requests as f64 / seconds } else { 0.0 };
    let restarted = since.map_or_else(String::new, |peak| format!(", {peak} since it restarted"));
    let words = format!("{requests} requests, {rate:.2} a second, at most {peak} in one{restarted}");
    figures.tell("requests", requests, "controller", words);
    figures.add("requests_per_s", rate);
    figures.add("herd_peak", peak);
    figures.add("herd_peak_since_restart", since);
    let (done, failed) = (tally.ticks_done, tally.ticks_failed);
    let words = format!("{done} done, {failed} failed by what the configuration says");
    figures.tell("ticks_done", done, "work", words);
    figures.add("ticks_failed", failed);
}
