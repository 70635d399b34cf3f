//! What can be set about a Math Wizard.

use crate::kernel::Duration;
use serde::Serialize;

macro_rules! words {
    ($type:ident: $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// The names of all, in order.
            pub const NAMES: [&'static str; [$($word),+].len()] = [$($word),+];

            /// Its name in parameters.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }

            /// The one of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some($type::$variant),)+ _ => None }
            }
        }
    };
}

/// How a worker takes a job from the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// `BRPOP`: the queue forgets it. At most once.
    #[default]
    Brpop,
    /// `BLMOVE` to a processing list, which a reaper looks through. At least once.
    Lmove,
}
words!(Mode: Brpop = "brpop", Lmove = "lmove");

/// Who sends jobs, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// Each of `users` sends a job, follows it, thinks, and sends the next.
    #[default]
    Users,
    /// The same with `users`, then twice, then four times as many, `stair` long each.
    Staircase,
    /// One job every `period`, whatever became of those before.
    Constant,
    /// Exponential gaps with `period` as their mean.
    Poisson,
}
words!(Load: Users = "users", Staircase = "staircase", Constant = "constant", Poisson = "poisson");

/// How the time that a job takes is distributed about its mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Law {
    /// Between half and one and a half times the mean.
    #[default]
    Uniform,
    /// Without memory.
    Exponential,
    /// Always the mean.
    Constant,
}
words!(Law: Uniform = "uniform", Exponential = "exponential", Constant = "constant");

/// What the store keeps when its process dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persist {
    /// The last snapshot, by the server's own default rules.
    #[default]
    Snapshot,
    /// Everything: the append-only file.
    Aof,
    /// Nothing.
    None,
}
words!(Persist: Snapshot = "snapshot", Aof = "aof", None = "none");

/// The parameters. The key of each in the table of parameters is its name with hyphens.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// How many containers there are at the start.
    pub containers: u32,
    /// Worker processes in each.
    pub workers: u32,
    /// How they take jobs.
    pub mode: Mode,
    /// Who sends jobs.
    pub load: Load,
    /// How many users there are, see [`Load`].
    pub users: u32,
    /// How long a user thinks between two jobs.
    pub think: Duration,
    /// How long a step of the staircase lasts.
    pub stair: Duration,
    /// The gap between jobs of an open load, or its mean.
    pub period: Duration,
    /// How long a job takes, on average.
    pub work: Duration,
    /// How that is distributed.
    pub law: Law,
    /// The probability that an attempt fails.
    pub fail: f64,
    /// After so many failed attempts a job goes to the dead-letter queue.
    pub attempts: u32,
    /// The time between two polls of a user.
    pub poll: Duration,
    /// A user gives up after so many; 0 is a user who never polls.
    pub polls: u32,
    /// Jobs are turned away with 503 while so many wait; 0 is no limit.
    pub queue_limit: u32,
    /// Requests a second that the gateway lets through; 0 is no limit.
    pub rate: u32,
    /// How many more may come early.
    pub burst: u32,
    /// How long a message travels on each link; jitter of a third of it comes on top.
    pub latency: Duration,
    /// How long a user waits for an answer.
    pub timeout: Duration,
    /// Whether a user who got no answer sends the same job again.
    pub repeat: bool,
    /// A job that has been in the processing list for longer goes back to the queue.
    pub lease: Duration,
    /// How long the store keeps what is known of a job that is over.
    pub task_ttl: Duration,
    /// What the store keeps.
    pub persist: Persist,
    /// How many containers there are after `scale_at`, more or fewer; 0 for no change.
    pub scale_to: u32,
    /// When further containers start.
    pub scale_at: Duration,
    /// When the gateway reads its configuration again; zero for never.
    pub reload_at: Duration,
    /// Whether the client makes any load.
    pub client_on: bool,
    /// How many further containers wait until somebody scales: the last ones.
    pub joining: u32,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            containers: 3,
            workers: 1,
            mode: Mode::Brpop,
            load: Load::Users,
            users: 6,
            think: Duration::from_secs(1),
            stair: Duration::from_secs(20),
            period: Duration::from_secs(1),
            work: Duration::from_millis(1500),
            law: Law::Uniform,
            fail: 0.0,
            attempts: 3,
            poll: Duration::from_secs(1),
            polls: 10,
            queue_limit: 20,
            rate: 0,
            burst: 10,
            latency: Duration::from_millis(30),
            timeout: Duration::from_secs(5),
            repeat: false,
            lease: Duration::from_secs(5),
            task_ttl: Duration::from_secs(3600),
            persist: Persist::Snapshot,
            scale_to: 0,
            scale_at: Duration::from_secs(10),
            reload_at: Duration::ZERO,
            client_on: true,
            joining: 0,
        }
    }
}

impl Params {
    /// How many containers there are at most in a run that nobody scales by hand: each has its node from the start, up or not.
    pub fn containers_max(&self) -> u32 {
        self.containers.max(self.scale_to)
    }
}
