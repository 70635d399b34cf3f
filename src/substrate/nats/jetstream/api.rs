//! The API: JSON requests on `$JS.API.…`, answered on their reply subject.

use super::config::{AckPolicy, ApiError, ConsumerConfig, DeliverPolicy, Retention, StreamConfig};
use super::outbox::Outbox;
use super::stream::Stream;
use super::{Js, subject_overlap};
use crate::substrate::nats::subject;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// The longest time that message ids are remembered unless something else is asked for: 2 min.
const DUPLICATE_WINDOW: u64 = 120_000_000_000;

fn stream_missing() -> ApiError {
    ApiError::new(404, 10059, "stream not found")
}

fn consumer_missing() -> ApiError {
    ApiError::new(404, 10014, "consumer not found")
}

fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(payload).map_err(|_| ApiError::new(400, 10025, "invalid JSON"))
}

#[derive(serde::Deserialize)]
struct ConsumerRequest {
    config: ConsumerConfig,
}

impl Js {
    pub(super) fn call(&mut self, call: &str, reply: &Rc<str>, payload: &[u8], outbox: &mut Outbox) {
        let parts: Vec<&str> = call.split('.').collect();
        let (kind, result) = match parts[..] {
            ["INFO"] => ("account_info", Ok(self.account())),
            ["STREAM", "CREATE", name] => ("stream_create", self.create_stream(name, payload)),
            ["STREAM", "INFO", name] => ("stream_info", self.stream(name).map(|stream| stream.info())),
            ["STREAM", "NAMES"] => ("stream_names", Ok(json!({"streams": self.names()}))),
            ["STREAM", "DELETE", name] => {
                let found = self.streams.remove(name).ok_or_else(stream_missing);
                self.index_targets();
                ("stream_delete", found.map(|_| json!({"success": true})))
            }
            ["STREAM", "PURGE", name] => {
                let purged = self.stream(name).map(Stream::purge);
                ("stream_purge", purged.map(|purged| json!({"success": true, "purged": purged})))
            }
            ["CONSUMER", "CREATE", stream]
            | ["CONSUMER", "CREATE", stream, _]
            | ["CONSUMER", "DURABLE", "CREATE", stream, _] => {
                let name = if parts[1] == "DURABLE" { parts.get(4) } else { parts.get(3) };
                ("consumer_create", self.create_consumer(stream, name.copied(), payload, outbox))
            }
            ["CONSUMER", "INFO", stream, name] => ("consumer_info", self.consumer_info(stream, name, outbox)),
            ["CONSUMER", "DELETE", stream, name] => {
                let found = self.stream(stream).and_then(|s| s.forget(name).ok_or_else(consumer_missing));
                if let Ok(consumer) = &found {
                    self.retarget(stream, consumer.target.as_ref(), None, name);
                }
                ("consumer_delete", found.map(|_| json!({"success": true})))
            }
            ["CONSUMER", "MSG", "NEXT", stream, name] => {
                return self.next(stream, name, reply, payload, outbox);
            }
            // The server has no answer to a call that it does not know.
            _ => return,
        };
        let mut answer = Map::new();
        answer.insert("type".to_owned(), format!("io.nats.jetstream.api.v1.{kind}_response").into());
        match result {
            Ok(Value::Object(fields)) => answer.extend(fields),
            Ok(_) => {}
            Err(error) => {
                answer.insert("error".to_owned(), json!(error));
            }
        }
        let answer = Value::Object(answer);
        outbox.json(reply, &answer);
        if kind == "consumer_create"
            && let (Some(stream), Some(name)) = (answer["stream_name"].as_str(), answer["name"].as_str())
            && let Some(stream) = self.streams.get_mut(stream)
        {
            stream.change(name, outbox, |_, _| Vec::new());
        }
    }

    fn stream(&mut self, name: &str) -> Result<&mut Stream, ApiError> {
        self.streams.get_mut(name).ok_or_else(stream_missing)
    }

    fn names(&self) -> Vec<&str> {
        self.streams.keys().map(String::as_str).collect()
    }

    fn account(&self) -> Value {
        let [streams, consumers, _, bytes] = self.totals();
        json!({"streams": streams, "consumers": consumers, "storage": bytes})
    }

