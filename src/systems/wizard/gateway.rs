//! The gateway: nginx with its defaults, one name for all containers. It looks the name up when it starts and when it is
//! told to read its configuration again, and at no other time.

use super::fact::Fact;
use super::{GATEWAY, Params, Site, UPSTREAM};
use crate::kernel::{Duration, Instant};
use crate::net::{NodeId, Shutdown};
use crate::substrate::gateway::{Config, Gateway, RateLimit, Server};
use crate::substrate::http::Besides;
use futures::{FutureExt, select_biased};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    let Params { rate, burst, reload_at, .. } = *site.params;
    let mut config = Config::new("mathwiz", vec![Server::new(UPSTREAM)]);
    config.rate = (rate > 0).then_some(RateLimit {
        rate: u64::from(rate),
        burst: u64::from(burst),
        nodelay: true,
        status: 429,
    });
    // Without a container nginx does not start; there is always at least one.
    let Ok(gateway) = Gateway::start(&site.http, node, site.names.clone(), config) else { return };
    let reloads = Rc::new(Cell::new(Instant::ZERO + reload_at));
    let reloading = async {
        let at = Instant::ZERO + reload_at;
        if reload_at == Duration::ZERO || at < site.ctx().now() {
            return std::future::pending().await;
        }
        site.ctx().sleep_until(at).await;
        // What fails leaves everything as it was.
        let _ = gateway.reload();
        site.tell(Fact::GatewayReloaded);
        std::future::pending::<()>().await;
    };
    let mut serving = pin!(gateway.serve(GATEWAY, Besides::At(reloads)).fuse());
    let mut reloading = pin!(reloading.fuse());
    let mut asked_to_end = pin!(shutdown.requested().fuse());
    select_biased! {
        () = serving => {}
        () = reloading => {}
        () = asked_to_end => {}
    }
}
