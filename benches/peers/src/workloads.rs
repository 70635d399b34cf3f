//! The three workloads: their sizes, their random numbers and the checksums that every implementation must reach.
//!
//! All time is integer and no result depends on the order of ties, so one wrong delay, a lost message or a task that
//! was not cancelled shows in the checksum.

/// Processes of W1, pairs of W2.
pub const PROCESSES: u32 = 1_000;
/// Worker tasks of one request in W3.
pub const WORKERS: u32 = 100;
/// W3: the coordinator gives up after so many ticks.
pub const LIMIT: u64 = 1_500;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Timers: every process sleeps again and again.
    W1,
    /// W1 with one trace record for each wake-up.
    W1Traced,
    /// Ping-pong: pairs that exchange messages with a delay.
    W2,
    /// Oracle: requests that fan out to cancellable worker tasks under a time limit.
    W3,
}

/// How often each process repeats: sleeps (W1), exchanges (W2), requests (W3).
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// The size whose checksum is known.
    Full,
    /// 10,000 operations, for what runs before the measurement and for cold figures.
    Small,
}

impl Workload {
    /// All of them, in the order of their numbers.
    pub const ALL: [Workload; 4] = [Workload::W1, Workload::W1Traced, Workload::W2, Workload::W3];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Workload::W1 => "W1",
            Workload::W1Traced => "W1-traced",
            Workload::W2 => "W2",
            Workload::W3 => "W3",
        }
    }

    /// How often each process repeats.
    pub fn repeats(self, size: Size) -> u64 {
        match size {
            Size::Full => match self {
                Workload::W1 | Workload::W1Traced => 5_000,
                Workload::W2 => 1_000,
                Workload::W3 => 20_000,
            },
            Size::Small => 10_000 / self.operations_per_repeat(),
        }
    }

    /// Wake-ups (W1), messages (W2), worker tasks (W3).
    pub fn operations(self, size: Size) -> u64 {
        self.repeats(size) * self.operations_per_repeat()
    }

    fn operations_per_repeat(self) -> u64 {
        match self {
            Workload::W1 | Workload::W1Traced => u64::from(PROCESSES),
            Workload::W2 => 2 * u64::from(PROCESSES),
            Workload::W3 => u64::from(WORKERS),
        }
    }

    /// What the full size comes to.
    pub fn checksum(self) -> u64 {
        match self {
            Workload::W1 | Workload::W1Traced => 2_493_175_558,
            Workload::W2 => 102_568_545,
            Workload::W3 => 3_794_578_883_851_360,
        }
    }
}

/// The generator that each process draws from.
#[derive(Clone, Copy)]
pub struct Lcg(u32);

impl Lcg {
    /// The generator of process `i`.
    pub fn of(i: u32) -> Self {
        Lcg((i + 1).wrapping_mul(2_654_435_761))
    }

    /// The next number, below 65,536.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from(self.0 >> 16)
    }

    /// W1: how long to sleep.
    pub fn nap(&mut self) -> u64 {
        1 + self.draw() % 1_000
    }

    /// W2: how long the next message travels.
    pub fn hop(&mut self) -> u64 {
        1 + self.draw() % 100
    }

    /// W3: the next job of this worker, in a request with `base`.
    pub fn job(&mut self, base: u64) -> Job {
        let delay = 101 + 2 * (self.draw() % 950);
        let fails = self.draw().is_multiple_of(10);
        let value = base * (950 + self.draw() % 101);
        Job { delay, answer: (!fails).then_some(value) }
    }
}

/// W3: what a worker task does.
#[derive(Clone, Copy)]
pub struct Job {
    /// How long it works.
    pub delay: u64,
    /// What it comes to; `None` when it fails.
    pub answer: Option<u64>,
}

/// W3: the figure that the workers of request `r` are to estimate.
pub fn base(r: u64) -> u64 {
    1_000 + r % 500
}

/// W3: what the coordinator and its client count.
#[derive(Default)]
pub struct Tally {
    request: u64,
    sum: u64,
    means: u64,
    ok: u64,
    failed: u64,
    late: u64,
}

impl Tally {
    /// A worker answered, or failed.
    pub fn add(&mut self, answer: Option<u64>) {
        match answer {
            Some(value) => {
                self.sum += value;
                self.request += 1;
            }
            None => self.failed += 1,
        }
    }

    /// The request is over; `heard` workers have answered or failed.
    pub fn close(&mut self, heard: u32) {
        self.means += self.sum.checked_div(self.request).unwrap_or(0);
        self.ok += self.request;
        self.late += u64::from(WORKERS - heard);
        self.sum = 0;
        self.request = 0;
    }

    /// The checksum of all requests: 52 bits, which a JavaScript number holds exactly.
    pub fn checksum(&self) -> u64 {
        let all = self.means ^ (self.ok << 40) ^ (self.failed << 20) ^ self.late;
        all & ((1 << 52) - 1)
    }
}
