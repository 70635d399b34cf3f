//! What can be set about an oracle.

use super::aggregator::{Knobs, Strategy, pyth};
use super::lie::LieMode;
use super::model::Model;
use crate::kernel::Duration;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// How the clients decide when to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// Open loop: one request every period; clients take turns.
    #[default]
    Constant,
    /// Open loop: exponential gaps with the period as their mean; clients take turns.
    Poisson,
    /// Open loop: every client sends `at_once` requests at one instant, every period.
    Burst,
    /// Closed loop: every client has `at_once` requests open, and sends the next when it has the answer to one.
    Closed,
}

impl Load {
    /// All of them.
    pub const ALL: [Load; 4] = [Load::Constant, Load::Poisson, Load::Burst, Load::Closed];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Load::Constant => "constant",
            Load::Poisson => "poisson",
            Load::Burst => "burst",
            Load::Closed => "closed",
        }
    }
}

/// How tasks reach the workers, and answers the coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// One exchange with each registered worker.
    #[default]
    Http,
    /// Subjects of core NATS: at most once.
    Core,
    /// Streams of JetStream: at least once.
    JetStream,
}

impl Transport {
    /// Those over NATS, in parameters.
    pub const NAMES: [&'static str; 2] = ["core", "jetstream"];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Http => "http",
            Transport::Core => "core",
            Transport::JetStream => "jetstream",
        }
    }
}

/// Who gets a task that is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Every worker.
    #[default]
    FanOut,
    /// One of them: they are a queue group.
    Queue,
}

impl Delivery {
    /// Their names in parameters.
    pub const NAMES: [&'static str; 2] = ["fanout", "queue"];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// The parameters of an oracle. The defaults are the opening run's: the source documents' numbers with 12 workers
/// and a timeout of 1.5 s, so that some answers are late.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// What is between the coordinator and the workers.
    pub transport: Transport,
    /// Over NATS: who gets a task.
    pub delivery: Delivery,
    /// Whether the coordinator knows who is there. Over HTTP it always does.
    pub presence: bool,
    /// With JetStream: a message that is not acknowledged for so long is delivered again.
    pub ack_wait: Duration,
    /// With JetStream: how often at most.
    pub max_deliver: u32,
    /// How many workers there are.
    pub workers: u32,
    /// How long the coordinator waits for answers.
    pub timeout: Duration,
    /// How it makes one value of many.
    pub strategy: Strategy,
    /// Majority's rounding step, in units of the value.
    pub step: f64,
    /// The share of answers that the trimmed mean drops at each end.
    pub trim: f64,
    /// The coordinator answers as soon as it has so many answers; 0 waits for all, or the timeout.
    pub quorum: u32,
    /// The probability that a task fails.
    pub fail: f64,
    /// The share of workers that lie, rounded half up to whole workers.
    pub lie: f64,
    /// By how much they lie, relative to the value.
    pub lie_bias: f64,
    /// How they lie.
    pub lie_mode: LieMode,
    /// How the truth moves: the standard deviation of its relative change in one second.
    pub drift: f64,
    /// Honest values are uniform within this share around the truth.
    pub noise: f64,
    /// The least time that a task takes.
    pub delay_min: Duration,
    /// The most.
    pub delay_max: Duration,
    /// When the clients send.
    pub load: Load,
    /// The gap between requests, see [`Load`].
    pub period: Duration,
    /// How many clients there are, each with an address of its own.
    pub clients: u32,
    /// How many requests each of them sends at one instant, or has open, see [`Load`].
    pub at_once: u32,
    /// What they ask for.
    pub query: Rc<str>,
    /// The time between a worker's heartbeats; zero switches them off.
    pub heartbeat: Duration,
    /// A worker silent for longer is removed from the registry.
    pub stale: Duration,
    /// Whether workers register by themselves.
    pub register: bool,
    /// How many requests a second the coordinator takes from one client in the long run; `None` is no limit.
    pub rate: Option<f64>,
    /// How many of them at one instant.
    pub burst: u32,
    /// Whether a client that gets a 429 sends its request again when `Retry-After` says.
    pub back_off: bool,
    /// A result that is off the last report by this share is reported.
    pub deviation: f64,
    /// One that comes so long after the last report is reported too, and the last is stale.
    pub report_heartbeat: Duration,
    /// Whether the clients make any load.
    pub client_on: bool,
    /// The workers, counted from 1, that somebody starts later.
    pub late: Vec<u32>,
    /// By which law tasks take their time, and what else makes it resemble a system of one's own.
    pub model: Model,
    /// How many of the workers wait until there are to be more than at first: the last ones.
    pub joining: u32,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            transport: Transport::Http,
            delivery: Delivery::FanOut,
            presence: true,
            ack_wait: Duration::from_secs(3),
            max_deliver: 5,
            workers: 12,
            timeout: Duration::from_millis(1500),
            strategy: Strategy::Average,
            step: 1.0,
            trim: 0.1,
            quorum: 0,
            fail: 0.1,
            lie: 0.0,
            lie_bias: 0.18,
            lie_mode: LieMode::Constant,
            drift: 0.0,
            noise: 0.05,
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(2),
            load: Load::Constant,
            period: Duration::from_secs(2),
            clients: 1,
            at_once: 1,
            query: "BTC/USD".into(),
            heartbeat: Duration::from_secs(5),
            stale: Duration::from_secs(15),
            register: true,
            rate: None,
            burst: 10,
            back_off: false,
            deviation: 0.005,
            report_heartbeat: Duration::from_secs(60),
            client_on: true,
            late: Vec::new(),
            model: Model::default(),
            joining: 0,
        }
    }
}

impl Params {
    /// The defaults of the oracle over NATS: a client may send 10 requests a second, 10 at once.
    pub fn over_nats() -> Self {
        Params { transport: Transport::Core, rate: Some(10.0), ..Params::default() }
    }

    /// How many workers there are before anybody scales them.
    pub fn at_first(&self) -> u32 {
        self.workers - self.joining
    }

    /// Whether a broker stands between the coordinator and the workers.
    pub fn has_broker(&self) -> bool {
        self.transport != Transport::Http
    }

    /// What the strategies need besides the answers.
    pub fn knobs(&self) -> Knobs {
        Knobs { step: self.step, trim: self.trim, confidence: pyth::confidence_of_noise(self.noise) }
    }
}
