//! What queueing theory says of systems simple enough for it, to hold runs against.

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::course::WAIT;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::lab::measure::{Of, Statistic, Theory};
use crate::systems::wizard::{Law, Load, Params};

/// The probability that a job has to wait in an M/M/c queue: Erlang's C formula.
///
/// `offered` is the arrival rate times the mean work, in [0, servers). By the recursion of Erlang's B over the servers,
/// B(0) = 1, B(k) = a B(k−1) / (k + a B(k−1)), and C = B(c) / (1 − ρ (1 − B(c))), ρ = a / c.
/// Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
/// exchanges", 1917; the recursion as in L. Kleinrock, Queueing Systems I, 1975, section 3.5.
pub fn erlang_c(servers: u32, offered: f64) -> f64 {
    let blocked = (1..=servers).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    let utilisation = offered / f64::from(servers);
    blocked / (1.0 - utilisation * (1.0 - blocked))
}

/// The mean wait before service in an M/M/c queue, in units of the mean work: C / (c − a).
pub fn mmc_mean_wait(servers: u32, offered: f64) -> f64 {
    erlang_c(servers, offered) / (f64::from(servers) - offered)
}

/// The offered load and the servers of a Math Wizard, if its parameters make it an M/M/c queue: Poisson arrivals, exponential
/// work, nothing on the way, nobody turned away, and load that it can bear.
fn mmc(params: &Params) -> Option<(u32, f64)> {
    let is_plain = params.load == Load::Poisson
        && params.law == Law::Exponential
        && params.latency.as_nanos() == 0
        && params.queue_limit == 0
        && params.rate == 0
        && params.fail == 0.0
        && params.scale_to == 0;
    let servers = params.containers * params.workers;
    let offered = params.work.as_secs_f64() / params.period.as_secs_f64();
    (is_plain && offered < f64::from(servers)).then_some((servers, offered))
}

/// The mean wait in seconds that theory expects of a Math Wizard that is an M/M/c queue.
pub fn mean_wait(params: &Params) -> Option<f64> {
    let (servers, offered) = mmc(params)?;
    Some(mmc_mean_wait(servers, offered) * params.work.as_secs_f64())
}

/// What theory says of a metric. Who waits does so for an exponential time: P(W > t) = C exp(−(c − a) t / work). It is of a
/// queue that has run for ever; ours begins empty, which `warmup` makes up for.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub(super) fn of(params: &Params, of: &Of) -> Option<Theory> {
    let (servers, offered) = mmc(params)?;
    let waits = erlang_c(servers, offered);
    let scale_ms = params.work.as_millis_f64() / (f64::from(servers) - offered);
    let value = match of {
        Of::Measure(WAIT, Statistic::Mean) => waits * scale_ms,
        Of::Measure(WAIT, Statistic::Over(limit)) => waits * libm::exp(-limit / scale_ms),
        Of::Measure(WAIT, Statistic::Percentile(p)) => {
            (scale_ms * libm::log(waits / (1.0 - p / 100.0))).max(0.0)
        }
        _ => return None,
    };
    Some(Theory { value, bound: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_waits_as_in_an_m_m_1_queue() {
        for rho in [0.1, 0.5, 0.8, 0.95] {
            assert!((erlang_c(1, rho) - rho).abs() < 1e-12);
            assert!((mmc_mean_wait(1, rho) - rho / (1.0 - rho)).abs() < 1e-9);
        }
    }

    #[test]
    fn exact_fractions_come_out() {
        // By the defining sum, in exact fractions.
        assert!((erlang_c(2, 1.0) - 1.0 / 3.0).abs() < 1e-12);
        assert!((erlang_c(3, 2.0) - 4.0 / 9.0).abs() < 1e-12);
        assert!((erlang_c(5, 4.0) - 128.0 / 231.0).abs() < 1e-12);
    }
}
