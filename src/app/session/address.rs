//! What the page's address says: which scenario is open, with which seed, numbers and faults, at which moment it stands still,
//! and how it is looked at.
//!
//! A link may come from anybody: it is bounded in size, everything in it is checked as a scenario file is, and what nobody knows
//! is listed and left out.

use super::{Command, Session};
use crate::app::catalogue::face;
use crate::kernel::{Duration, Instant};
use crate::lab::fault::{format_list, parse_list};
use crate::lab::{Action, Invalid, Run, SEED_MAX, Scenario, presets, systems};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::collections::BTreeMap;

/// In this seed of the scenario that the page opens with, w-09's first lie comes in time and moves the average, not the
/// median. Every scenario opens with it unless its address has another.
const OPENING_SEED: u64 = 31;
/// No link is longer, in bytes.
const SEARCH_MAX: usize = 8192;
/// No key of a link is longer.
const KEY_MAX: usize = 64;
/// A run of more nodes does not start by itself.
const NODES_AT_ONCE: u64 = 2000;
/// What stands in an address as it is: faults are to be read.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b',')
    .remove(b'=');

/// A moment that takes longer to be replayed does not start by itself either.
const AT_ONCE: Duration = Duration::from_secs(3600);

/// A scenario, and a moment of it; and how it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The shipped scenario that it starts from.
    pub preset: String,
    /// The seed.
    pub seed: u64,
    /// Whether the truth is shown; an address without it does not name the scenario either.
    pub truth: bool,
    /// Settings on top of the shipped scenario's.
    pub set: BTreeMap<String, Value>,
    /// All faults, in place of the shipped scenario's.
    pub faults: Option<String>,
    /// Faults that are switched off.
    pub off: Option<String>,
    /// Where the run ends, in place of the shipped scenario's horizon.
    pub horizon: Option<String>,
    /// The moment that is looked at; `None` is the start.
    pub at: Option<Duration>,
    /// Whether it stands still there.
    pub stands: bool,
    /// What is the page's, not the run's: speed, selected node, what the dock shows, …; each as it is written.
    pub page: Vec<(String, String)>,
}

impl Address {
    /// The address of a shipped scenario.
    pub fn of(preset: &str) -> Self {
        Address {
            preset: preset.to_owned(),
            seed: OPENING_SEED,
            truth: true,
            set: BTreeMap::new(),
            faults: None,
            off: None,
            horizon: None,
            at: None,
            stands: false,
            page: Vec::new(),
        }
    }

