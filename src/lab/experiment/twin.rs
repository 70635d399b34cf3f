//! Two scenarios made of one, which differ in one thing: a parameter, the shipped scenario that they start from, or what a person did.

use super::describe::suggested;
use crate::lab::fault::{Fault, format_list};
use crate::lab::invalid::Invalid;
use crate::lab::options::Options;
use crate::lab::params::{Allowed, Setting};
use crate::lab::run::Run;
use crate::lab::scenario::Scenario;
use serde_json::Value;

/// The shipped scenario as what differs, such as a system over HTTP and over a broker.
pub const PRESET: &str = "preset";
/// What a person did as what differs: the first is without it.
pub const ACTS: &str = "acts";

/// Two scenarios that differ in one thing, and how one says that.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// A parameter, [`PRESET`] or [`ACTS`].
    pub key: String,
    /// What it is on both sides.
    pub values: [Value; 2],
    /// The same for a person.
    pub said: [String; 2],
    /// The metric that shows it best.
    pub metric: String,
    /// Both sides.
    pub sides: [Scenario; 2],
}

/// What one would hold against what in a scenario: the most telling change first, then what a person did, if anything.
pub fn offers(base: &Scenario) -> Result<Vec<&'static str>, Invalid> {
    let mut keys: Vec<&str> = base.settings()?.contrasts().iter().map(|contrast| contrast.key).collect();
    if base.own.is_some() || !base.actions.is_empty() {
        keys.push(ACTS);
    }
    Ok(keys)
}

/// A twin of a scenario: by the most telling change if no key is said, with what the run has on the first side if no values are.
pub fn twin(base: &Scenario, key: Option<&str>, values: Option<[Value; 2]>) -> Result<Twin, Invalid> {
    let settings = base.settings()?;
    let key = key.or(settings.contrasts().first().map(|contrast| contrast.key)).unwrap_or(ACTS);
    let contrast = settings.contrasts().iter().find(|contrast| contrast.key == key);
    let all = settings.all();
    let now = all.iter().find(|setting| setting.key == key);
    let values = match values {
        _ if key == ACTS => ["without".into(), "with".into()],
        Some(values) => values,
        None => {
            let now_value = now.map_or_else(|| Value::from(base.preset.as_str()), |now| now.value.clone());
            let other = match (contrast, now) {
                (Some(contrast), _) if now_value == contrast.values[1] => contrast.values[0].into(),
                (Some(contrast), _) => contrast.values[1].into(),
                (None, Some(now)) => another(now),
                (None, None) => now_value.clone(),
            };
            [now_value, other]
        }
    };
    let sides = twins(base, key, &values)?;
    // As the system reads them: 5, not "5".
    let read = |side: &Scenario| {
        let own = side.settings().ok()?.all();
        let own = own.into_iter().find(|setting| setting.key == key)?;
        Some(own.value)
    };
    let values = [0, 1].map(|i: usize| read(&sides[i]).unwrap_or_else(|| values[i].clone()));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let said = [0, 1].map(|i: usize| match (key, sides[i].system()) {
        (PRESET, Ok(system)) => format!("{} {}", system.title, system.over),
        (ACTS, _) => text(&values[i]),
        // What a word such as median is of, everybody knows; not so `on`.
        _ if now
            .is_some_and(|now| matches!(now.allowed, Allowed::Choice(words) if !words.contains(&"on"))) =>
        {
            text(&values[i])
        }
        _ => format!("{} {}", key.replace('-', " "), text(&values[i])),
    });
    let first =
        settings.measures().first().map_or(super::UNANSWERED.to_owned(), |m| format!("{}_mean", m.key));
    let metric = contrast.map_or(first, |contrast| contrast.metric.to_owned());
    Ok(Twin { key: key.to_owned(), values, said, metric, sides })
}

/// A run and the one that an act in its past has left, which is the first side: all but the acts is as it is now.
pub fn fork(base: &Scenario, left: Scenario) -> Result<Twin, Invalid> {
    let Scenario { faults, own, off, actions, .. } = left;
    let left = Scenario { faults, own, off, actions, ..base.clone() };
    left.validate()?;
    let twin = twin(base, Some(ACTS), None)?;
    let said = ["before", "after"].map(str::to_owned);
    Ok(Twin {
        values: said.each_ref().map(|said| said.as_str().into()),
        said,
        sides: [left, base.clone()],
        ..twin
    })
}

