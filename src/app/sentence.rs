//! The sentence over the board: a system's parameters where one would say them, as plain data.
//!
//! Ranges come from the table of parameters; how a value is said, stepped and typed follows from its [`Style`].

use crate::kernel::Duration;
use crate::lab::Invalid;
use crate::lab::params::{Allowed, Setting};
use crate::substrate::decimal;
use serde_json::Value;

/// A part of the sentence, in reading order.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Words between the parameters.
    Words(&'static str),
    /// A number that can be dragged, stepped and typed.
    Number(Number),
    /// One of the words that the parameter allows.
    Choice {
        /// The parameter.
        key: &'static str,
        /// Its name for those who hear the page.
        label: &'static str,
    },
    /// Parameters that are rarely changed.
    #[cfg(feature = "workbench")]
    Rare(&'static [Rare]),
}

/// Words while a parameter is what it usually is, and others, with its value in place of `#`, when it is not.
#[cfg(feature = "workbench")]
#[derive(Clone, Copy, Debug)]
pub struct Rare {
    /// The parameter.
    pub key: &'static str,
    /// What it usually is.
    pub usual: &'static str,
    /// What is said then.
    pub words: &'static str,
    /// What is said otherwise.
    pub otherwise: &'static str,
}

#[cfg(feature = "workbench")]
impl Rare {
    /// What is said of it.
    pub fn said(&self, settings: &[Setting]) -> String {
        let value = settings.iter().find(|setting| setting.key == self.key).map(|setting| &setting.value);
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match text.filter(|text| text != self.usual) {
            Some(text) => self.otherwise.replace('#', &text),
            None => self.words.to_owned(),
        }
    }
}

/// A parameter as a number in the sentence.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The parameter.
    pub key: &'static str,
    /// Its name for those who hear the page.
    pub label: &'static str,
    /// How it is said.
    pub style: Style,
    /// Whether it is how many there are to be from now on, once the run has begun; else it is a parameter of the whole run.
    pub live: bool,
}

/// How a number is said. In the sentence a duration is a number of milliseconds, a share a number of per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// `12 workers`: so many of this noun, which gets an s.
    Count(&'static str),
    /// `5 answers`; without a number, which is 0, any of them.
    CountOrAny(&'static str),
    /// `1.5 s`
    Time,
    /// `10 %`
    Percent,
}

/// A number as a part of a sentence.
pub const fn number(key: &'static str, label: &'static str, style: Style) -> Part {
    Part::Number(Number { key, label, style, live: false })
}

impl Number {
    /// What it is now; 0 for a parameter that the system does not have.
    pub fn value(&self, settings: &[Setting]) -> f64 {
        let found = settings.iter().find(|setting| setting.key == self.key);
        found.map_or(0.0, |setting| self.style.read(&setting.value))
    }

    /// Reads what was typed while it was `now`; what is not understood or not allowed is refused, and why.
    pub fn read(&self, text: &str, now: f64, settings: &[Setting]) -> Result<f64, Invalid> {
        let (low, high) = self.range(settings);
        let refuse =
            |allowed: String| Err(Invalid { field: self.label.to_owned(), value: text.to_owned(), allowed });
        match self.style.parse(text, now) {
            None => refuse(self.style.example().to_owned()),
            Some(number) if (low..=high).contains(&number) => Ok(number),
            Some(_) => {
                let from_to = format!("{} to {}", self.style.text(low), self.style.text(high));
                // Who leaves out the unit may have meant the other one.
                let bare = self.style == Style::Time && text.trim().ends_with(|c: char| c.is_ascii_digit());
                refuse(if bare {
                    format!("{from_to}; with its unit, such as 800 ms or 1.2 s")
                } else {
                    from_to
                })
            }
        }
    }

    /// The least and the greatest that is allowed.
    pub fn range(&self, settings: &[Setting]) -> (f64, f64) {
        let ms = |span: Duration| span.as_millis_f64();
        let allowed = settings.iter().find(|setting| setting.key == self.key).map(|setting| setting.allowed);
        match allowed {
            Some(Allowed::Count(low, high)) => (f64::from(low), f64::from(high)),
            Some(Allowed::CountOrOff(_, high)) => (0.0, f64::from(high)),
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Some(Allowed::CountOrAll(_, high)) => (0.0, f64::from(high)),
            Some(Allowed::RealOrOff(_, high)) => (0.0, high),
            Some(Allowed::Real(low, high)) if self.style == Style::Percent => (low * 100.0, high * 100.0),
            Some(Allowed::Real(low, high)) => (low, high),
            Some(Allowed::Span(low, high)) => (ms(low), ms(high)),
            Some(Allowed::SpanOrOff(_, high)) => (0.0, ms(high)),
            Some(Allowed::Choice(_) | Allowed::Text(_)) | None => (0.0, 0.0),
        }
    }
}

/// The words that a choice is among.
pub fn choices(settings: &[Setting], key: &str) -> &'static [&'static str] {
    match settings.iter().find(|setting| setting.key == key).map(|setting| setting.allowed) {
        Some(Allowed::Choice(words)) => words,
        _ => &[],
    }
}

