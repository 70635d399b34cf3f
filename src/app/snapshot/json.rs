//! A snapshot as scripts see it: the envelope's members with those of the system's own view over them.

use super::Snapshot;
use crate::kernel::Duration;
use crate::lab::params::{Allowed, Setting};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

impl Snapshot {
    /// The snapshot as a JSON object.
    pub fn to_json(&self) -> Value {
        let mut all = json!({
            "vtimeMs": self.vtime_ms,
            "horizonMs": self.horizon_ms,
            "truth": self.truth,
            "system": self.system,
            "nodes": self.nodes,
            "messages": self.messages,
            "summary": {"requests": self.begun},
            "settings": settings(&self.set, self.seed),
            "faults": self.faults,
        });
        // How many records there are would tell of faults.
        if self.truth {
            all["events"] = self.events.into();
        }
        lay_over(&mut all, self.view.json());
        all
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// Puts one value over another: objects and lists are joined member by member, anything else is replaced.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay_over(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(below), Value::Array(above)) => {
            below.iter_mut().zip(above).for_each(|(below, above)| lay_over(below, above));
        }
        (_, Value::Null) => {}
        (below, above) => *below = above,
    }
}

/// Each parameter under its key, `delay-max` as `delayMaxMs`: a span of time is a number of milliseconds, and null is off.
fn settings(set: &[Setting], seed: u64) -> Value {
    let mut all = Map::new();
    for Setting { key, value, allowed, .. } in set {
        let mut name = String::new();
        for (place, word) in key.split('-').enumerate() {
            let (first, rest) = word.split_at(usize::from(place > 0).min(word.len()));
            name += &first.to_ascii_uppercase();
            name += rest;
        }
        let value = match allowed {
            Allowed::Span(..) | Allowed::SpanOrOff(..) => {
                name += "Ms";
                let span = value.as_str().and_then(|text| text.parse::<Duration>().ok());
                span.map(Duration::as_millis_f64).into()
            }
            _ => value.clone(),
        };
        all.insert(name, value);
    }
    all.insert("seed".to_owned(), seed.into());
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_joins_and_replaces() {
        let mut below = json!({"a": 1, "nodes": [{"id": 1}, {"id": 2}], "summary": {"requests": 3}});
        let above = json!({"b": null, "a": 2, "nodes": [{"score": 0.5}], "summary": {"answered": 1}});
        lay_over(&mut below, above);
        let expected = json!({
            "a": 2, "b": null, "nodes": [{"id": 1, "score": 0.5}, {"id": 2}], "summary": {"requests": 3, "answered": 1},
        });
        assert_eq!(below, expected);
        lay_over(&mut below, Value::Null);
        assert_eq!(below, expected);
    }

    #[test]
    fn spans_are_milliseconds() {
        let scenario = crate::lab::Scenario::preset("oracle-http", 7);
        let run = crate::lab::Run::new(&scenario, crate::lab::Options::default()).unwrap();
        let settings = settings(run.settings(), 7);
        assert_eq!(settings["timeoutMs"], 1500.0);
        assert_eq!(settings["delayMaxMs"], 2000.0);
        assert_eq!((&settings["strategy"], &settings["workers"]), (&json!("average"), &json!(12)));
        assert_eq!(settings["seed"], 7);
    }
}
