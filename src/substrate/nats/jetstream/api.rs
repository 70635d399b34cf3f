//! The API: JSON requests on `$JS.API.…`, answered on their reply subject.

use super::check::not_clustered;
use super::config::{AckPolicy, ApiError, ConsumerConfig, DeliverPolicy, Retention, StreamConfig};
use super::outbox::Outbox;
use super::stream::Stream;
use super::{Js, subject_overlap};
use crate::substrate::nats::subject;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::rc::Rc;

pub(super) fn stream_missing() -> ApiError {
    ApiError::new(404, 10059, "stream not found")
}

fn consumer_missing() -> ApiError {
    ApiError::new(404, 10014, "consumer not found")
}

fn mismatch() -> ApiError {
    ApiError::new(400, 10056, "stream name in subject does not match request")
}

/// The names in a consumer's configuration, and the one in the call's subject.
fn check_names(config: &ConsumerConfig, name: Option<&str>, durable: bool) -> Result<(), ApiError> {
    let own = config.durable_name.as_str();
    let why = match name {
        Some(_) if durable && own.is_empty() => {
            (10018, "consumer expected to be durable but a durable name was not set")
        }
        Some(name) if !own.is_empty() && own != name => {
            (10017, "consumer name in subject does not match durable name in request")
        }
        None if !own.is_empty() => {
            (10020, "consumer expected to be ephemeral but a durable name was set in request")
        }
        _ => return Ok(()),
    };
    Err(ApiError::new(400, why.0, why.1))
}

pub(super) fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(payload).map_err(|_| ApiError::new(400, 10025, "invalid JSON"))
}

#[derive(serde::Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ConsumerRequest {
    stream_name: String,
    config: ConsumerConfig,
}

impl Js {
    pub(super) fn call(&mut self, call: &str, reply: &Rc<str>, payload: &[u8], outbox: &mut Outbox) {
        let parts: Vec<&str> = call.split('.').collect();
        let (kind, result) = match parts[..] {
            ["INFO"] => ("account_info", Ok(self.account())),
            ["STREAM", "CREATE", name] => ("stream_create", self.create_stream(name, payload)),
            ["STREAM", "INFO", name] => ("stream_info", self.stream(name).map(|stream| stream.info())),
            #[cfg(target_arch = "wasm32")]
            ["STREAM", "NAMES"] => ("stream_names", Ok(json!({"streams": self.names()}))),
            ["STREAM", "DELETE", name] => {
                let found = self.streams.remove(name).ok_or_else(stream_missing);
                self.index_targets();
                ("stream_delete", found.map(|_| json!({"success": true})))
            }
            ["STREAM", "PURGE", name] => {
                #[cfg(target_arch = "wasm32")]
                let purged = self.stream(name).map(Stream::purge);
                #[cfg(not(target_arch = "wasm32"))]
                let purged = self.purge(name, payload);
                ("stream_purge", purged.map(|purged| json!({"success": true, "purged": purged})))
            }
            ["CONSUMER", "CREATE", stream]
            | ["CONSUMER", "CREATE", stream, _]
            | ["CONSUMER", "DURABLE", "CREATE", stream, _] => {
                let durable = parts[1] == "DURABLE";
                let name = parts.get(if durable { 4 } else { 3 }).copied();
                ("consumer_create", self.create_consumer(stream, name, durable, payload, outbox))
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
            #[cfg(not(target_arch = "wasm32"))]
            _ => match self.call_more(&parts, payload, outbox) {
                Some(answered) => answered,
                None => return,
            },
            // The server has no answer to a call that it does not know.
            #[cfg(target_arch = "wasm32")]
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
        #[cfg(not(target_arch = "wasm32"))]
        if kind.starts_with("stream_") || kind == "consumer_create" {
            self.feed(outbox);
        }
        if kind == "consumer_create"
            && let (Some(stream), Some(name)) = (answer["stream_name"].as_str(), answer["name"].as_str())
            && let Some(stream) = self.streams.get_mut(stream)
        {
            stream.change(name, outbox, |_, _| Vec::new());
        }
    }

    pub(super) fn stream(&mut self, name: &str) -> Result<&mut Stream, ApiError> {
        self.streams.get_mut(name).ok_or_else(stream_missing)
    }

    #[cfg(target_arch = "wasm32")]
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
            return Err(mismatch());
        }
        config.check()?;
        if config.num_replicas > 1 {
            return Err(not_clustered());
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
        durable: bool,
        payload: &[u8],
        outbox: &mut Outbox,
    ) -> Result<Value, ApiError> {
        let request: ConsumerRequest = parse(payload)?;
        if request.stream_name != stream_name {
            return Err(mismatch());
        }
        let config = request.config.with_defaults();
        self.unnamed += 1;
        let unnamed = format!("e{:07}", self.unnamed);
        check_names(&config, name, durable)?;
        if config.num_replicas > 1 {
            return Err(not_clustered());
        }
        let stream = self.stream(stream_name)?;
        config.check(&stream.config)?;
        let own = [config.durable_name.as_str(), config.name.as_str()];
        let name = name.or(own.into_iter().find(|name| !name.is_empty())).unwrap_or(&unnamed).to_owned();
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
        return Err(ApiError::new(400, 10098, "workqueue stream requires explicit ack"));
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
    if config.deliver_policy != DeliverPolicy::All {
        return Err(ApiError::new(400, 10101, "consumer must be deliver all on workqueue stream"));
    }
    Ok(())
}
