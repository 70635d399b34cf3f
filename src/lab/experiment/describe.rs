//! What one can ask of a scenario: what can be varied in it, over which values it is worth it, what is measured, and what is usually asked.

use super::metric::{GoalText, Metric};
use crate::kernel::Duration;
use crate::lab::fault::{format_list, parse_list};
use crate::lab::invalid::Invalid;
use crate::lab::measure::{Of, Statistic, Unit};
use crate::lab::params::{Allowed, Setting};
use crate::lab::scenario::Scenario;
use serde_json::{Value, json};

/// Counts that one would try; odd ones, since a median of an even number is between two.
const COUNTS: [u32; 24] =
    [1, 2, 3, 5, 7, 9, 11, 15, 21, 31, 41, 51, 61, 71, 81, 101, 151, 201, 301, 501, 1001, 2001, 5001, 10_000];
const SHARES: [f64; 10] = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6];
/// Of what it is now, where nothing else says which values make sense.
const TIMES: [f64; 11] = [0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0];

/// What the page's panels need to know of a scenario: the base of a plan without its faults, the faults, the settings with what they may
/// be, the metrics, and what is usually asked.
pub fn describe(scenario: &Scenario) -> Result<Value, Invalid> {
    let settings = scenario.settings()?;
    let preset = scenario.find_preset()?;
    let measures = settings.measures();
    let metric = |metric: &Metric| {
        let (title, unit) = match &metric.of {
            Of::Measure(place, statistic) => {
                let measure = measures[*place];
                let title = match statistic {
                    Statistic::Percentile(p) => format!("p{p} {}", measure.title),
                    _ => format!("mean {}", measure.title),
                };
                (title, measure.unit)
            }
            _ => (format!("{} without an answer", preset.system.unit), Unit::Share),
        };
        json!({ "name": metric.name, "title": title, "unit": unit })
    };
    // What only holds together with something else that is set cannot be tried by itself.
    let stands = |key: &str, value: &Value| {
        let mut tried = scenario.clone();
        tried.set.insert(key.to_owned(), value.clone());
        tried.settings().is_ok()
    };
    let axis = |setting: &Setting| {
        let (kind, words) = match setting.allowed {
            Allowed::Choice(words) => ("choice", words),
            Allowed::Span(..) | Allowed::SpanOrOff(..) => ("duration", &[] as &[&str]),
            Allowed::Text(_) => ("text", &[] as &[&str]),
            _ => ("number", &[] as &[&str]),
        };
        json!({
            "key": setting.key,
            "meaning": setting.meaning,
            "allowed": setting.allowed.describe(),
            "kind": kind,
            "choices": words,
            "value": setting.value,
            "suggested": suggested(setting).into_iter().filter(|value| stands(setting.key, value)).collect::<Vec<_>>(),
        })
    };
    let goals: Result<Vec<GoalText>, _> = settings.goals().iter().map(|text| GoalText::parse(text)).collect();
    Ok(json!({
        "base": { "preset": scenario.preset, "set": scenario.set, "faults": "" },
        "faults": faults(scenario)?,
        "title": preset.title,
        "seed": scenario.seed,
        "unit": preset.system.unit,
        "axes": settings.all().iter().map(axis).collect::<Vec<_>>(),
        "metrics": Metric::usual(&*settings).iter().map(metric).collect::<Vec<_>>(),
        "goals": goals?,
    }))
}

/// The faults that strike in it: the shipped scenario's or those in their place, its own, without those that are switched off.
pub fn faults(scenario: &Scenario) -> Result<String, Invalid> {
    let shipped = scenario.find_preset()?.faults;
    let read = |text: Option<&str>| parse_list(text.unwrap_or_default());
    let mut faults = read(Some(scenario.faults.as_deref().unwrap_or(shipped)))?;
    faults.extend(read(scenario.own.as_deref())?);
    let off = read(scenario.off.as_deref())?;
    faults.retain(|fault| !off.contains(fault));
    Ok(format_list(&faults))
}

