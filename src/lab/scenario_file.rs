//! What is wrong with a scenario file that cannot be read: its first wrong field, by name. Where a field is of the right kind but
//! says something that is not allowed, a run's own checks tell.

use super::invalid::Invalid;
use super::scenario::{Action, Scenario};
use serde_json::{Map, Value};

/// So much of a wrong value is repeated.
const SHOWN_MAX: usize = 60;
const WHOLE: &str = "a whole number from 0";
const TEXT: &str = "a text";
/// The fields in their order, and whether a file must have them.
const FIELDS: [(&str, bool); 9] = [
    ("version", true),
    ("preset", true),
    ("seed", true),
    ("set", false),
    ("faults", false),
    ("own", false),
    ("off", false),
    ("actions", false),
    ("horizon", false),
];

impl Scenario {
    /// Reads a scenario from JSON; the error names the first wrong field, or the place where it is no JSON at all.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let read: Result<Scenario, _> = serde_json::from_str(text);
        read.map_err(|error| {
            let whole = || Invalid::new("scenario", &error.to_string(), "a scenario of version 1 in JSON");
            serde_json::from_str(text).ok().and_then(|value| first_wrong(&value)).unwrap_or_else(whole)
        })
    }
}

fn first_wrong(value: &Value) -> Option<Invalid> {
    let Value::Object(fields) = value else { return Some(wrong("scenario", value, "an object")) };
    for (field, must_be) in FIELDS {
        match fields.get(field) {
            None if must_be => return Some(Invalid::new(field, "", "a field that every scenario has")),
            None => {}
            Some(value) => {
                if let Some(invalid) = wrong_field(field, value) {
                    return Some(invalid);
                }
            }
        }
    }
    let known = FIELDS.map(|(field, _)| field);
    let (unknown, value) = fields.iter().find(|(field, _)| !known.contains(&field.as_str()))?;
    let unknown: String = unknown.chars().take(SHOWN_MAX).collect();
    Some(wrong(&unknown, value, &format!("the fields of a scenario: {}", known.join(", "))))
}

fn wrong_field(field: &str, value: &Value) -> Option<Invalid> {
    let (is_right, allowed) = match field {
        "version" => (value.as_u64().is_some_and(|version| u32::try_from(version).is_ok()), "1"),
        "seed" => (value.is_u64(), WHOLE),
        "preset" => (value.is_string(), "the name of a shipped scenario"),
        "set" => (value.is_object(), "an object of keys and their values"),
        "actions" => match value {
            Value::Array(actions) => {
                return actions.iter().enumerate().find_map(|(i, action)| wrong_action(i, action));
            }
            _ => (false, "a list of actions"),
        },
        _ => (value.is_string() || value.is_null(), TEXT),
    };
    (!is_right).then(|| wrong(field, value, allowed))
}

fn wrong_action(i: usize, action: &Value) -> Option<Invalid> {
    let place = format!("actions[{i}]");
    let Value::Object(fields) = action else { return Some(wrong(&place, action, "an object")) };
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let needs: &[(&str, &str)] = match kind {
        "fault" => &[("at_ms", WHOLE), ("fault", TEXT)],
        "lift" => &[("at_ms", WHOLE), ("fault", WHOLE)],
        "scale" => &[("at_ms", WHOLE), ("to", WHOLE)],
        "call" => &[("at_ms", WHOLE), ("method", TEXT), ("url", TEXT)],
        _ => {
            let kind = fields.get("kind").unwrap_or(&Value::Null);
            return Some(wrong(&format!("{place}.kind"), kind, "fault, lift, scale or call"));
        }
    };
    let missing = needs.iter().find(|(field, allowed)| !is_like(fields, field, allowed));
    if let Some((field, allowed)) = missing {
        return Some(wrong(&format!("{place}.{field}"), fields.get(*field).unwrap_or(&Value::Null), allowed));
    }
    let error = serde_json::from_value::<Action>(action.clone()).err()?;
    Some(Invalid::new(&place, &error.to_string(), "the fields of such an action"))
}

fn is_like(fields: &Map<String, Value>, field: &str, allowed: &str) -> bool {
    fields.get(field).is_some_and(|value| if allowed == TEXT { value.is_string() } else { value.is_u64() })
}

fn wrong(field: &str, value: &Value, allowed: &str) -> Invalid {
    let text = value.to_string();
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Invalid::new(field, if value.is_null() { "" } else { &shown }, allowed)
}