    /// The address of a scenario, but for calls of its API.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub fn of_scenario(scenario: &Scenario) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let shipped = || presets::find(&scenario.preset).map_or("", |preset| preset.faults).to_owned();
        let faults = match (scenario.faults.clone(), scenario.own.as_deref().unwrap_or_default()) {
            (faults, "") => faults,
            (faults, own) => {
                let mut all = faults.unwrap_or_else(shipped);
                all.push_str(if all.is_empty() { "" } else { "," });
                Some(all + own)
            }
        };
        Address {
            seed: scenario.seed,
            set: scenario.set.iter().map(|(key, value)| (key.clone(), text(value).into())).collect(),
            faults,
            off: scenario.off.clone(),
            horizon: scenario.horizon.clone(),
            ..Address::of(&scenario.preset)
        }
    }

    /// The same run from its start, whoever looks at it.
    pub fn of_run(&self) -> Self {
        Address { at: None, stands: false, page: Vec::new(), ..self.clone() }
    }

    /// The same, standing still at an instant.
    pub fn at(self, now: Instant) -> Self {
        Address { at: Some(now.since(Instant::ZERO)), stands: true, ..self }
    }

    /// What it says of the page.
    pub fn page(&self, key: &str) -> Option<&str> {
        self.page.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Says something of the page.
    pub fn say(&mut self, key: &str, value: &str) {
        self.page.push((key.to_owned(), value.to_owned()));
    }

    /// What the page opens with.
    pub fn opening() -> Self {
        Address::of(presets::all().next().map_or("", |preset| preset.name))
    }

    /// Reads the query of a URL, such as `?preset=NAME&seed=7&workers=20&faults=crash:w-04@8s`, and lists the keys that nobody
    /// knows. What it leaves out is as the page opens with it.
    pub fn parse(search: &str) -> Result<(Self, Vec<String>), Invalid> {
        if search.len() > SEARCH_MAX {
            let allowed = format!("at most {SEARCH_MAX} bytes");
            return Err(invalid("address", &format!("{} bytes", search.len()), &allowed));
        }
        let mut address = Address::opening();
        let mut others = Vec::new();
        for part in search.trim_start_matches('?').split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (decoded(key)?, decoded(value)?);
            match key.as_str() {
                "preset" => address.preset = value,
                "seed" => address.seed = parse_seed(&value)?,
                "truth" => address.truth = value != "0",
                "s" => address.preset = decode(&value)?,
                "faults" => address.faults = Some(value),
                "off" => address.off = Some(value),
                "horizon" => address.horizon = Some(value),
                "t" => address.at = Some(parse_time(&value)?),
                "play" => address.stands = value == "0",
                "v" if value == "1" => {}
                // The page asks a question, a run asks so many workers.
                "ask" if value != "next" => others.push((key, value)),
                "speed" | "node" | "view" | "strip" | "theme" | "embed" | "controls" | "ask" | "call"
                | "panel" | "twin" => {
                    address.page.push((key, value));
                }
                _ => others.push((key, value)),
            }
        }
        let unknown = address.take(others);
        Ok((address, unknown))
    }

    /// Takes parameters; those that the system does not know, or another program's might, are told apart.
    fn take(&mut self, others: Vec<(String, String)>) -> Vec<String> {
        let system = presets::find(&self.preset).map(|preset| preset.system);
        let settings = system.and_then(systems::defaults).map(|settings| settings.all());
        let is_known = |key: &str| {
            settings.as_ref().is_none_or(|all| all.iter().any(|setting| setting.key == key))
                && key.len() <= KEY_MAX
        };
        let mut unknown = Vec::new();
        for (key, value) in others {
            if is_known(&key) {
                self.set.insert(key, Value::String(value));
            } else {
                unknown.push(key.chars().take(KEY_MAX).collect());
            }
        }
        unknown
    }

    /// The query that leads here; empty for what the page opens with.
    pub fn search(&self) -> String {
        if *self == Address::opening() {
            return String::new();
        }
        let mut search = match self.truth {
            true => format!("?preset={}&seed={}", encoded(&self.preset), self.seed),
            false => format!("?truth=0&s={}&seed={}", code(&self.preset), self.seed),
        };
        let mut add = |key: &str, value: &str| {
            for part in ["&", key, "=", &encoded(value)] {
                search.push_str(part);
            }
        };
        for (key, value) in &self.set {
            add(key, value.as_str().unwrap_or(&value.to_string()));
        }
        for (key, value) in [("faults", &self.faults), ("off", &self.off), ("horizon", &self.horizon)] {
            if let Some(value) = value {
                add(key, value);
            }
        }
        if let Some(at) = self.at {
            add("t", &at.to_string());
        }
        for (key, value) in &self.page {
            add(key, value);
        }
        if self.stands {
            add("play", "0");
        }
        search
    }

    /// Whether it is a shipped scenario of a system that only another program has.
    pub fn is_elsewhere(&self) -> bool {
        !presets::is_here(&self.preset)
    }

    /// Whether it asks for so many nodes, or so long a replay, that a stranger's link does not start it.
    pub fn is_costly(&self) -> bool {
        self.at > Some(AT_ONCE) || asks_for_many(&self.set)
    }

    /// What opens it.
    pub fn open(&self) -> Command {
        let Scenario { preset, seed, set, faults, own, off, actions, horizon, .. } = self.scenario();
        Command::Open { preset, seed, set, faults, own, off, actions, horizon }
    }

    /// What leads to its moment, once it is open.
    pub fn go_to(&self) -> Option<Command> {
        self.at.map(|at| Command::Seek { at_ms: at.as_millis_f64() })
    }

    /// The scenario. From the first fault on that is not the shipped one's they are a person's own.
    pub fn scenario(&self) -> Scenario {
        let Address { set, mut faults, off, horizon, .. } = self.clone();
        let shipped = presets::find(&self.preset).map_or("", |preset| preset.faults);
        let shipped = parse_list(shipped).map(|faults| format_list(&faults)).unwrap_or_default();
        let mut own = None;
        if let Some(all) = faults.as_mut().filter(|all| !all.is_empty()) {
            let is_shipped = |fault: &&str| shipped.split(',').any(|other| other == *fault);
            let known: usize = all.split(',').take_while(is_shipped).map(|fault| fault.len() + 1).sum();
            own = all.get(known..).map(str::to_owned);
            all.truncate(known.saturating_sub(1));
        }
        Scenario { set, faults, own, off, horizon, ..Scenario::preset(&self.preset, self.seed) }
    }
}

