//! The controller: the one source of truth. In layers, each of which knows only those below it:
//!
//! - `handler.rs`: HTTP, conditions and error bodies;
//! - `use_case.rs`: read, list, change, over any repository;
//! - `repository.rs`: versions on a disk that outlives the process;
//! - `domain.rs`: what a configuration is, and which one is valid.

pub mod domain;
mod handler;
mod repository;
mod use_case;

pub use handler::ROUTES;

use super::trigger::Trigger;
use super::{CONTROLLER, Fact, Site};
use crate::kernel::Duration;
use crate::net::{NodeId, Shutdown};
use crate::substrate::http::Besides;
use futures::{FutureExt, select_biased};
use repository::DiskRepository;
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

/// How often a controller that shuts down looks whether its last requests are answered.
const DRAIN_POLL: Duration = Duration::from_millis(10);

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    site.tell(Fact::ControllerStarted { newest: site.disk.len() });
    let repository = DiskRepository::open(&site, node);
    let under_way = Rc::new(Cell::new(0));
    {
        let (here, count) = (site.clone(), Rc::clone(&under_way));
        let (trigger, served) = (Trigger::new(&site, node), handler::Served::default());
        let listener = site.http.listen(CONTROLLER);
        let serving = listener.serve_peers(Besides::Anything, move |request, author| {
            here.tell(Fact::ControllerAsked);
            let busy = Busy::new(&count);
            let trigger = trigger.clone();
            let announce = move |version| trigger.publish(version);
            let answer = handler::route(repository.used_by(author), served.clone(), announce, request);
            async move {
                let _busy = busy;
                answer.await
            }
        });
        let mut serving = pin!(serving.fuse());
        let mut asked_to_end = pin!(shutdown.requested().fuse());
        select_biased! {
            () = serving => {}
            () = asked_to_end => {}
        }
    }
    // The port is closed by now; what it took before is answered still, as Go's `Server.Shutdown` does.
    while under_way.get() > 0 {
        site.ctx().sleep(DRAIN_POLL).await;
    }
}

/// Counts a request as under way until its handler ends, in whatever way.
struct Busy(Rc<Cell<u32>>);

impl Busy {
    fn new(count: &Rc<Cell<u32>>) -> Self {
        count.set(count.get() + 1);
        Busy(Rc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
