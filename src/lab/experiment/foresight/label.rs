//! What a value of a parameter is called in a sentence: `61 workers`, `1.15 s`, `10 %`, `median`.

use crate::kernel::Duration;
use crate::lab::params::{Allowed, parse_real};
use crate::substrate::decimal::plain;
use serde_json::Value;

/// A value of a key that may have such values.
pub(super) fn label(allowed: Option<Allowed>, key: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match allowed {
        Some(Allowed::Span(..) | Allowed::SpanOrOff(..)) => text.parse().map_or(text, span),
        Some(Allowed::Real(low, high)) if low >= 0.0 && high <= 1.0 => {
            // Two digits are enough, and what 0.29 · 100 has not.
            parse_real(&text).map_or(text, |share| format!("{} %", plain(libm::round(share * 1e4) / 100.0)))
        }
        Some(Allowed::Choice(_) | Allowed::Text(_)) | None => text,
        Some(Allowed::Real(..) | Allowed::RealOrOff(..)) => format!("{} {text}", key.replace('-', " ")),
        Some(_) => count(&text, key),
    }
}

fn span(span: Duration) -> String {
    match span.as_millis_f64() {
        ms if ms >= 1000.0 => format!("{} s", plain(ms / 1000.0)),
        ms => format!("{} ms", plain(ms)),
    }
}

/// `61 workers`, where the key is a name for several; `quorum 5` otherwise.
fn count(number: &str, key: &str) -> String {
    let Some(one) = key.strip_suffix('s') else { return format!("{} {number}", key.replace('-', " ")) };
    let one = one.strip_suffix("ie").map_or_else(|| one.to_owned(), |stem| format!("{stem}y"));
    if number == "1" { format!("1 {one}") } else { format!("{number} {key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Scenario;
    use serde_json::json;

    #[test]
    fn values_are_called_what_people_call_them() {
        let settings = Scenario::preset("oracle-http", 1).settings().unwrap().all();
        for (key, value, expected) in [
            ("workers", json!(61), "61 workers"),
            ("workers", json!(1), "1 worker"),
            ("retries", json!(1), "1 retry"),
            ("quorum", json!(5), "quorum 5"),
            ("quorum", json!("off"), "quorum off"),
            ("at-once", json!(2), "at once 2"),
            ("timeout", json!("1150ms"), "1.15 s"),
            ("timeout", json!("900ms"), "900 ms"),
            ("lie", json!(0.29), "29 %"),
            ("fail", json!("20%"), "20 %"),
            ("strategy", json!("weighted-median"), "weighted-median"),
            ("lie-bias", json!(0.18), "lie bias 0.18"),
        ] {
            let setting = settings.iter().find(|setting| setting.key == key).unwrap();
            assert_eq!(label(Some(setting.allowed), key, &value), expected);
        }
    }
}
