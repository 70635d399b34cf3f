//! The configuration system's parameters.

use crate::lab::invalid::Invalid;
use crate::lab::params::{Allowed, Param, Parsed, SWITCH, ms, param, span};
use crate::systems::config::Params;
use serde_json::json;

const HOUR: u64 = 3_600_000;

/// All of them, in the order in which they are shown.
pub const TABLE: [Param<Params>; 14] = [
    param!("agents", Allowed::Count(1, 500), "how many agents there are",
        |p| json!(p.agents), Count => |p, v| p.agents = v),
    param!("workers", Allowed::Count(1, 10_000), "how many workers there are in all; they share the agents evenly",
        |p| json!(p.workers), Count => |p, v| p.workers = v),
    param!("poll", Allowed::Span(ms(100), ms(HOUR)), "the time from one poll of an agent to its next",
        |p| span(p.poll), Span => |p, v| p.poll = v),
    param!("poll-jitter", Allowed::Real(0.0, 1.0), "by which share that time is longer or shorter at most",
        |p| json!(p.poll_jitter), Real => |p, v| p.poll_jitter = v),
    param!("backoff-min", Allowed::Span(ms(1), ms(HOUR)), "the longest pause after a first failed poll; it doubles with each",
        |p| span(p.backoff_min), Span => |p, v| p.backoff_min = v),
    param!("backoff-cap", Allowed::Span(ms(1), ms(HOUR)), "the longest pause of all",
        |p| span(p.backoff_cap), Span => |p, v| p.backoff_cap = v),
    param!("backoff-jitter", SWITCH, "whether a pause is drawn from zero to its longest, or always is the longest",
        |p| json!(if p.backoff_jitter { "on" } else { "off" }), Word => |p, v: String| p.backoff_jitter = v == "on"),
    param!("client-timeout", Allowed::Span(ms(10), ms(60_000)), "how long agents, workers and the operator wait for an answer",
        |p| span(p.client_timeout), Span => |p, v| p.client_timeout = v),
    param!("worker-interval", Allowed::Span(ms(10), ms(HOUR)), "the time from one reading of a worker to its next",
        |p| span(p.worker_interval), Span => |p, v| p.worker_interval = v),
    param!("trigger", SWITCH, "whether the controller announces changes, so that agents poll at once",
        |p| json!(if p.trigger { "on" } else { "off" }), Word => |p, v: String| p.trigger = v == "on"),
    param!("put-period", Allowed::SpanOrOff(ms(1000), ms(24 * HOUR)), "the time between the operator's changes; 0 is off",
        |p| span(p.put_period), Span => |p, v| p.put_period = v),
    param!("bad-put", Allowed::CountOrOff(1, 10_000), "the number of the change that has a typing error",
        |p| if p.bad_put == 0 { json!("off") } else { json!(p.bad_put) }, Count => |p, v| p.bad_put = v),
    param!("rollback", Allowed::Span(ms(0), ms(24 * HOUR)), "how long after that change it is taken back",
        |p| span(p.rollback), Span => |p, v| p.rollback = v),
    param!("store-latency", Allowed::Span(ms(0), ms(10_000)), "how long a write takes to be durable (as in SQLite with a rollback journal and synchronous=FULL)",
        |p| span(p.store_latency), Span => |p, v| p.store_latency = v),
];

/// What only holds between parameters.
pub fn check(params: &Params) -> Result<(), Invalid> {
    if params.backoff_cap < params.backoff_min {
        let allowed = format!("at least backoff-min, which is {}", params.backoff_min);
        return Err(Invalid::new("backoff-cap", &params.backoff_cap.to_string(), &allowed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Duration;
    use crate::lab::params::{Setting, all, set};

    #[test]
    fn every_default_is_allowed_and_survives_a_round_trip() {
        let defaults = Params::default();
        for Setting { key, value, .. } in all(&TABLE, &defaults) {
            // One that differs from the default in every parameter.
            let mut params = Params {
                joining: 0,
                agents: 9,
                workers: 99,
                poll: Duration::from_secs(99),
                poll_jitter: 0.9,
                backoff_min: Duration::from_secs(9),
                backoff_cap: Duration::from_secs(99),
                backoff_jitter: false,
                client_timeout: Duration::from_secs(9),
                worker_interval: Duration::from_secs(9),
                trigger: true,
                put_period: Duration::from_secs(99),
                bad_put: 9,
                rollback: Duration::from_secs(9),
                store_latency: Duration::from_secs(9),
                client_on: true,
            };
            set(&TABLE, &mut params, key, &value).unwrap();
            let back = all(&TABLE, &params);
            assert!(back.iter().any(|now| now.key == key && now.value == value), "{key}");
            let others = all(&TABLE, &defaults).into_iter().filter(|other| back.contains(other));
            assert_eq!(others.map(|other| other.key).collect::<Vec<_>>(), [key], "and nothing else changed");
        }
    }

    #[test]
    fn what_is_not_allowed_is_named_with_its_range() {
        let mut params = Params::default();
        for (key, value, allowed) in [
            ("agents", "501", "from 1 to 500"),
            ("poll", "50ms", "from 100ms to 1h0m0s"),
            ("poll-jitter", "1.5", "from 0 to 1"),
            ("backoff-jitter", "full", "on, off"),
            ("put-period", "10ms", "from 1s to 24h0m0s"),
            ("bad-put", "-1", "from 1 to 10000"),
            ("timeout", "1s", "client-timeout"),
        ] {
            let error = set(&TABLE, &mut params, key, &json!(value)).unwrap_err().to_string();
            assert!(error.contains(allowed) && error.contains(key), "{error}");
        }
        assert_eq!(params, Params::default());
        params.backoff_cap = Duration::from_millis(1);
        assert_eq!(check(&params).unwrap_err().field, "backoff-cap");
    }
}
