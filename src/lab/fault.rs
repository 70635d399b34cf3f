//! Faults as text: `kind:target@start..end=value`, separated by commas.
//!
//! Examples: `crash:w-04@8s..20s`, `lie:w-09@11s=0.18`, `slow:w-02@5s=4`, `cut:coordinator~w-03@6s..9s`,
//! `drop:coordinator>w-01@3s=0.2`, `restart:coordinator@30s`, `crash:3?@5s`, `scale:workers@20s=15`.

use super::invalid::Invalid;
use super::params::parse_real;
use crate::kernel::{Duration, Instant};
use crate::substrate::decimal::plain;
use crate::substrate::merge;
use std::fmt;
use std::str::FromStr;

/// No run has more of anything.
const COUNT_MAX: u32 = 10_000;
/// Whether this program scales what runs. The one that the page opens with does not: it hands its run over for that.
pub(super) const SCALES: bool = cfg!(any(not(target_arch = "wasm32"), feature = "workbench"));

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The node crashes; at the end it restarts.
    Crash,
    /// The node starts again, after a crash if it runs.
    Restart,
    /// The node is asked to end gracefully; at the end it restarts.
    Stop,
    /// A node that is not there before starts; at the end it is asked to end.
    Start,
    /// There are to be `value` workers, containers or agents; at the end as many as before.
    Scale,
    /// Work on a node, or the delay of a link, takes `value` times as long.
    Slow,
    /// A worker lies by the share `value`, as the run's lie mode says.
    Lie,
    /// Nothing passes: a link, or all links of a node.
    Cut,
    /// Messages are lost with probability `value`.
    Drop,
    /// Messages arrive twice with probability `value`.
    Duplicate,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [FaultKind; 10] = [
        FaultKind::Crash,
        FaultKind::Restart,
        FaultKind::Stop,
        FaultKind::Start,
        FaultKind::Scale,
        FaultKind::Slow,
        FaultKind::Lie,
        FaultKind::Cut,
        FaultKind::Drop,
        FaultKind::Duplicate,
    ];

    /// Its word in a specification.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Restart => "restart",
            FaultKind::Stop => "stop",
            FaultKind::Start => "start",
            FaultKind::Scale => "scale",
            FaultKind::Slow => "slow",
            FaultKind::Lie => "lie",
            FaultKind::Cut => "cut",
            FaultKind::Drop => "drop",
            FaultKind::Duplicate => "dup",
        }
    }

    /// What happens, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            FaultKind::Crash => "the node and all that it had in hand is gone; at the end it starts again",
            FaultKind::Restart => "the node starts again, after a crash if it runs",
            FaultKind::Stop => "the node is asked to end gracefully; at the end it starts again",
            FaultKind::Start => {
                "a node that is not there before starts, such as one more worker; at the end it is asked to end"
            }
            FaultKind::Scale => {
                "there are to be so many workers, containers or agents: further ones join, or the last ones are asked to end; at the end as many as before"
            }
            FaultKind::Slow => "work on a node, or the delay of a link, takes so many times as long",
            FaultKind::Lie => "an oracle's worker lies by this share, as `lie-mode` says",
            FaultKind::Cut => "nothing passes a link, or any link of a node",
            FaultKind::Drop => "messages are lost with this probability",
            FaultKind::Duplicate => "messages arrive twice with this probability",
        }
    }

    /// The value's default and range; `None` for a kind without a value.
    pub(super) const fn value(self) -> Option<(f64, f64, f64)> {
        match self {
            FaultKind::Slow => Some((4.0, 0.1, 1000.0)),
            FaultKind::Scale => Some((1.0, 1.0, COUNT_MAX as f64)),
            FaultKind::Lie => Some((0.18, -0.99, 10.0)),
            FaultKind::Drop | FaultKind::Duplicate => Some((0.2, 0.0, 1.0)),
            FaultKind::Crash | FaultKind::Restart | FaultKind::Stop | FaultKind::Start | FaultKind::Cut => {
                None
            }
        }
    }

    /// Whether it breaks nothing: it starts a node, or says how many there are to be.
    pub const fn is_start(self) -> bool {
        matches!(self, FaultKind::Restart | FaultKind::Start | FaultKind::Scale)
    }

    const fn takes_links(self) -> bool {
        matches!(self, FaultKind::Slow | FaultKind::Cut | FaultKind::Drop | FaultKind::Duplicate)
    }
}

