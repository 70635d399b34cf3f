//! `glasshive aggregate`: a strategy on answers from standard input, without a run around it.

use crate::lab::{Invalid, params};
use crate::systems::oracle::Params;
use crate::systems::oracle::aggregator::{Answers, Spread, Strategy, VALUE_MAX, is_usable, pyth};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The aggregate's slot as the golden vectors have it: one after that of a quote with `slot_diff` 0.
const AGE_OF_NO_DIFFERENCE: i64 = 1;

/// What the command line says, as text.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The strategy's name.
    pub strategy: String,
    /// Majority's step; the parameter's default if absent.
    pub step: Option<String>,
    /// The trimmed mean's share; the parameter's default if absent.
    pub trim: Option<String>,
    /// A weight for each value, separated by commas; equal ones if absent.
    pub weights: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of numbers.
    Numbers(Numbers),
    /// Of Pyth's quotes.
    Quotes(Quotes),
}

/// The aggregate of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Numbers {
    /// The strategy's name.
    pub strategy: &'static str,
    /// The aggregate.
    pub value: f64,
    /// How many answers stand behind it.
    pub support: usize,
    /// How far they lie apart.
    pub spread: Spread,
    /// What each strategy makes of them; Pyth with the confidence of the default noise.
    pub counter_answers: BTreeMap<&'static str, f64>,
}

/// The aggregate of quotes, in the form of the golden vectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quotes {
    /// Prices and confidences are in units of 10 to this power.
    pub exponent: i32,
    /// The price and its confidence.
    #[serde(flatten)]
    pub price: pyth::PythPrice,
    /// `trading` or `unknown`.
    pub status: &'static str,
}

/// Aggregates `input`: a JSON array of numbers, or for Pyth an object with `exponent` and `quotes`.
pub fn aggregate(wish: &Wish, input: &str) -> Result<Outcome, Invalid> {
    let mut params = Params::default();
    let settings =
        [("strategy", Some(&wish.strategy)), ("step", wish.step.as_ref()), ("trim", wish.trim.as_ref())];
    for (key, text) in settings {
        if let Some(text) = text {
            params::set(super::params::HTTP, &mut params, key, &json!(text))?;
        }
    }
    let shape = match params.strategy {
        Strategy::Pyth => "a JSON object with exponent and quotes",
        _ => "a JSON array of numbers, such as [1, 2.5, 3]",
    };
    let input: Value =
        serde_json::from_str(input).map_err(|error| Invalid::new("input", &error.to_string(), shape))?;
    match (&input, params.strategy) {
        (Value::Object(_), Strategy::Pyth) => of_quotes(&input).map(Outcome::Quotes),
        (Value::Array(values), strategy) if strategy != Strategy::Pyth => {
            of_numbers(values, wish.weights.as_deref(), &params).map(Outcome::Numbers)
        }
        _ => Err(Invalid::new("input", &shortened(&input), shape)),
    }
}

fn of_numbers(values: &[Value], weights: Option<&str>, params: &Params) -> Result<Numbers, Invalid> {
    let number = |(i, value): (usize, &Value)| {
        let allowed = || format!("a number from -{VALUE_MAX:e} to {VALUE_MAX:e}");
        let wrong = || Invalid::new(&format!("input[{i}]"), &shortened(value), &allowed());
        value.as_f64().filter(|x| is_usable(*x)).ok_or_else(wrong)
    };
    let values: Vec<f64> = values.iter().enumerate().map(number).collect::<Result<_, _>>()?;
    let weights =
        weights.map_or_else(|| Ok(vec![1.0; values.len()]), |text| parse_weights(text, values.len()))?;
    let (answers, knobs) = (Answers::weighted(&values, &weights), params.knobs());
    let empty = || Invalid::new("input", "[]", "at least one number");
    let spread = answers.spread().ok_or_else(empty)?;
    let aggregate = params.strategy.of(&answers, &knobs).ok_or_else(empty)?;
    let counter = |strategy: Strategy| Some((strategy.name(), strategy.of(&answers, &knobs)?.value));
    Ok(Numbers {
        strategy: params.strategy.name(),
        value: aggregate.value,
        support: aggregate.support,
        spread,
        counter_answers: Strategy::ALL.into_iter().filter_map(counter).collect(),
    })
}