impl Style {
    fn read(self, value: &Value) -> f64 {
        let as_text = || value.as_str().and_then(|text| text.parse::<Duration>().ok());
        match self {
            Style::Count(_) | Style::CountOrAny(_) => value.as_f64().unwrap_or_default(),
            Style::Time => as_text().map_or(0.0, |span| span.as_millis_f64()),
            // Two digits are what is shown, and what 0.29 · 100 is not.
            Style::Percent => (value.as_f64().unwrap_or_default() * 1e4).round() / 100.0,
        }
    }

    /// The parameter's value for a number of the sentence.
    pub fn write(self, number: f64) -> Value {
        match self {
            Style::Count(_) | Style::CountOrAny(_) => (number as u64).into(),
            Style::Time => (decimal::plain(number) + "ms").into(),
            Style::Percent => (number / 100.0).into(),
        }
    }

    /// So many steps up from a number, or down.
    pub fn step(self, from: f64, steps: f64) -> f64 {
        match self {
            // Coarser where there are many, as the board is.
            Style::Count(_) | Style::CountOrAny(_) => {
                let size = match from {
                    n if n < 24.0 => 1.0,
                    n if n < 100.0 => 4.0,
                    n if n < 400.0 => 20.0,
                    _ => 100.0,
                };
                from + size * steps
            }
            Style::Time => {
                // Going down from a border, the finer size counts.
                let below = |border: f64| from < border || (from == border && steps < 0.0);
                let size = match () {
                    () if below(100.0) => 10.0,
                    () if below(10_000.0) => 100.0,
                    () if below(60_000.0) => 1000.0,
                    () => 10_000.0,
                };
                from + size * steps
            }
            Style::Percent => (from + steps).round(),
        }
    }

