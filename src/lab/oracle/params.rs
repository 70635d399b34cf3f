//! The oracle's parameters.

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
mod model;

use crate::lab::invalid::Invalid;
use crate::lab::params::{Allowed, Param, Parsed, SWITCH, ms, param, span};
use crate::systems::oracle::aggregator::Strategy;
use crate::systems::oracle::{Delivery, LieMode, Load, Params, Transport};
use serde_json::json;

/// Those of the oracle over HTTP, in the order in which they are shown.
pub const HTTP: &[Param<Params>] = ALL.split_at(5).1;

/// Those of the oracle over NATS: workers do not register there.
pub const NATS: &[Param<Params>] = ALL.split_at(ALL.len() - HTTP_ONLY).0;

/// Whether clients back off, in parameters.
const BACK_OFF: [&str; 2] = ["off", "retry-after"];

/// All of them: first what only NATS has, last what only HTTP has.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
const ALL: &[Param<Params>] = &model::between(TABLE);
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
const HTTP_ONLY: usize = 2;

/// The program that the page opens with has those of an oracle as it is by default.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "workbench")))]
const ALL: &[Param<Params>] = TABLE;
#[cfg(not(any(not(target_arch = "wasm32"), feature = "workbench")))]
const HTTP_ONLY: usize = 1;