/// What a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTarget {
    /// A node.
    Node(String),
    /// That many workers; the seed says which.
    Some(u32),
    /// Both directions of a link.
    Both(String, String),
    /// One direction of a link.
    OneWay(String, String),
}

/// A fault: what, to whom, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// To whom.
    pub target: FaultTarget,
    /// From when; `None` is now.
    pub start: Option<Instant>,
    /// Until when; `None` is for good.
    pub end: Option<Instant>,
    /// How much; 0 for a kind without a value.
    pub value: f64,
}

/// The numbers of the nodes called `prefix` and a number that these faults start, ascending; and the most that there are to be
/// by a scaling, 0 without one.
pub(super) fn started(faults: &mut dyn Iterator<Item = &Fault>, prefix: &str) -> (Vec<u32>, u32) {
    let (mut numbers, mut most) = (Vec::new(), 0);
    for fault in faults {
        match &fault.target {
            FaultTarget::Node(name) if fault.kind == FaultKind::Start => {
                numbers.extend(name.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok()));
            }
            _ if SCALES && fault.kind == FaultKind::Scale => most = most.max(fault.value as u32),
            _ => {}
        }
    }
    merge::sort(&mut numbers, |a, b| a < b);
    (numbers, most)
}

/// Reads a list; an empty text is an empty list.
pub fn parse_list(text: &str) -> Result<Vec<Fault>, Invalid> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

/// Writes a list as [`parse_list`] reads it.
pub fn format_list<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> String {
    let texts: Vec<String> = faults.into_iter().map(Fault::to_string).collect();
    texts.join(",")
}

impl FromStr for Fault {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = |value: &str, allowed: &str| Invalid::new("faults", value, allowed);
        let (head, value) = match text.split_once('=') {
            Some((head, value)) => (head, Some(value)),
            None => (text, None),
        };
        let (what, times) = match head.split_once('@') {
            Some((what, times)) => (what, Some(times)),
            None => (head, None),
        };
        let (kind, target) = what
            .split_once(':')
            .ok_or_else(|| wrong(text, "kind:target@start..end=value, such as crash:w-04@8s..20s"))?;
        let is_here = |kind: &FaultKind| SCALES || *kind != FaultKind::Scale;
        let kind =
            FaultKind::ALL.into_iter().filter(is_here).find(|k| k.name() == kind).ok_or_else(|| {
                let kinds: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
                wrong(kind, &format!("the kinds {}", kinds.join(", ")))
            })?;
        let target = parse_target(kind, target)?;
        let (start, end) = parse_times(text, times)?;
        let value = match (kind.value(), value) {
            (None, None) => 0.0,
            (None, Some(value)) => {
                return Err(wrong(value, &format!("no value, since {} takes none", kind.name())));
            }
            (Some(_), None) if SCALES && kind == FaultKind::Scale => {
                return Err(wrong(text, "how many there are to be, such as scale:workers=15"));
            }
            (Some((default, ..)), None) => default,
            (Some((_, low, high)), Some(value)) => {
                parse_real(value).filter(|x| (low..=high).contains(x)).ok_or_else(|| {
                    wrong(
                        value,
                        &format!("for {} a number from {} to {}", kind.name(), plain(low), plain(high)),
                    )
                })?
            }
        };
        Ok(Fault { kind, target, start, end, value })
    }
}

fn parse_target(kind: FaultKind, text: &str) -> Result<FaultTarget, Invalid> {
    let wrong = |allowed: &str| Invalid::new("faults", text, allowed);
    let pair = |separator| text.split_once(separator).map(|(a, b)| (node_name(a), node_name(b)));
    if let Some((a, b)) = pair('~') {
        return link_target(kind, &wrong, FaultTarget::Both(a, b));
    }
    if let Some((a, b)) = pair('>') {
        return link_target(kind, &wrong, FaultTarget::OneWay(a, b));
    }
    if let Some(count) = text.strip_suffix('?') {
        let count = count.parse().ok().filter(|&n| n > 0);
        return count.map(FaultTarget::Some).ok_or_else(|| wrong("a number and ?, such as 3?"));
    }
    if text.is_empty() {
        return Err(wrong("a node, a~b, a>b, or a number of workers such as 3?"));
    }
    Ok(FaultTarget::Node(node_name(text)))
}