/// Another value of a setting that is worth trying: the next word, or a quantity that is clearly more, or less if it is the greatest.
fn another(setting: &Setting) -> Value {
    const STEPS: usize = 3;
    let values = suggested(setting);
    let Some(now) = values.iter().position(|value| *value == setting.value) else {
        return values.last().unwrap_or(&setting.value).clone();
    };
    let is_word = matches!(setting.allowed, Allowed::Choice(_));
    let other = match () {
        () if is_word => (now + 1) % values.len(),
        () if now + 1 < values.len() => (now + STEPS).min(values.len() - 1),
        () => now.saturating_sub(STEPS),
    };
    values[other].clone()
}

/// Both sides of a twin, the first with the first value.
pub fn twins(base: &Scenario, key: &str, values: &[Value; 2]) -> Result<[Scenario; 2], Invalid> {
    let sides = match key {
        PRESET => {
            let side = |value: &Value| started_from(base, value.as_str().unwrap_or_default());
            with_faults_of(base, [side(&values[0])?, side(&values[1])?])?
        }
        ACTS => {
            let without = Scenario { own: None, actions: Vec::new(), ..base.clone() };
            [without, base.clone()]
        }
        _ => {
            let sides = values.each_ref().map(|value| {
                let mut side = base.clone();
                side.set.insert(key.to_owned(), value.clone());
                side
            });
            let is_about_faults =
                |side: &Scenario| side.validate().is_err_and(|wrong| wrong.field == "faults");
            if sides.iter().any(is_about_faults) { with_faults_of(base, sides)? } else { sides }
        }
    };
    sides.iter().try_for_each(Scenario::validate)?;
    Ok(sides)
}

/// A scenario that starts from another shipped one. One of another system takes over all that both can set, so that they differ in
/// nothing but what they are.
fn started_from(base: &Scenario, preset: &str) -> Result<Scenario, Invalid> {
    if preset == base.preset {
        return Ok(base.clone());
    }
    let mut other = Scenario { preset: preset.to_owned(), ..base.clone() };
    if other.system()? == base.system()? {
        return Ok(other);
    }
    other.set.clear();
    let mut takes = other.settings()?;
    let own = takes.all();
    for setting in base.settings()?.all() {
        let is_other = |own: &_| own != &setting.value;
        let differs = own.iter().find(|own| own.key == setting.key).is_some_and(|own| is_other(&own.value));
        if differs && takes.set(setting.key, &setting.value).is_ok() {
            other.set.insert(setting.key.to_owned(), setting.value);
        }
    }
    Ok(other)
}

/// The same faults on both sides: those of the run that they are made of, as far as both have what these are about.
fn with_faults_of(base: &Scenario, sides: [Scenario; 2]) -> Result<[Scenario; 2], Invalid> {
    let run = Run::new(base, Options::default())?;
    let strikes = |side: &Scenario, fault: &Fault| {
        let faults = Some(fault.to_string());
        Scenario { faults, own: None, off: None, actions: Vec::new(), ..side.clone() }.validate().is_ok()
    };
    let both = run.faults().filter(|fault| sides.iter().all(|side| strikes(side, fault)));
    let faults = format_list(both);
    Ok(sides.map(|side| Scenario {
        faults: Some(faults.clone()),
        own: None,
        off: None,
        actions: Vec::new(),
        ..side
    }))
}

#[cfg(test)]
mod tests {
    use super::super::pair;
    use super::*;
    use crate::kernel::Duration;
    use serde_json::json;

    /// In what both differ.
    fn changes(base: &Scenario, key: &str, a: &str, b: &str) -> Vec<String> {
        let sides = twins(base, key, &[a.into(), b.into()]).unwrap();
        let played = pair(&sides, Some(Duration::from_secs(1)), &[]).unwrap();
        played.changes.into_iter().map(|change| change.key).collect()
    }

    #[test]
    fn a_run_and_the_one_that_it_left_are_both_as_they_are() {
        let with = |faults: &str| {
            let faults = Some(faults.to_owned());
            Scenario { faults, ..Scenario::preset("oracle-http", 31) }
        };
        let (left, now) = (with("crash:w-05@4s"), with("crash:w-05@4s,lie:w-03@6s=0.3"));
        let twin = fork(&now, left.clone()).unwrap();
        assert_eq!(
            (twin.key.as_str(), twin.said.as_slice()),
            (ACTS, ["before".to_owned(), "after".to_owned()].as_slice())
        );
        assert_eq!(twin.sides, [left, now.clone()]);
        assert!(fork(&now, with("crash:w-99@4s")).is_err());
        let twin = fork(&Scenario { seed: 7, ..now }, with("")).unwrap();
        assert_eq!(twin.sides.map(|side| side.seed), [7, 7]);
    }

