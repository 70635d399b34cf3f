//! The JSON that the configuration system's services exchange. The source documents name no fields; these are ours.

use super::controller::domain::{Settings, Version};
use crate::substrate::body::Message;
use crate::systems::oracle::calendar::rfc3339;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// `GET /config`, from the controller and from an agent. `PUT /config` takes the settings alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version's number: 1, 2, 3, …
    pub version: u64,
    /// When it was written, in RFC 3339.
    pub updated_at: String,
    /// What it says.
    pub settings: Rc<Settings>,
}

impl Message for Settings {
    fn is_exact(&self) -> bool {
        self.rate.is_finite()
    }
}

impl Message for Document {
    fn is_exact(&self) -> bool {
        self.settings.is_exact()
    }
}

impl From<&Version> for Document {
    fn from(version: &Version) -> Self {
        Document {
            version: version.number,
            updated_at: rfc3339(version.written_at),
            settings: Rc::clone(&version.settings),
        }
    }
}

/// `GET /config/history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The newest versions, newest first, at most 100.
    pub versions: Vec<Document>,
}

/// `GET /version` of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// The worker.
    pub worker_id: String,
    /// The version that it runs; `null` before the first.
    pub version: Option<u64>,
    /// What that version says.
    pub settings: Option<Rc<Settings>>,
}