    /// The number in words.
    pub fn text(self, number: f64) -> String {
        match self {
            Style::CountOrAny(noun) if number == 0.0 => format!("any {noun}s"),
            Style::Count(noun) | Style::CountOrAny(noun) => {
                let n = number as u64;
                let figure = if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) };
                format!("{figure} {noun}{}", if n == 1 { "" } else { "s" })
            }
            Style::Time if number != 0.0 && number < 100.0 => decimal::plain(number) + " ms",
            Style::Time => decimal::plain(number / 1000.0) + " s",
            Style::Percent => decimal::plain(number) + " %",
        }
    }

    /// Reads what was typed: `12 workers`, `1,000`, `1.2 s`, `800ms`, `5 %`. A time without a unit has the one that is shown
    /// for `now`. Nothing is rounded, and nothing is left over.
    pub fn parse(self, text: &str, now: f64) -> Option<f64> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',')).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let number = || decimal::read(&digits.chars().filter(|c| *c != ',').collect::<String>());
        let unit = unit.trim();
        match self {
            Style::CountOrAny(_) if text.starts_with("any") => Some(0.0),
            Style::Count(noun) | Style::CountOrAny(noun) => {
                let is_own = unit.is_empty() || unit == noun || unit.strip_suffix('s') == Some(noun);
                number().filter(|number| is_own && number.fract() == 0.0)
            }
            Style::Time if unit.is_empty() => {
                let is_in_ms = now != 0.0 && now < 100.0;
                number().map(|number| if is_in_ms { number } else { number * 1000.0 })
            }
            Style::Time => {
                let compact: String = text.split_whitespace().collect();
                compact.parse::<Duration>().ok().map(|span| span.as_millis_f64())
            }
            Style::Percent => number().filter(|_| matches!(unit, "" | "%")),
        }
    }

    /// What could have been typed.
    fn example(self) -> &'static str {
        match self {
            Style::Count(_) => "a whole number such as 12",
            Style::CountOrAny(_) => "a whole number such as 3, or any",
            Style::Time => "a time such as 1.2 s or 800 ms",
            Style::Percent => "a share such as 5 %",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::catalogue::face;
    use crate::lab::{Options, Run, Scenario, presets};

    #[test]
    fn what_is_rarely_set_has_words_when_it_is() {
        let said = |preset: &str, set: &[(&str, &str)]| {
            let mut scenario = Scenario::preset(preset, 7);
            scenario.set.extend(set.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
            let run = Run::new(&scenario, Options::default()).unwrap();
            let part = |part: &Part| match *part {
                Part::Rare(all) => all.iter().map(|rare| rare.said(run.settings())).collect(),
                _ => String::new(),
            };
            face(run.system().kind()).words().sentence.iter().map(part).collect::<String>()
        };
        assert_eq!(said("oracle-http", &[]), " get every request. The coordinator waits ");
        assert_eq!(said("oracle-nats", &[]), "");
        let set = [("ask", "8"), ("delay-law", "exponential"), ("slow-share", "0.25"), ("retries", "2")];
        assert_eq!(
            said("oracle-http", &set),
            ": each request asks 8 of them, drawn anew. The coordinator waits  Delays are exponential. \
             A share of 0.25 of the workers is slow. Clients ask again, up to 2 times."
        );
        assert_eq!(said("oracle-nats", &[("concurrency", "1")]), " A worker does 1 at once.");
    }

    #[test]
    fn every_number_of_every_sentence_is_a_parameter_and_survives_being_said() {
        for preset in presets::all() {
            let run = Run::new(&Scenario::preset(preset.name, 7), Options::default()).unwrap();
            for part in face(run.system().kind()).words().sentence {
                let Part::Number(number) = part else { continue };
                let settings = run.settings();
                let value = number.value(settings);
                let (low, high) = number.range(settings);
                assert!(low < high && (low..=high).contains(&value), "{}: {value}", number.key);
                let Number { style, .. } = number;
                assert_eq!(style.parse(&style.text(value), value), Some(value), "{}", number.key);
                assert_eq!(style.read(&style.write(value)), value, "{}", number.key);
                let mut scenario = run.scenario().clone();
                scenario.set.insert(number.key.to_owned(), style.write(high));
                assert_eq!(scenario.validate(), Ok(()), "{} = {high}", number.key);
            }
        }
    }

    #[test]
    fn every_choice_of_every_sentence_has_words() {
        for preset in presets::all() {
            let run = Run::new(&Scenario::preset(preset.name, 7), Options::default()).unwrap();
            for part in face(run.system().kind()).words().sentence {
                if let Part::Choice { key, .. } = part {
                    assert!(choices(run.settings(), key).len() > 1, "{key}");
                }
            }
        }
    }

    #[test]
    fn steps_are_coarser_where_numbers_are_larger() {
        assert_eq!(Style::Count("worker").step(23.0, 1.0), 24.0);
        assert_eq!(Style::Count("worker").step(24.0, 1.0), 28.0);
        assert_eq!(Style::Time.step(100.0, -1.0), 90.0);
        assert_eq!(Style::Time.step(100.0, 1.0), 200.0);
        assert_eq!(Style::Time.step(10_000.0, 1.0), 11_000.0);
        assert_eq!(Style::Percent.step(9.6, 1.0), 11.0);
    }

    #[test]
    fn what_is_typed_is_understood_with_a_unit_and_without() {
        let worker = Style::Count("worker");
        for (style, text, now, number) in [
            (Style::Time, "1.2 s", 1500.0, Some(1200.0)),
            (Style::Time, "800ms", 1500.0, Some(800.0)),
            (Style::Time, "1.2", 1500.0, Some(1200.0)),
            (Style::Time, "20", 50.0, Some(20.0)),
            (Style::Time, "1.2 parsecs", 1500.0, None),
            (worker, "1,000 workers", 12.0, Some(1000.0)),
            (worker, "12.5", 12.0, None),
            (worker, "12 horses", 12.0, None),
            (Style::CountOrAny("answer"), "any", 3.0, Some(0.0)),
            (Style::Percent, "5 %", 0.0, Some(5.0)),
            (Style::Percent, "many", 0.0, None),
        ] {
            assert_eq!(style.parse(text, now), number, "{text}");
        }
    }

    #[test]
    fn what_is_typed_and_not_allowed_is_refused_aloud() {
        let run = Run::new(&Scenario::preset("oracle-http", 7), Options::default()).unwrap();
        let timeout = Number { key: "timeout", label: "Timeout", style: Style::Time, live: false };
        let read =
            |text: &str| timeout.read(text, 1500.0, run.settings()).map_err(|invalid| invalid.to_string());
        assert_eq!(read("2"), Ok(2000.0));
        let refused = read("800").unwrap_err();
        assert!(refused.contains("Timeout") && refused.contains("800 ms"), "{refused}");
        assert!(read("soon").unwrap_err().contains("such as 1.2 s"));
    }
}
