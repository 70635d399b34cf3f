//! What the server says of configurations that make no sense, in the order in which it looks.

use super::config::{AckPolicy, ApiError, ConsumerConfig, DeliverPolicy, Retention, StreamConfig};
use crate::substrate::nats::subject;

/// The longest time that message ids are remembered unless something else is asked for: 2 min.
const DUPLICATE_WINDOW: u64 = 120_000_000_000;
/// The shortest age and the shortest memory of message ids: 100 ms.
const SHORTEST: u64 = 100_000_000;
const REPLICAS_MAX: u32 = 5;

pub(super) fn not_clustered() -> ApiError {
    ApiError::new(500, 10074, "replicas > 1 not supported in non-clustered mode")
}

fn wrong(why: &str) -> ApiError {
    ApiError::new(500, 10052, why)
}

impl StreamConfig {
    /// Puts defaults in, and says what is wrong.
    pub(super) fn check(&mut self) -> Result<(), ApiError> {
        if self.name.is_empty() || self.name.contains([' ', '\t', '.', '*', '>']) {
            return Err(wrong("stream name is required and can not contain '.', '*', '>'"));
        }
        self.num_replicas = self.num_replicas.max(1);
        if self.num_replicas > REPLICAS_MAX {
            return Err(wrong("maximum replicas is 5"));
        }
        if self.duplicate_window == 0 {
            let longest = if self.max_age == 0 { DUPLICATE_WINDOW } else { self.max_age };
            self.duplicate_window = longest.min(DUPLICATE_WINDOW);
        }
        // The server takes 0 for "no limit", and says −1.
        for limit in [&mut self.max_msgs, &mut self.max_bytes, &mut self.max_msg_size] {
            *limit = if *limit == 0 { -1 } else { *limit };
        }
        if self.max_age > 0 && self.max_age < SHORTEST {
            return Err(wrong("max age needs to be >= 100ms"));
        }
        if self.max_age > 0 && self.duplicate_window > self.max_age {
            return Err(wrong("duplicates window can not be larger then max age"));
        }
        if self.duplicate_window < SHORTEST {
            return Err(wrong("duplicates window needs to be >= 100ms"));
        }
        if self.subjects.is_empty() {
            self.subjects.push(self.name.clone());
        }
        self.check_subjects()
    }

    fn check_subjects(&self) -> Result<(), ApiError> {
        for (place, own) in self.subjects.iter().enumerate() {
            if self.subjects[..place].contains(own) {
                return Err(wrong("duplicate subjects detected"));
            }
            if subject::is_subset(own, "$JS.API.>") {
                return Err(wrong("subjects overlap with jetstream api"));
            }
            if !subject::is_valid_pattern(own) {
                return Err(wrong("invalid subject"));
            }
        }
        for own in &self.subjects {
            if let Some(other) =
                self.subjects.iter().find(|other| *other != own && subject::overlap(other, own))
            {
                return Err(wrong(&format!("subject {own:?} overlaps with {other:?}")));
            }
        }
        Ok(())
    }
}

impl ConsumerConfig {
    /// What is wrong with it on such a stream.
    pub(super) fn check(&self, stream: &StreamConfig) -> Result<(), ApiError> {
        let refused = |code, why: &str| Err(ApiError::new(400, code, why));
        if !self.backoff.is_empty() && self.max_deliver <= self.backoff.len() as i64 {
            return refused(10116, "max deliver is required to be > length of backoff values");
        }
        if self.is_pull() {
            if self.ack_policy == AckPolicy::None && stream.retention == Retention::Workqueue {
                return refused(10084, "consumer in pull mode requires ack policy");
            }
        } else {
            let to = &self.deliver_subject;
            if subject::has_wildcard(to) {
                return refused(10079, "consumer deliver subject has wildcards");
            }
            if !subject::is_valid_pattern(to) {
                return refused(10112, "invalid push consumer deliver subject");
            }
            if stream.subjects.iter().any(|own| subject::is_subset(to, own)) {
                return refused(10081, "consumer deliver subject forms a cycle");
            }
            if self.max_waiting != 0 {
                return refused(10080, "consumer in push mode can not set max waiting");
            }
            if self.max_ack_pending > 0 && self.ack_policy == AckPolicy::None {
                return refused(10082, "consumer requires ack policy for max ack pending");
            }
        }
        let filter = self.filter_subject.as_str();
        let fits = |own: &String| {
            subject::is_subset(filter, own)
                || subject::has_wildcard(filter) && subject::is_subset(own, filter)
        };
        let fits_in = || subject::is_valid_pattern(filter) && stream.subjects.iter().any(fits);
        if !filter.is_empty() && !fits_in() {
            return refused(10093, "consumer filter subject is not a valid subset of the interest subjects");
        }
        self.check_start()
    }

    /// Its policy and where it is to begin.
    fn check_start(&self) -> Result<(), ApiError> {
        let policy = match self.deliver_policy {
            DeliverPolicy::All => "all",
            DeliverPolicy::Last => "last",
            DeliverPolicy::New => "new",
            DeliverPolicy::LastPerSubject => "last per subject",
            DeliverPolicy::ByStartSequence => "by start sequence",
        };
        let from = self.opt_start_seq > 0;
        let why = match self.deliver_policy {
            DeliverPolicy::ByStartSequence if !from => "but optional start sequence is not set",
            DeliverPolicy::ByStartSequence => return Ok(()),
            _ if from => "but optional start sequence is also set",
            DeliverPolicy::LastPerSubject if self.filter_subject.is_empty() => {
                "but optional filter subject is not set"
            }
            _ => return Ok(()),
        };
        Err(ApiError::new(400, 10094, &format!("consumer delivery policy is deliver {policy}, {why}")))
    }
}
