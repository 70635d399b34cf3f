//! The parameters by which an oracle is made to resemble a system of one's own. The program that the page opens with has none
//! of them.

use crate::kernel::Duration;
use crate::lab::invalid::Invalid;
use crate::lab::params::{Allowed, Param, Parsed, ms, param, span};
use crate::systems::oracle::Params;
use crate::systems::oracle::delay::{DelayLaw, Delays, QUANTILES_MAX, Quantiles};
use serde_json::json;

/// More bytes than that many quantiles need.
const DELAYS_TEXT_MAX: usize = 16 * QUANTILES_MAX;
const HOUR: Duration = ms(3_600_000);
const SHORTEST: Duration = Duration::from_micros(1);
/// How many there are in all.
const ALL: usize = 32 + SHARED.len() + HTTP_ONLY.len();

/// What both have.
const SHARED: &[Param<Params>] = &[
    param!("delay-law", Allowed::Choice(&DelayLaw::NAMES), "how the time that a task takes is distributed; no draw is above 1 h",
        |p| json!(p.model.law.name()), Word => |p, v: String| p.model.law = DelayLaw::from_name(&v).unwrap_or_default()),
    param!("delay-mean", Allowed::Span(Duration::ZERO, HOUR), "the mean of the constant and the exponential law",
        |p| span(p.model.mean), Span => |p, v| p.model.mean = v),
    param!("delay-p50", Allowed::Span(SHORTEST, HOUR), "the median of the lognormal law",
        |p| span(p.model.p50), Span => |p, v| p.model.p50 = v),
    param!("delay-p99", Allowed::Span(SHORTEST, HOUR), "its 99th percentile",
        |p| span(p.model.p99), Span => |p, v| p.model.p99 = v),
    param!("delay-shape", Allowed::Real(0.1, 100.0), "the shape of the Pareto law, whose least time is delay-min: the smaller, the longer its tail",
        |p| json!(p.model.shape), Real => |p, v| p.model.shape = v),
    param!("delays", Allowed::Text(DELAYS_TEXT_MAX), "the quantiles of the empirical law, at most 1000: times from probability 0 to 1, evenly spaced, such as 80,120,1.5s (milliseconds without a unit), or probability:time each; between them it is linear",
        |p| json!(p.model.delays.text), Word => |p, v: String| p.model.delays = Delays::of(&v)),
    param!("slow-share", Allowed::Real(0.0, 1.0), "the share of workers that are slow all the time",
        |p| json!(p.model.slow_share), Real => |p, v| p.model.slow_share = v),
    param!("slow-factor", Allowed::Real(1.0, 1000.0), "how many times as long a task takes them",
        |p| json!(p.model.slow_factor), Real => |p, v| p.model.slow_factor = v),
    param!("concurrency", Allowed::CountOrOff(1, 10_000), "how many tasks a worker does at once; the others wait, first come, first served",
        |p| if p.model.concurrency == 0 { json!("off") } else { json!(p.model.concurrency) }, Count => |p, v| p.model.concurrency = v),
    param!("retries", Allowed::Count(0, 10), "how often a client sends a request again that failed: no answer, refused, or a status from 500 on; a 429 is back-off's",
        |p| json!(p.model.retries), Count => |p, v| p.model.retries = v),
    param!("retry-pause", Allowed::Span(ms(1), HOUR), "after so long",
        |p| span(p.model.retry_pause), Span => |p, v| p.model.retry_pause = v),
];

/// What only HTTP has: over NATS a task is published, and nobody is asked by name.
const HTTP_ONLY: &[Param<Params>] = &[
    param!("ask", Allowed::CountOrAll(1, 10_000), "how many workers a request is put to, chosen by the seed for each request anew",
        |p| if p.model.ask == 0 { json!("all") } else { json!(p.model.ask) }, Count => |p, v| p.model.ask = v),
];

/// All, with the others around them: the last of those only HTTP has.
pub(super) const fn between(others: &[Param<Params>; 32]) -> [Param<Params>; ALL] {
    let mut all = [others[0]; ALL];
    let (mut place, last) = (0, others.len() - 1);
    while place < ALL {
        all[place] = if place < last {
            others[place]
        } else if place < last + SHARED.len() {
            SHARED[place - last]
        } else if place == last + SHARED.len() {
            others[last]
        } else {
            HTTP_ONLY[place - last - SHARED.len() - 1]
        };
        place += 1;
    }
    all
}

/// What only holds between them. False if `delay-max` plays no part.
pub(super) fn check(params: &Params) -> Result<bool, Invalid> {
    let model = &params.model;
    if model.p50 > model.p99 {
        let allowed = format!("at most delay-p99, which is {}", model.p99);
        return Err(Invalid::new("delay-p50", &model.p50.to_string(), &allowed));
    }
    if model.law == DelayLaw::Pareto && params.delay_min == Duration::ZERO {
        let allowed = "more than 0: of the Pareto law it is the least time";
        return Err(Invalid::new("delay-min", &params.delay_min.to_string(), allowed));
    }
    let text = &model.delays.text;
    if model.law == DelayLaw::Empirical || !text.is_empty() {
        Quantiles::parse(text).map_err(|(value, allowed)| Invalid::new("delays", &value, &allowed))?;
    }
    Ok(model.law == DelayLaw::Uniform)
}
