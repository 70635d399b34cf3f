//! What the page's address says: which shipped scenario is open, and with which seed.

use super::command::Command;
use crate::lab::{Invalid, SEED_MAX, Scenario, presets};
use std::collections::BTreeMap;

/// In this seed of the scenario that the page opens with, w-09's first lie comes in time and moves the average, not the
/// median. Every scenario opens with it unless its address has another.
const OPENING_SEED: u64 = 31;

/// A shipped scenario and a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The scenario's name.
    pub preset: String,
    /// The seed.
    pub seed: u64,
    /// Whether the truth is shown; an address without it does not name the scenario either.
    pub truth: bool,
}

impl Address {
    /// The address of a shipped scenario.
    pub fn of(preset: &str) -> Self {
        Address { preset: preset.to_owned(), seed: OPENING_SEED, truth: true }
    }

    /// What the page opens with.
    pub fn opening() -> Self {
        Address::of(presets::all().next().map_or("", |preset| preset.name))
    }

    /// Reads the query of a URL, such as `?preset=NAME&seed=7`. What it leaves out is as the page opens with it.
    pub fn parse(search: &str) -> Result<Self, Invalid> {
        let mut address = Address::opening();
        for part in search.trim_start_matches('?').split('&') {
            match part.split_once('=') {
                Some(("preset", name)) => address.preset = name.to_owned(),
                Some(("seed", seed)) => address.seed = parse_seed(seed)?,
                Some(("truth", "0")) => address.truth = false,
                Some(("s", code)) => address.preset = decode(code)?,
                _ => {}
            }
        }
        Ok(address)
    }

    /// The query that leads here; empty for what the page opens with.
    pub fn search(&self) -> String {
        if !self.truth {
            format!("?truth=0&s={}&seed={}", code(&self.preset), self.seed)
        } else if *self == Address::opening() {
            String::new()
        } else {
            format!("?preset={}&seed={}", self.preset, self.seed)
        }
    }

    /// Whether it is a shipped scenario of a system that only another program has.
    pub fn is_elsewhere(&self) -> bool {
        presets::find(&self.preset).is_some() && self.scenario().validate().is_err()
    }

    /// What opens it.
    pub fn open(&self) -> Command {
        let (set, faults, horizon) = (BTreeMap::new(), None, None);
        Command::Open { preset: self.preset.clone(), seed: self.seed, set, faults, horizon }
    }

    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        Scenario::preset(&self.preset, self.seed)
    }
}

/// What stands for a scenario whose name would say too much: the FNV-1a hash of its name, folded to 16 bits.
fn code(preset: &str) -> String {
    let hash =
        preset.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:04x}", (hash >> 16) ^ (hash & 0xffff))
}

fn decode(text: &str) -> Result<String, Invalid> {
    let found = presets::all().find(|preset| code(preset.name) == text);
    found.map(|preset| preset.name.to_owned()).ok_or_else(|| Invalid {
        field: "s".to_owned(),
        value: text.to_owned(),
        allowed: "the code of a shipped scenario".to_owned(),
    })
}

fn parse_seed(text: &str) -> Result<u64, Invalid> {
    let seed = text.parse().ok().filter(|&seed| seed <= SEED_MAX);
    seed.ok_or_else(|| Invalid {
        field: "seed".to_owned(),
        value: text.to_owned(),
        allowed: format!("a whole number from 0 to {SEED_MAX}"),
    })
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
            let address = Address::parse(search).unwrap();
            assert_eq!(address, Address { preset: preset.to_owned(), seed, truth: true }, "{search}");
            assert_eq!(Address::parse(&address.search()), Ok(address), "{search}");
        }
        assert_eq!(Address::opening().search(), "");
        let hidden = Address { truth: false, ..Address::of("oracle-http") };
        assert!(hidden.search().starts_with("?truth=0&s=") && !hidden.search().contains("oracle"));
        let codes: std::collections::BTreeSet<String> =
            presets::all().map(|preset| code(preset.name)).collect();
        assert_eq!(codes.len(), presets::all().count(), "two scenarios have one code");
        assert_eq!(Address::parse(&hidden.search()), Ok(hidden));
        assert_eq!(Address::parse("?s=zzzz").unwrap_err().field, "s");
        for seed in ["x", "", "-1", "9007199254740992"] {
            assert_eq!(Address::parse(&format!("?seed={seed}")).unwrap_err().field, "seed");
        }
    }
}
