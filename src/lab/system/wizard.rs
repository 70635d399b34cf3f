//! The Math Wizard as the laboratory drives it.

use super::{Done, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::lab::metrics::{self, Summary};
use crate::lab::params::{self, Setting, wizard as table};
use crate::lab::{Invalid, Options};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::oracle::checks::Check;
use crate::systems::wizard::checks;
use crate::systems::wizard::log::Place;
use crate::systems::wizard::{Params, Wizard};
use serde_json::Value;

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        params::set(&table::TABLE, self, key, value)
    }

    fn check(&self) -> Result<(), Invalid> {
        // Any of them goes with any other.
        Ok(())
    }

    fn start(self: Box<Self>, net: &Net, options: Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Wizard::start(net, params, options.keep))
    }
}

impl System for Wizard {
    fn kind(&self) -> SystemKind {
        SystemKind::MathWizard
    }

    fn instances(&self) -> &[NodeId] {
        self.nodes()
    }

    fn describe_nodes(&self) -> String {
        let count = self.nodes().len();
        format!(
            "client, gateway, valkey, console, a container from c-01 to c-{count:02}, or a process such as c-01-api or c-01-worker-1"
        )
    }

    fn settings(&self) -> Vec<Setting> {
        params::all(&table::TABLE, self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Wizard::call(self, request, limit, done);
    }

    fn requests(&self) -> u64 {
        self.submissions()
    }

    fn request_instants(&self) -> Vec<Instant> {
        self.log().submissions().iter().map(|submission| submission.intended_at).collect()
    }

    /// The newest submission's number, and how much has become of jobs.
    fn progress(&self) -> (u64, u64) {
        let counts = self.log().counts;
        let ended = counts.done + counts.done_again + counts.lost + counts.dead + counts.gave_up;
        let answered = counts.refused_busy + counts.refused_rate + counts.refused_other;
        (self.submissions(), counts.acknowledged + ended + answered)
    }

    /// A request is a submission that was refused, or a job that was taken: done, lost or dead, or still under way.
    fn summary(&self) -> Summary {
        let log = self.log();
        let counts = log.counts;
        let refused = counts.refused_busy + counts.refused_rate + counts.refused_other;
        let under_way = |place: Option<Place>| matches!(place, Some(Place::Queue | Place::Processing));
        let pending = log.jobs().iter().filter(|job| under_way(job.place)).count();
        let (answered, unanswered) = (counts.done as usize, (refused + counts.lost + counts.dead) as usize);
        let times =
            log.jobs().iter().filter_map(|job| Some(job.done_at?.since(job.queued_at?).as_millis_f64()));
        Summary {
            requests: answered + unanswered + pending,
            answered,
            unanswered,
            pending,
            latency_ms: metrics::percentiles(&times.collect::<Vec<f64>>()),
            ..Summary::default()
        }
    }

    fn measures(&self) -> Option<Value> {
        serde_json::to_value(Wizard::measures(self)).ok()
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(&self.log())
    }
}