impl Session {
    /// The address of the scenario that is open, with what was changed of it; while the truth is hidden, with what of that is
    /// no secret.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address of the moment that is shown.
    pub fn address_now(&self) -> Address {
        self.address.clone().at(self.player.run().now())
    }

    /// Whether the API was called in this run.
    pub fn has_calls(&self) -> bool {
        let actions = &self.player.run().scenario().actions;
        actions.iter().any(|action| matches!(action, Action::Call { .. }))
    }

    pub(super) fn find_address(&mut self) {
        self.address = self.address_as(self.truth);
    }

    /// The address of the scenario that is open, for one who is to see the truth or not. Calls of the API are not in it: one
    /// that is handed on runs none by itself.
    pub fn address_as(&self, truth: bool) -> Address {
        address_of(self.player.run(), truth)
    }

    /// That of the run whose future an act in the past has left, while it is kept.
    #[cfg(feature = "workbench")]
    pub fn left_address(&self) -> Option<Address> {
        self.left_run().map(|left| address_of(left, true))
    }
}

fn address_of(run: &Run, truth: bool) -> Address {
    let scenario = run.scenario();
    let has_own = scenario.faults.is_some() || (0..run.faults().len()).any(|i| run.is_by_hand(i));
    let hidden = face(run.system().kind()).words().hidden;
    // A liar's bias is as secret as that there is one.
    let is_secret = |key: &str| !truth && hidden.iter().any(|hidden| key.starts_with(hidden));
    let mut set = BTreeMap::new();
    for (key, value) in scenario.set.iter().filter(|(key, _)| !is_secret(key)) {
        // As texts, which is what an address has.
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        set.insert(key.clone(), Value::String(text));
    }
    Address {
        seed: scenario.seed,
        truth,
        set,
        faults: (has_own && truth).then(|| format_list(run.faults())),
        off: scenario.off.clone().filter(|_| truth),
        horizon: scenario.horizon.clone(),
        ..Address::of(&scenario.preset)
    }
}

/// Whether settings ask for so many nodes that nobody's link starts them by itself.
pub fn asks_for_many(set: &BTreeMap<String, Value>) -> bool {
    let counts = ["workers", "agents", "clients", "users"];
    let count = |key: &&str| {
        let value = set.get(*key)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    counts.iter().filter_map(count).any(|count| count > NODES_AT_ONCE)
}

fn invalid(field: &str, value: &str, allowed: &str) -> Invalid {
    Invalid { field: field.to_owned(), value: value.to_owned(), allowed: allowed.to_owned() }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn decoded(text: &str) -> Result<String, Invalid> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| invalid("address", text, "percent-encoded UTF-8"))
}

/// What stands for a scenario whose name would say too much: the FNV-1a hash of its name, folded to 16 bits.
fn code(preset: &str) -> String {
    let hash =
        preset.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:04x}", (hash >> 16) ^ (hash & 0xffff))
}

fn decode(text: &str) -> Result<String, Invalid> {
    let found = presets::all().find(|preset| code(preset.name) == text);
    found
        .map(|preset| preset.name.to_owned())
        .ok_or_else(|| invalid("s", text, "the code of a shipped scenario"))
}

fn parse_seed(text: &str) -> Result<u64, Invalid> {
    let seed = text.parse().ok().filter(|&seed| seed <= SEED_MAX);
    seed.ok_or_else(|| invalid("seed", text, &format!("a whole number from 0 to {SEED_MAX}")))
}