fn parse_weights(text: &str, count: usize) -> Result<Vec<f64>, Invalid> {
    let wrong = |value: &str| {
        let allowed = format!("{count} numbers from 0 to {VALUE_MAX:e}, not all 0, separated by commas");
        Invalid::new("weights", value, &allowed)
    };
    let weight = |part: &str| {
        let weight = params::parse_real(part.trim()).filter(|x| (0.0..=VALUE_MAX).contains(x));
        weight.ok_or_else(|| wrong(part))
    };
    let weights: Vec<f64> = text.split(',').map(weight).collect::<Result<_, _>>()?;
    if weights.len() == count && weights.iter().any(|&weight| weight > 0.0) {
        Ok(weights)
    } else {
        Err(wrong(text))
    }
}

fn of_quotes(input: &Value) -> Result<Quotes, Invalid> {
    let exponent = whole(&input["exponent"], || "exponent".to_owned())?;
    let exponent = i32::try_from(exponent)
        .map_err(|_| Invalid::new("exponent", &exponent.to_string(), "a whole number of 32 bits"))?;
    let quotes = input["quotes"]
        .as_array()
        .ok_or_else(|| Invalid::new("quotes", &shortened(&input["quotes"]), "an array of quotes"))?;
    let quote = |(i, quote): (usize, &Value)| {
        let field = |name: &str| whole(&quote[name], || format!("quotes[{i}].{name}"));
        let difference = if quote["slot_diff"].is_null() { 0 } else { field("slot_diff")? };
        Ok(pyth::Quote {
            price: field("price")?,
            conf: field("conf")?,
            status: field("status")?,
            age: AGE_OF_NO_DIFFERENCE.saturating_sub(difference),
        })
    };
    let quotes: Vec<pyth::Quote> = quotes.iter().enumerate().map(quote).collect::<Result<_, Invalid>>()?;
    let price = pyth::aggregate(&quotes);
    Ok(Quotes { exponent, price, status: price.status() })
}

fn whole(value: &Value, field: impl Fn() -> String) -> Result<i64, Invalid> {
    value.as_i64().ok_or_else(|| Invalid::new(&field(), &shortened(value), "a whole number of 64 bits"))
}

/// A piece of the input for a message; nothing for what is not there.
fn shortened(value: &Value) -> String {
    const LENGTH_MAX: usize = 40;
    let text = if value.is_null() { String::new() } else { value.to_string() };
    if text.chars().count() <= LENGTH_MAX {
        text
    } else {
        text.chars().take(LENGTH_MAX).chain(['…']).collect()
    }
}

impl Outcome {
    /// For a person.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Outcome::Numbers(numbers) => numbers.write_text(&mut text),
            Outcome::Quotes(quotes) => quotes.write_text(&mut text),
        };
        text
    }
}

impl Numbers {
    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        let Spread { count, min, max, range, sd } = self.spread;
        let width = Strategy::NAMES.iter().map(|name| name.len()).max().unwrap_or_default();
        writeln!(f, "{:<width$}  {}  from {} of {count} answers", self.strategy, self.value, self.support)?;
        for (name, value) in self.counter_answers.iter().filter(|(name, _)| **name != self.strategy) {
            writeln!(f, "{name:<width$}  {value}")?;
        }
        writeln!(f, "{count} answers from {min} to {max}: range {range}, standard deviation {sd}")
    }
}

impl Quotes {
    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        let Quotes { exponent, price, status } = self;
        writeln!(
            f,
            "{} ± {} in units of 10^{exponent}, {status}, from {} quotes",
            price.price, price.conf, price.valid
        )
    }
}