fn link_target(
    kind: FaultKind,
    wrong: &impl Fn(&str) -> Invalid,
    target: FaultTarget,
) -> Result<FaultTarget, Invalid> {
    if kind.takes_links() {
        Ok(target)
    } else {
        Err(wrong(&format!("a node, since {} is about nodes", kind.name())))
    }
}

/// `w4` and `w-4` are `w-04`, and so for every letter; anything else stays as it is.
fn node_name(text: &str) -> String {
    let text = text.trim();
    let (letter, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    match digits.parse::<u32>() {
        Ok(number) if digits.bytes().all(|b| b.is_ascii_digit()) => format!("{letter}-{number:02}"),
        _ => text.to_owned(),
    }
}

fn parse_times(text: &str, times: Option<&str>) -> Result<(Option<Instant>, Option<Instant>), Invalid> {
    let Some(times) = times else {
        return Ok((None, None));
    };
    let (start, end) = times.split_once("..").map_or((times, None), |(start, end)| (start, Some(end)));
    let instant = |part: &str| match part.parse::<Duration>() {
        Ok(span) => Ok(Some(Instant::ZERO + span)),
        Err(error) => Err(Invalid::new("faults", part, &error.to_string())),
    };
    let start = if start.is_empty() { None } else { instant(start)? };
    let end = end.map_or(Ok(None), instant)?;
    if start.is_some() && end.is_some() && end <= start {
        return Err(Invalid::new("faults", text, "an end after the start"));
    }
    Ok((start, end))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.target)?;
        let time = |at: Instant| at.since(Instant::ZERO);
        match (self.start, self.end) {
            (None, None) => {}
            (Some(start), None) => write!(f, "@{}", time(start))?,
            (None, Some(end)) => write!(f, "@..{}", time(end))?,
            (Some(start), Some(end)) => write!(f, "@{}..{}", time(start), time(end))?,
        }
        if self.kind.value().is_some() { write!(f, "={}", plain(self.value)) } else { Ok(()) }
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultTarget::Node(node) => f.write_str(node),
            FaultTarget::Some(count) => write!(f, "{count}?"),
            FaultTarget::Both(a, b) => write!(f, "{a}~{b}"),
            FaultTarget::OneWay(a, b) => write!(f, "{a}>{b}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_survive_a_round_trip() {
        for text in [
            "crash:w-04@8s..20s",
            "lie:w-09@11s=0.18",
            "slow:w-02@5s=4",
            "cut:coordinator~w-03@6s..9s",
            "drop:coordinator>w-01@3s=0.2",
            "restart:coordinator@30s",
            "crash:3?@5s",
            "stop:w-100",
            "start:w-13@5s..20s",
            "scale:workers@5s..20s=15",
            "cut:w-01@..9s",
        ] {
            let faults = parse_list(text).unwrap();
            assert_eq!(format_list(&faults), text);
        }
        assert_eq!(
            format_list(&parse_list("lie:w9@11s=+18%, crash:w4@8s").unwrap()),
            "lie:w-09@11s=0.18,crash:w-04@8s"
        );
        assert_eq!(parse_list(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("crash", "kind:target"),
            ("melt:w-01", "the kinds crash"),
            ("crash:a~b", "about nodes"),
            ("slow:w-01=0", "from 0.1 to 1000"),
            ("crash:w-01=2", "no value"),
            ("cut:w-01@9s..6s", "after the start"),
            ("cut:w-01@soon", "with a unit"),
            ("crash:0?", "3?"),
            ("crash:", "a node"),
            ("scale:workers@5s", "scale:workers=15"),
            ("scale:workers=0", "from 1 to 10000"),
        ] {
            let error = parse_list(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