fn parse_time(text: &str) -> Result<Duration, Invalid> {
    // Without a unit it is in seconds.
    let span = text.parse().or_else(|_| format!("{text}s").parse());
    span.map_err(|_| invalid("t", text, "a duration, such as 14.2s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_scenario_a_seed_or_both() {
        for (search, preset, seed) in [
            ("", "oracle-http", 31),
            ("?seed=7", "oracle-http", 7),
            ("?preset=config", "config", 31),
            ("?utm=x&seed=0&preset=math-wizard", "math-wizard", 0),
        ] {
            let (address, unknown) = Address::parse(search).unwrap();
            assert_eq!(address, Address { seed, ..Address::of(preset) }, "{search}");
            assert_eq!(unknown.len(), usize::from(search.contains("utm")));
            assert_eq!(Address::parse(&address.search()), Ok((address, vec![])), "{search}");
        }
        assert_eq!(Address::opening().search(), "");
        let hidden = Address { truth: false, ..Address::of("oracle-http") };
        assert!(hidden.search().starts_with("?truth=0&s=") && !hidden.search().contains("oracle"));
        let codes: std::collections::BTreeSet<String> =
            presets::all().map(|preset| code(preset.name)).collect();
        assert_eq!(codes.len(), presets::all().count(), "two scenarios have one code");
        assert_eq!(Address::parse(&hidden.search()), Ok((hidden, vec![])));
        assert_eq!(Address::parse("?s=zzzz").unwrap_err().field, "s");
        for seed in ["x", "", "-1", "9007199254740992"] {
            assert_eq!(Address::parse(&format!("?seed={seed}")).unwrap_err().field, "seed");
        }
    }

    #[test]
    fn numbers_faults_and_the_moment_are_in_it_and_can_be_read() {
        let mut address = Address { seed: 7, ..Address::of("oracle-http") };
        address.set.insert("workers".to_owned(), Value::from("20"));
        address.set.insert("query".to_owned(), Value::from("a & b = \u{fc}+%"));
        address.faults = Some("crash:w-04@8s,cut:coordinator>w-01@3s,slow:3?@5s=4".to_owned());
        address.off = Some("lie:w-09@11s=0.18".to_owned());
        address.horizon = Some("90s".to_owned());
        address.at = Some("14.2s".parse().unwrap());
        address.stands = true;
        address.say("speed", "0.2");
        address.say("node", "w-03");
        let search = address.search();
        assert!(search.contains("&workers=20&faults=crash:w-04@8s,cut:coordinator%3Ew-01@3s,"), "{search}");
        assert!(search.contains("&off=lie:w-09@11s=0.18&horizon=90s&"), "{search}");
        assert!(search.ends_with("&t=14.2s&speed=0.2&node=w-03&play=0"), "{search}");
        assert_eq!(Address::parse(&search), Ok((address.clone(), vec![])));
        assert_eq!((address.page("node"), address.page("view")), (Some("w-03"), None));
        assert_eq!(address.of_run().search().find("&t="), None);
        // As the examples have it.
        let (plays, unknown) = Address::parse("?v=1&t=14.2&embed=1&controls=play,scrub&theme=auto").unwrap();
        assert_eq!((plays.at, plays.stands, unknown.len()), (address.at, false, 0));
        assert_eq!(Address::parse("?v=2").unwrap().1, ["v"]);
        assert!(Address::parse("?horizon=24h&t=20h").unwrap().0.is_costly());
        assert!(Address::parse("?workers=10000").unwrap().0.is_costly());
        assert!(!Address::parse("?workers=20").unwrap().0.is_costly());
        for (search, field) in [("?t=soon", "t"), ("?t=-1s", "t"), ("?faults=%ff", "address")] {
            assert_eq!(Address::parse(search).unwrap_err().field, field, "{search}");
        }
        let long = format!("?query={}", "x".repeat(9000));
        assert_eq!(
            Address::parse(&long).unwrap_err().to_string(),
            "address: 9007 bytes is not allowed; allowed: at most 8192 bytes"
        );
        let (_, unknown) = Address::parse(&format!("?{}=1&__proto__=2", "k".repeat(200))).unwrap();
        assert_eq!((unknown[0].len(), unknown[1].as_str()), (64, "__proto__"));
    }
}