/// Values of a setting that are worth trying, what it is now among them; in order, if they are quantities.
pub fn suggested(setting: &Setting) -> Vec<Value> {
    let now = &setting.value;
    match setting.allowed {
        Allowed::Choice(words) => words.iter().map(|word| Value::from(*word)).collect(),
        Allowed::Text(_) => Vec::new(),
        Allowed::Span(low, high) | Allowed::SpanOrOff(low, high) => {
            let Some(now) = now.as_str().and_then(|text| text.parse::<Duration>().ok()) else {
                return Vec::new();
            };
            let times =
                TIMES.map(|times| Duration::from_millis(libm::round(now.as_millis_f64() * times) as u64));
            in_order(times.into_iter().filter(|span| (low..=high).contains(span)).chain([now]))
                .map(|span| Value::from(span.to_string()))
                .collect()
        }
        Allowed::Real(low, high) | Allowed::RealOrOff(low, high) => {
            let now = now.as_f64();
            let scale = now.filter(|now| *now != 0.0).unwrap_or(1.0);
            // In billionths, in which they can be compared.
            let whole = |x: f64| libm::round(x * 1e9) as i64;
            let all: Vec<f64> = match (low, high) {
                (0.0, high) if high <= 1.0 => SHARES.into_iter().collect(),
                _ => TIMES.map(|times| scale * times).into_iter().collect(),
            };
            let all = all.into_iter().filter(|x| (low..=high).contains(x)).chain(now);
            in_order(all.map(whole)).map(|x| Value::from(x as f64 / 1e9)).collect()
        }
        Allowed::Count(low, high) | Allowed::CountOrOff(low, high) => counts(low, high, now),
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        Allowed::CountOrAll(low, high) => counts(low, high, now),
    }
}

/// From a quarter of what it is now to eight times as many and a half.
fn counts(low: u32, high: u32, now: &Value) -> Vec<Value> {
    let now = now.as_u64().map_or(low.max(8), |now| now as u32);
    let (least, most) = ((now / 4).max(low), now.saturating_mul(17) / 2);
    let fits = |n: &u32| (least..=most.min(high).max(low + 4)).contains(n);
    in_order(COUNTS.into_iter().filter(fits).chain([now.clamp(low, high)])).map(Value::from).collect()
}

fn in_order<T: Ord>(all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all.dedup();
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::presets;

    fn axis<'a>(said: &'a Value, key: &str) -> &'a Value {
        let axes = said["axes"].as_array().expect("a list");
        axes.iter().find(|axis| axis["key"] == key).expect("the key is there")
    }

    #[test]
    fn every_suggested_value_can_be_played_in_every_scenario() {
        for preset in presets::all() {
            let base = Scenario::preset(preset.name, 1);
            let said = describe(&base).expect("it can be described");
            assert!(!said["goals"].as_array().expect("a list").is_empty(), "{}", preset.name);
            for axis in said["axes"].as_array().expect("a list") {
                let key = axis["key"].as_str().expect("a text");
                let values = axis["suggested"].as_array().expect("a list");
                assert!(
                    values.is_empty()
                        || values.contains(&axis["value"])
                        || axis["value"] == "off"
                        || axis["value"] == "all"
                        || axis["kind"] == "duration",
                    "{key}: {axis}"
                );
                let mut settings = base.settings().expect("it is allowed");
                for value in values {
                    let mut tried = base.clone();
                    tried.set.insert(key.to_owned(), value.clone());
                    tried.check().unwrap_or_else(|wrong| panic!("{}: {key}: {wrong}", preset.name));
                    settings
                        .set(key, value)
                        .unwrap_or_else(|wrong| panic!("{}: {key}: {wrong}", preset.name));
                }
            }
        }
    }

    #[test]
    fn the_opening_scenario_has_the_range_of_its_workers_and_its_faults() {
        let said = describe(&Scenario::preset("oracle-http", 31)).expect("it can be described");
        let workers = axis(&said, "workers");
        assert_eq!(workers["suggested"], json!([3, 5, 7, 9, 11, 12, 15, 21, 31, 41, 51, 61, 71, 81, 101]));
        assert_eq!(axis(&said, "fail")["suggested"][2], json!(0.05));
        assert_eq!(said["goals"][1], json!({ "metric": "latency_p99", "below": "1.2s" }));
        assert_eq!(said["unit"], "requests");
        assert_ne!(said["faults"], "");
        assert_eq!(said["base"]["faults"], "");
        let mut off = Scenario::preset("oracle-http", 31);
        off.off = Some(said["faults"].as_str().expect("a text").to_owned());
        assert_eq!(describe(&off).expect("it can be described")["faults"], "");
    }
}