    fn create_stream(&mut self, name: &str, payload: &[u8]) -> Result<Value, ApiError> {
        let mut config: StreamConfig = parse(payload)?;
        if config.name != name {
            return Err(ApiError::new(400, 10056, "stream name in subject does not match request"));
        }
        if config.subjects.is_empty() {
            config.subjects.push(name.to_owned());
        }
        if let Some(wrong) = config.subjects.iter().find(|pattern| !subject::is_valid_pattern(pattern)) {
            return Err(ApiError::new(500, 10052, &format!("invalid subject {wrong:?}")));
        }
        if config.duplicate_window == 0 {
            let longest = if config.max_age == 0 { DUPLICATE_WINDOW } else { config.max_age };
            config.duplicate_window = longest.min(DUPLICATE_WINDOW);
        }
        // The server takes 0 for "no limit", and says −1.
        for limit in [&mut config.max_msgs, &mut config.max_bytes, &mut config.max_msg_size] {
            *limit = if *limit == 0 { -1 } else { *limit };
        }
        if let Some(known) = self.streams.get(name) {
            if known.config != config {
                return Err(ApiError::new(
                    400,
                    10058,
                    "stream name already in use with a different configuration",
                ));
            }
        } else {
            let taken = self.streams.values().any(|other| subject_overlap(&other.config, &config));
            if taken {
                return Err(ApiError::new(400, 10065, "subjects overlap with an existing stream"));
            }
            self.streams.insert(name.to_owned(), Stream::new(config));
        }
        let mut info = self.stream(name)?.info();
        info["did_create"] = true.into();
        Ok(info)
    }

    fn create_consumer(
        &mut self,
        stream_name: &str,
        name: Option<&str>,
        payload: &[u8],
        outbox: &mut Outbox,
    ) -> Result<Value, ApiError> {
        let config = parse::<ConsumerRequest>(payload)?.config.with_defaults();
        self.unnamed += 1;
        let unnamed = format!("e{:07}", self.unnamed);
        let stream = self.stream(stream_name)?;
        let own =
            [config.durable_name.as_str(), config.name.as_str()].into_iter().find(|name| !name.is_empty());
        let name = name.or(own).unwrap_or(&unnamed).to_owned();
        if own.is_some_and(|own| own != name) {
            return Err(ApiError::new(
                400,
                10017,
                "consumer name in subject does not match durable name in request",
            ));
        }
        if config.deliver_policy == DeliverPolicy::ByStartSequence && config.opt_start_seq == 0 {
            return Err(ApiError::new(
                400,
                10094,
                "consumer delivery policy is deliver by start sequence, but optional start sequence is not set",
            ));
        }
        if !stream.consumers.contains_key(name.as_str()) {
            check_workqueue(stream, &config)?;
        }
        let target = |stream: &Stream| stream.consumers.get(name.as_str())?.target.clone();
        let before = target(stream);
        stream.set_up(&name, config)?;
        let (after, info) = (target(stream), stream.info_of(&name, outbox));
        self.retarget(stream_name, before.as_ref(), after.as_ref(), &name);
        info.ok_or_else(consumer_missing)
    }

    fn consumer_info(&mut self, stream: &str, name: &str, outbox: &mut Outbox) -> Result<Value, ApiError> {
        self.stream(stream)?.info_of(name, outbox).ok_or_else(consumer_missing)
    }

    /// A pull request. Nobody answers one for a consumer that there is not.
    fn next(&mut self, stream: &str, name: &str, reply: &Rc<str>, payload: &[u8], outbox: &mut Outbox) {
        let Some(stream) = self.streams.get_mut(stream) else {
            return;
        };
        stream.change(name, outbox, |consumer, outbox| {
            consumer.pull(reply, payload, outbox);
            Vec::new()
        });
    }
}

/// What a work queue asks of its consumers: no message may be for two of them.
fn check_workqueue(stream: &Stream, config: &ConsumerConfig) -> Result<(), ApiError> {
    if stream.config.retention != Retention::Workqueue {
        return Ok(());
    }
    if config.ack_policy != AckPolicy::Explicit {
        return Err(if config.is_pull() {
            ApiError::new(400, 10084, "consumer in pull mode requires ack policy")
        } else {
            ApiError::new(400, 10098, "workqueue stream requires explicit ack")
        });
    }
    if config.deliver_policy != DeliverPolicy::All {
        return Err(ApiError::new(400, 10101, "consumer must be deliver all on workqueue stream"));
    }
    let mut others = stream.consumers.values().map(|consumer| consumer.config.filter_subject.as_str());
    let filter = config.filter_subject.as_str();
    if filter.is_empty() && others.clone().next().is_some() {
        return Err(ApiError::new(
            400,
            10099,
            "multiple non-filtered consumers not allowed on workqueue stream",
        ));
    }
    if others.any(|other| other.is_empty() || subject::overlap(other, filter)) {
        return Err(ApiError::new(400, 10100, "filtered consumer not unique on workqueue stream"));
    }
    Ok(())
}