    #[test]
    fn every_contrast_of_every_scenario_is_a_fair_pair() {
        for preset in crate::lab::presets::all() {
            let base = Scenario::preset(preset.name, 31);
            let settings = base.settings().unwrap();
            assert!(!settings.contrasts().is_empty(), "{}", preset.name);
            for contrast in settings.contrasts() {
                let [a, b] = contrast.values;
                let expected = if contrast.key == PRESET { "system" } else { contrast.key };
                // Other shipped scenarios of a system are not what is held against the one over a broker.
                let base = if contrast.key == PRESET { &Scenario::preset(a, 31) } else { &base };
                assert_eq!(changes(base, contrast.key, a, b), [expected], "{}", preset.name);
                assert!(super::super::Metric::parse(contrast.metric, &*settings).is_ok());
            }
        }
    }

    #[test]
    fn what_is_not_said_is_what_the_run_has_against_what_tells_most() {
        let said = |preset: &str, key: Option<&str>| {
            let twin = twin(&Scenario::preset(preset, 31), key, None).unwrap();
            (twin.key, twin.said, twin.metric)
        };
        let of = |key: &str, a: &str, b: &str, metric: &str| {
            (key.to_owned(), [a.to_owned(), b.to_owned()], metric.to_owned())
        };
        assert_eq!(said("oracle-http", None), of("strategy", "average", "median", "error_mean"));
        assert_eq!(said("oracle-nats", Some(PRESET)), of(PRESET, "Oracle NATS", "Oracle HTTP", "error_mean"));
        assert_eq!(said("lmove-cure", None), of("mode", "lmove", "brpop", "unanswered_share"));
        assert_eq!(said("config", None), of("trigger", "trigger off", "trigger on", "staleness_mean"));
        assert_eq!(
            said("thundering-herd", None),
            of("backoff-jitter", "backoff jitter off", "backoff jitter on", "herd_peak_since_restart")
        );
        assert_eq!(
            said("oracle-http", Some("workers")),
            of("workers", "workers 12", "workers 31", "error_mean")
        );
        assert_eq!(said("oracle-http", Some("load")), of("load", "constant", "poisson", "error_mean"));
        let base = Scenario { own: Some("crash:w-02@3s".to_owned()), ..Scenario::preset("oracle-http", 31) };
        assert_eq!(offers(&base).unwrap(), ["strategy", PRESET, ACTS]);
        let typed = twin(&base, Some("workers"), Some(["5".into(), "9".into()])).unwrap();
        assert_eq!(typed.values, [json!(5), json!(9)]);
    }

    #[test]
    fn another_system_gets_the_settings_and_the_faults_that_both_have() {
        let mut base = Scenario::preset("oracle-nats", 31);
        base.set.insert("workers".to_owned(), json!(5));
        base.faults = Some("crash:nats@9s..12s,crash:w-02@3s".to_owned());
        let [http, nats] = twins(&base, PRESET, &["oracle-http".into(), "oracle-nats".into()]).unwrap();
        assert_eq!(http.set["workers"], json!(5));
        assert_eq!(
            [http.faults, nats.faults],
            [Some("crash:w-02@3s".to_owned()), Some("crash:w-02@3s".to_owned())]
        );
    }

    #[test]
    fn a_fault_about_what_only_one_side_has_strikes_neither() {
        let mut base = Scenario::preset("lost-trigger", 31);
        base.faults = Some("crash:w-01@3s,cut:valkey~a-03@15s..39s".to_owned());
        let sides = twins(&base, "trigger", &["off".into(), "on".into()]).unwrap();
        assert_eq!(
            sides.map(|side| side.faults),
            [Some("crash:w-01@3s".to_owned()), Some("crash:w-01@3s".to_owned())]
        );
    }

    #[test]
    fn two_shipped_scenarios_of_one_system_differ_as_they_were_shipped() {
        let base = Scenario::preset("thundering-herd", 31);
        let keys = changes(&base, PRESET, "thundering-herd", "thundering-herd-cured");
        assert_eq!(keys, ["poll-jitter", "backoff-jitter"], "no fair pair");
    }

    #[test]
    fn a_run_is_held_against_itself_without_what_a_person_did() {
        let base =
            Scenario { own: Some("crash:w-02@3s..5s".to_owned()), ..Scenario::preset("oracle-http", 31) };
        assert_eq!(changes(&base, ACTS, "", ""), ["faults"]);
        let refused = twins(&base, "workers", &[3.into(), "many".into()]).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.value.as_str()), ("workers", "many"));
    }
}
