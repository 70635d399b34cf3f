//! The Math Wizard's parameters.

use crate::lab::params::{Allowed, Param, Parsed, SWITCH, ms, param, span};
use crate::systems::wizard::{Law, Load, Mode, Params, Persist};
use serde_json::{Value, json};

/// All of them, in the order in which they are shown.
pub const TABLE: [Param<Params>; 26] = [
    param!("containers", Allowed::Count(1, 50), "how many containers there are at the start",
        |p| json!(p.containers), Count => |p, v| p.containers = v),
    param!("workers", Allowed::Count(1, 8), "worker processes in each",
        |p| json!(p.workers), Count => |p, v| p.workers = v),
    param!("mode", Allowed::Choice(&Mode::NAMES), "how a worker takes a job: for good, or to a processing list",
        |p| json!(p.mode.name()), Word => |p, v: String| p.mode = Mode::from_name(&v).unwrap_or_default()),
    param!("load", Allowed::Choice(&Load::NAMES), "who sends jobs, and when",
        |p| json!(p.load.name()), Word => |p, v: String| p.load = Load::from_name(&v).unwrap_or_default()),
    param!("users", Allowed::Count(1, 1000), "users, at the foot of the staircase if there is one",
        |p| json!(p.users), Count => |p, v| p.users = v),
    param!("think", Allowed::Span(ms(0), ms(3_600_000)), "how long a user thinks between two jobs, on average",
        |p| span(p.think), Span => |p, v| p.think = v),
    param!("stair", Allowed::Span(ms(100), ms(3_600_000)), "how long a step of the staircase lasts",
        |p| span(p.stair), Span => |p, v| p.stair = v),
    param!("period", Allowed::Span(ms(1), ms(3_600_000)), "the gap between jobs of an open load, or its mean",
        |p| span(p.period), Span => |p, v| p.period = v),
    param!("work", Allowed::Span(ms(1), ms(3_600_000)), "how long a job takes, on average",
        |p| span(p.work), Span => |p, v| p.work = v),
    param!("work-law", Allowed::Choice(&Law::NAMES), "how that is distributed",
        |p| json!(p.law.name()), Word => |p, v: String| p.law = Law::from_name(&v).unwrap_or_default()),
    param!("fail", Allowed::Real(0.0, 1.0), "the probability that an attempt fails",
        |p| json!(p.fail), Real => |p, v| p.fail = v),
    param!("attempts", Allowed::Count(1, 100), "so many failed attempts make a dead letter",
        |p| json!(p.attempts), Count => |p, v| p.attempts = v),
    param!("poll", Allowed::Span(ms(10), ms(3_600_000)), "the time between two polls of a user",
        |p| span(p.poll), Span => |p, v| p.poll = v),
    param!("polls", Allowed::CountOrOff(1, 10_000), "a user gives up after so many",
        |p| count_or_off(p.polls), Count => |p, v| p.polls = v),
    param!("queue-limit", Allowed::CountOrOff(1, 1_000_000), "jobs are turned away while so many wait",
        |p| count_or_off(p.queue_limit), Count => |p, v| p.queue_limit = v),
    param!("rate", Allowed::CountOrOff(1, 1_000_000), "requests a second that the gateway lets through",
        |p| count_or_off(p.rate), Count => |p, v| p.rate = v),
    param!("burst", Allowed::Count(0, 10_000), "how many more may come early",
        |p| json!(p.burst), Count => |p, v| p.burst = v),
    param!("latency", Allowed::Span(ms(0), ms(10_000)), "how long a message travels on a link, a third of it being jitter on top",
        |p| span(p.latency), Span => |p, v| p.latency = v),
    param!("timeout", Allowed::Span(ms(10), ms(60_000)), "how long a user waits for an answer",
        |p| span(p.timeout), Span => |p, v| p.timeout = v),
    param!("repeat", SWITCH, "whether a user who got no answer sends the job again",
        |p| json!(if p.repeat { "on" } else { "off" }), Word => |p, v: String| p.repeat = v == "on"),
    param!("lease", Allowed::Span(ms(100), ms(3_600_000)), "a job in the processing list for longer goes back to the queue",
        |p| span(p.lease), Span => |p, v| p.lease = v),
    param!("task-ttl", Allowed::Span(ms(1000), ms(86_400_000)), "how long the store keeps what is known of a job that is over; then its status is a 404",
        |p| span(p.task_ttl), Span => |p, v| p.task_ttl = v),
    param!("persist", Allowed::Choice(&Persist::NAMES), "what the store keeps when it dies",
        |p| json!(p.persist.name()), Word => |p, v: String| p.persist = Persist::from_name(&v).unwrap_or_default()),
    param!("scale-to", Allowed::CountOrOff(1, 50), "how many containers there are later: more, or fewer",
        |p| count_or_off(p.scale_to), Count => |p, v| p.scale_to = v),
    param!("scale-at", Allowed::Span(ms(0), ms(86_400_000)), "when further containers start, or the last ones are asked to end",
        |p| span(p.scale_at), Span => |p, v| p.scale_at = v),
    param!("reload-at", Allowed::SpanOrOff(ms(1), ms(86_400_000)), "when the gateway reads its configuration again; 0 is never",
        |p| span(p.reload_at), Span => |p, v| p.reload_at = v),
];

fn count_or_off(count: u32) -> Value {
    if count == 0 { json!("off") } else { json!(count) }
}
