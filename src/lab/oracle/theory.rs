//! What probability says of an oracle simple enough for it: requests that share nothing, asked of workers that are all alike.
//!
//! A response takes two ways and the task's delay; G(x) is the probability that it is there within x. Of n workers all are there within
//! x with G(x)ⁿ (order statistics), and each has a value within the timeout T with q = (1 − fail) G(T) (a binomial). A request
//! is answered unless nobody has one, so with A = 1 − (1 − q)ⁿ; and of the answered the share (G(x)ⁿ − (fail G(x))ⁿ) / A before x < T,
//! all others at T.

use super::folds::{ERROR, LATENCY};
use crate::kernel::Duration;
use crate::lab::measure::{Of, Statistic, Theory};
use crate::systems::oracle::delay::Delay;
use crate::systems::oracle::{FAR, NEAR, Params};

/// The jitter of the two ways is cut into so many pieces.
const PIECES: u32 = 128;
/// So often an interval is halved to find a quantile: to the microsecond within an hour.
const HALVINGS: u32 = 42;

/// A response of one worker, and the request that waits for all.
struct Response {
    delay: Delay,
    /// Both ways without jitter, and the most that each may have, in milliseconds.
    way_ms: f64,
    jitter_ms: f64,
    client_ms: f64,
    timeout_ms: f64,
    fail: f64,
    asked: f64,
}

/// What theory says of a metric of independent requests; `None` where it has nothing simple to say.
pub(super) fn of(params: &Params, of: &Of) -> Option<Theory> {
    let model = &params.model;
    let alike = params.quorum == 0 && model.slow_share == 0.0 && model.retries == 0 && params.register;
    if !alike || params.has_broker() {
        return None;
    }
    let asked = if model.ask == 0 { params.workers } else { model.ask.min(params.workers) };
    let response = Response {
        delay: Delay::of(params),
        way_ms: 2.0 * FAR.latency.as_millis_f64(),
        jitter_ms: FAR.jitter.as_millis_f64(),
        client_ms: 2.0 * NEAR.latency.as_millis_f64(),
        timeout_ms: params.timeout.as_millis_f64(),
        fail: params.fail,
        asked: f64::from(asked),
    };
    let value = match of {
        Of::Unanswered => 1.0 - response.answered(),
        Of::Measure(ERROR, _) | Of::Figure(_) | Of::Measure(_, Statistic::Mean) => return None,
        Of::Measure(LATENCY, Statistic::Percentile(p)) => response.latency(p / 100.0),
        Of::Measure(LATENCY, Statistic::Over(limit)) => 1.0 - response.latency_within(*limit),
        Of::Measure(..) => return None,
    };
    Some(Theory { value, bound: false })
}

impl Response {
    /// The probability that a response is there within so many milliseconds.
    fn within(&self, ms: f64) -> f64 {
        // Two uniform jitters together are triangular.
        let piece = |i: u32| {
            let share = (f64::from(i) + 0.5) / f64::from(PIECES);
            let weight = if share < 0.5 { 4.0 * share } else { 4.0 * (1.0 - share) };
            weight * cdf(&self.delay, ms - self.way_ms - 2.0 * self.jitter_ms * share)
        };
        (0..PIECES).map(piece).sum::<f64>() / f64::from(PIECES)
    }

    /// The probability that a request is answered.
    fn answered(&self) -> f64 {
        1.0 - libm::pow(1.0 - (1.0 - self.fail) * self.within(self.timeout_ms), self.asked)
    }

    /// The probability that an answered request takes its client so long at most.
    fn latency_within(&self, ms: f64) -> f64 {
        let ms = ms - self.client_ms;
        if ms >= self.timeout_ms {
            return 1.0;
        }
        let there = self.within(ms);
        let all = |each: f64| libm::pow(each, self.asked);
        (all(there) - all(self.fail * there)) / self.answered()
    }

    /// The quantile of that.
    fn latency(&self, p: f64) -> f64 {
        let (mut low, mut high) = (self.client_ms, self.client_ms + self.timeout_ms);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.latency_within(middle) < p { low = middle } else { high = middle }
        }
        high
    }
}

/// The probability that a task takes so many milliseconds at most.
fn cdf(delay: &Delay, ms: f64) -> f64 {
    let t = ms / 1e3;
    match delay {
        _ if t < 0.0 => 0.0,
        Delay::Uniform(low, high) => {
            let (low, width) = (low.as_secs_f64(), (*high - *low).as_secs_f64());
            if width > 0.0 { ((t - low) / width).clamp(0.0, 1.0) } else { f64::from(u8::from(t >= low)) }
        }
        Delay::Constant(delay) => f64::from(u8::from(t >= delay.as_secs_f64())),
        Delay::Exponential(mean) => 1.0 - libm::exp(-t / mean),
        Delay::Lognormal(median, sigma) if *sigma > 0.0 => {
            0.5 * libm::erfc(-libm::log(t / median) / (sigma * std::f64::consts::SQRT_2))
        }
        Delay::Pareto(least, exponent) if t >= *least => 1.0 - libm::pow(t / least, 1.0 / exponent),
        Delay::Pareto(..) => 0.0,
        // By its quantiles.
        _ => {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..HALVINGS {
                let middle = 0.5 * (low + high);
                if delay.quantile(middle) <= Duration::from_secs_f64(t) {
                    low = middle
                } else {
                    high = middle
                }
            }
            low
        }
    }
}