const TABLE: &[Param<Params>; 32] = &[
    param!("transport", Allowed::Choice(&Transport::NAMES), "core NATS delivers at most once, JetStream at least once",
        |p| json!(p.transport.name()), Word => |p, v: String| p.transport = transport(&v)),
    param!("delivery", Allowed::Choice(&Delivery::NAMES), "every worker gets a task, or one of the queue group",
        |p| json!(p.delivery.name()), Word => |p, v: String| p.delivery = delivery(&v)),
    param!("presence", SWITCH, "workers say that they are there, so the coordinator knows whom to wait for",
        |p| json!(if p.presence { "on" } else { "off" }), Word => |p, v: String| p.presence = v == "on"),
    param!("ack-wait", Allowed::Span(ms(100), ms(60_000)), "JetStream delivers again what is not acknowledged for so long",
        |p| span(p.ack_wait), Span => |p, v| p.ack_wait = v),
    param!("max-deliver", Allowed::Count(1, 100), "how often JetStream delivers a message at most",
        |p| json!(p.max_deliver), Count => |p, v| p.max_deliver = v),
    param!("workers", Allowed::Count(1, 10_000), "how many workers there are",
        |p| json!(p.workers), Count => |p, v| p.workers = v),
    param!("timeout", Allowed::Span(ms(10), ms(60_000)), "how long the coordinator waits for answers",
        |p| span(p.timeout), Span => |p, v| p.timeout = v),
    param!("strategy", Allowed::Choice(&Strategy::NAMES), "how it makes one value of many",
        |p| json!(p.strategy.name()), Word => |p, v: String| p.strategy = Strategy::from_name(&v).unwrap_or_default()),
    param!("fail", Allowed::Real(0.0, 1.0), "the probability that a task fails",
        |p| json!(p.fail), Real => |p, v| p.fail = v),
    param!("lie", Allowed::Real(0.0, 1.0), "the share of workers that lie",
        |p| json!(p.lie), Real => |p, v| p.lie = v),
    param!("lie-bias", Allowed::Real(-0.99, 10.0), "by how much they lie, relative to the value",
        |p| json!(p.lie_bias), Real => |p, v| p.lie_bias = v),
    param!("lie-mode", Allowed::Choice(&LieMode::NAMES), "how they lie",
        |p| json!(p.lie_mode.name()), Word => |p, v: String| p.lie_mode = LieMode::from_name(&v).unwrap_or_default()),
    param!("noise", Allowed::Real(0.0, 0.5), "honest values lie within this share around the truth",
        |p| json!(p.noise), Real => |p, v| p.noise = v),
    param!("drift", Allowed::Real(0.0, 0.1), "the relative standard deviation of the truth's change in a second",
        |p| json!(p.drift), Real => |p, v| p.drift = v),
    param!("delay-min", Allowed::Span(ms(0), ms(60_000)), "the least time that a task takes",
        |p| span(p.delay_min), Span => |p, v| p.delay_min = v),
    param!("delay-max", Allowed::Span(ms(0), ms(60_000)), "the most time that a task takes",
        |p| span(p.delay_max), Span => |p, v| p.delay_max = v),
    param!("step", Allowed::Real(1e-6, 1e6), "majority's rounding step, in units of the value",
        |p| json!(p.step), Real => |p, v| p.step = v),
    param!("trim", Allowed::Real(0.0, 0.49), "the share that the trimmed mean drops at each end",
        |p| json!(p.trim), Real => |p, v| p.trim = v),
    param!("quorum", Allowed::CountOrOff(1, 10_000), "it answers as soon as it has so many answers",
        |p| if p.quorum == 0 { json!("off") } else { json!(p.quorum) }, Count => |p, v| p.quorum = v),
    param!("load", Allowed::Choice(&["constant", "poisson", "burst", "closed"]), "when clients send",
        |p| json!(p.load.name()), Word => |p, v: String| p.load = load(&v)),
    param!("period", Allowed::Span(ms(1), ms(3_600_000)), "the gap between requests, or its mean",
        |p| span(p.period), Span => |p, v| p.period = v),
    param!("clients", Allowed::Count(1, 10_000), "how many clients there are, each with an address of its own; they take turns, unless the load is burst or closed",
        |p| json!(p.clients), Count => |p, v| p.clients = v),
    param!("at-once", Allowed::Count(1, 10_000), "requests of each client at one instant (burst), or open (closed)",
        |p| json!(p.at_once), Count => |p, v| p.at_once = v),
    param!("query", Allowed::Text(200), "what is asked",
        |p| json!(p.query), Word => |p, v: String| p.query = v.into()),
    param!("rate", Allowed::RealOrOff(0.001, 1e6), "how many requests a second one address may send in the long run",
        |p| p.rate.map_or_else(|| json!("off"), |rate| json!(rate)), Real => |p, v| p.rate = (v > 0.0).then_some(v)),
    param!("burst", Allowed::Count(1, 10_000), "how many of them at one instant",
        |p| json!(p.burst), Count => |p, v| p.burst = v),
    param!("back-off", Allowed::Choice(&BACK_OFF), "after a 429 a client sends its request again when Retry-After says, five times at most",
        |p| json!(BACK_OFF[usize::from(p.back_off)]), Word => |p, v: String| p.back_off = v == BACK_OFF[1]),
    param!("deviation", Allowed::Real(0.0, 1.0), "a result this far off the last report is reported, relative to it",
        |p| json!(p.deviation), Real => |p, v| p.deviation = v),
    param!("report-heartbeat", Allowed::Span(ms(100), ms(86_400_000)), "an older report is stale, and the next result is reported",
        |p| span(p.report_heartbeat), Span => |p, v| p.report_heartbeat = v),
    param!("heartbeat", Allowed::SpanOrOff(ms(100), ms(3_600_000)), "the time between heartbeats; 0 is off",
        |p| span(p.heartbeat), Span => |p, v| p.heartbeat = v),
    param!("stale", Allowed::Span(ms(100), ms(3_600_000)), "a worker silent for longer is dropped from the registry",
        |p| span(p.stale), Span => |p, v| p.stale = v),
    param!("register", SWITCH, "whether workers register by themselves",
        |p| json!(if p.register { "on" } else { "off" }), Word => |p, v: String| p.register = v == "on"),
];

fn load(name: &str) -> Load {
    Load::ALL.into_iter().find(|load| load.name() == name).unwrap_or_default()
}

fn transport(name: &str) -> Transport {
    if name == Transport::JetStream.name() { Transport::JetStream } else { Transport::Core }
}

fn delivery(name: &str) -> Delivery {
    if name == Delivery::Queue.name() { Delivery::Queue } else { Delivery::FanOut }
}

/// The table of an oracle, by what is between its nodes.
pub fn table(params: &Params) -> &'static [Param<Params>] {
    if params.has_broker() { NATS } else { HTTP }
}

/// What only holds between parameters.
pub fn check(params: &Params) -> Result<(), Invalid> {
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    if !model::check(params)? {
        return Ok(());
    }
    if params.delay_min > params.delay_max {
        let allowed = format!("at most delay-max, which is {}", params.delay_max);
        return Err(Invalid::new("delay-min", &params.delay_min.to_string(), &allowed));
    }
    Ok(())
}
