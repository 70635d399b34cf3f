//! A scenario: everything that decides a run, as plain data. And what is wrong with one, if anything.

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::fault::FaultKind;
use super::fault::{self, Fault};
use super::invalid::Invalid;
use super::presets;
use super::system::{Settings, SystemKind};
use super::systems;
use crate::kernel::{Duration, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the format that this program reads and writes.
pub const VERSION: u32 = 1;
/// Seeds stay exact as JavaScript numbers.
pub const SEED_MAX: u64 = (1 << 53) - 1;
/// A run's horizon unless it says otherwise.
pub const HORIZON_DEFAULT: Duration = Duration::from_secs(300);
/// The longest run.
pub const HORIZON_MAX: Duration = Duration::from_secs(24 * 3600);
/// The most actions in a log.
pub const ACTIONS_MAX: usize = 10_000;

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The format's version, 1.
    pub version: u32,
    /// The shipped scenario that this one starts from.
    pub preset: String,
    /// 0 … 2⁵³ − 1.
    pub seed: u64,
    /// Settings on top of the preset's.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// Faults on schedule, in place of the preset's; absent means the preset's, an empty text none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<String>,
    /// Faults that a person has put on schedule besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<String>,
    /// Faults that a person has switched off: known, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<String>,
    /// What a person did, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Where the run pauses for good: a duration, at most 24 h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
}

/// Something a person did at a whole millisecond of virtual time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A fault that starts then; its text has no start.
    Fault {
        /// When.
        at_ms: u64,
        /// Such as `crash:w-04` or `slow:w-02@..20s=4`.
        fault: String,
    },
    /// The end of a fault that holds.
    Lift {
        /// When.
        at_ms: u64,
        /// Which: its place among all faults of the run, scheduled ones first.
        fault: usize,
    },
    /// There are to be so many workers, containers or agents from then on.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    Scale {
        /// When.
        at_ms: u64,
        /// How many.
        to: u32,
    },
    /// A call of the simulated API, from the node `console`.
    Call {
        /// When.
        at_ms: u64,
        /// GET, POST, …
        method: String,
        /// Such as `http://localhost:8080/request`.
        url: String,
        /// Names and values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
        /// The body as text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        body: String,
    },
}

impl Action {
    /// When it happens.
    pub fn at(&self) -> Instant {
        match *self {
            Action::Fault { at_ms, .. } | Action::Lift { at_ms, .. } | Action::Call { at_ms, .. } => {
                Instant::from_millis(at_ms)
            }
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Action::Scale { at_ms, .. } => Instant::from_millis(at_ms),
        }
    }

    /// Whether it is one of the run's faults.
    pub(super) fn is_fault(&self) -> bool {
        match self {
            Action::Fault { .. } => true,
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Action::Scale { .. } => true,
            Action::Lift { .. } | Action::Call { .. } => false,
        }
    }

    /// How many there are to be, if that is what it says.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub(super) fn scales_to(&self) -> Option<u32> {
        match self {
            Action::Scale { to, .. } => Some(*to),
            Action::Fault { fault, .. } => {
                let fault: Fault = fault.parse().ok()?;
                (fault.kind == FaultKind::Scale).then_some(fault.value as u32)
            }
            Action::Lift { .. } | Action::Call { .. } => None,
        }
    }
}

/// A scenario with every default filled in and every value checked.
pub(super) struct Checked {
    pub(super) settings: Box<dyn Settings>,
    /// A preset's own faults are left out where their nodes do not exist; a person's own are then an error.
    pub(super) faults: Vec<Fault>,
    pub(super) faults_are_own: bool,
    /// A person's own besides.
    pub(super) own: Vec<Fault>,
    pub(super) horizon: Duration,
}

impl Scenario {
    /// A shipped scenario, as it is.
    pub fn preset(name: &str, seed: u64) -> Self {
        Scenario {
            version: VERSION,
            preset: name.to_owned(),
            seed,
            set: BTreeMap::new(),
            faults: None,
            own: None,
            off: None,
            actions: Vec::new(),
            horizon: None,
        }
    }

    /// Checks every field. `Ok` means that a run of it starts.
    pub fn validate(&self) -> Result<(), Invalid> {
        super::Run::new(self, super::Options::default()).map(drop)
    }

    /// The parameters, with the preset's and the defaults filled in.
    pub(crate) fn settings(&self) -> Result<Box<dyn Settings>, Invalid> {
        let preset = self.find_preset()?;
        let defaults = systems::defaults(preset.system);
        let mut resolved = defaults.ok_or_else(|| {
            Invalid::new("preset", preset.name, "a preset of a system that this program has")
        })?;
        for &(key, value) in preset.set {
            resolved.set(key, &Value::from(value))?;
        }
        for (key, value) in &self.set {
            resolved.set(key, value)?;
        }
        resolved.check()?;
        Ok(resolved)
    }

    /// The system that it is about.
    pub fn system(&self) -> Result<SystemKind, Invalid> {
        Ok(self.find_preset()?.system)
    }

    pub(super) fn check(&self) -> Result<Checked, Invalid> {
        if self.version != VERSION {
            return Err(Invalid::new("version", &self.version.to_string(), &VERSION.to_string()));
        }
        if self.seed > SEED_MAX {
            return Err(Invalid::new(
                "seed",
                &self.seed.to_string(),
                &format!("a whole number from 0 to {SEED_MAX}"),
            ));
        }
        let preset = self.find_preset()?;
        let horizon = self.check_horizon(preset)?;
        let faults = fault::parse_list(self.faults.as_deref().unwrap_or(preset.faults))?;
        let own = fault::parse_list(self.own.as_deref().unwrap_or_default())?;
        fault::parse_list(self.off.as_deref().unwrap_or_default())?;
        self.check_actions(horizon)?;
        let faults_are_own = self.faults.is_some();
        Ok(Checked { settings: self.settings()?, faults, faults_are_own, own, horizon })
    }

    fn check_horizon(&self, preset: &presets::Preset) -> Result<Duration, Invalid> {
        let Some(text) = self.horizon.as_deref().or(preset.horizon) else {
            return Ok(HORIZON_DEFAULT);
        };
        let allowed = format!("a duration from 1ms to {HORIZON_MAX}, with its unit");
        let horizon = text.parse::<Duration>().ok();
        let in_range = horizon.filter(|h| (Duration::from_millis(1)..=HORIZON_MAX).contains(h));
        in_range.ok_or_else(|| Invalid::new("horizon", text, &allowed))
    }

    fn check_actions(&self, horizon: Duration) -> Result<(), Invalid> {
        let count = self.actions.len();
        if count > ACTIONS_MAX {
            return Err(Invalid::new(
                "actions",
                &count.to_string(),
                &format!("at most {ACTIONS_MAX} of them"),
            ));
        }
        let mut last = Instant::ZERO;
        for action in &self.actions {
            if action.at() < last || action.at() > Instant::ZERO + horizon {
                let allowed = format!("actions in order of time, up to the horizon of {horizon}");
                return Err(Invalid::new("actions", &action.at().since(Instant::ZERO).to_string(), &allowed));
            }
            last = action.at();
        }
        Ok(())
    }

    pub(super) fn find_preset(&self) -> Result<&'static presets::Preset, Invalid> {
        presets::find(&self.preset).ok_or_else(|| {
            let names: Vec<&str> = presets::all().map(|preset| preset.name).collect();
            Invalid::new("preset", &self.preset, &format!("one of {}", names.join(", ")))
        })
    }
}
