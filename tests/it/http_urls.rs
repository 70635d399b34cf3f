//! A URL remembers the way to its port, and yet leads where its name leads now, whoever uses it in whatever network.

use super::http::{Lab, SERVER, ms};
use glasshive::kernel::{Duration, Sim};
use glasshive::net::{LinkModel, NodeId};
use glasshive::substrate::http::{HttpError, Request, Url};
use std::cell::RefCell;
use std::rc::Rc;

fn plain() -> (Sim, Lab) {
    Lab::new(LinkModel::new(ms(50), Duration::ZERO))
}

/// Asks now, and says how many milliseconds it took and who was asked before.
fn fetch(sim: &mut Sim, lab: &Lab, from: NodeId, url: &Url) -> (f64, Result<u64, HttpError>) {
    let (request, here, answer) = (Request::get(url.clone()), lab.clone(), Rc::new(RefCell::new(None)));
    let (asked_at, answered) = (sim.now(), Rc::clone(&answer));
    lab.ctx.spawn_in(from.scope(), async move {
        let answer = here.http.fetch(from, request).await;
        let took = here.ctx.now().since(asked_at).as_millis_f64();
        *answered.borrow_mut() = Some((took, answer.map(|response| response.parse().unwrap())));
    });
    sim.run_until(asked_at + Duration::from_secs(1));
    answer.take().unwrap()
}

#[test]
fn a_url_leads_where_its_name_leads_now() {
    let url: Url = format!("http://{SERVER}/0").parse().unwrap();
    let (mut sim, lab) = plain();
    assert_eq!(fetch(&mut sim, &lab, lab.client, &url), (100.0, Ok(0)));
    assert_eq!(fetch(&mut sim, &lab, lab.client, &url), (100.0, Ok(1)));
    // From elsewhere it is another way.
    assert_eq!(fetch(&mut sim, &lab, lab.server, &url), (0.0, Ok(2)));
    assert_eq!(fetch(&mut sim, &lab, lab.client, &url), (100.0, Ok(3)));

    let (mut another, its_lab) = plain();
    assert_eq!(fetch(&mut another, &its_lab, its_lab.client, &url), (100.0, Ok(0)));

    let mut changed = url.clone();
    changed.to_mut().authority = "localhost:9".into();
    assert_eq!(fetch(&mut sim, &lab, lab.client, &changed), (0.0, Err(HttpError::Refused)));
    let mut only = Url::new(SERVER, "/0");
    assert_eq!(fetch(&mut sim, &lab, lab.client, &only), (100.0, Ok(4)));
    only.to_mut().authority = "localhost:9".into();
    assert_eq!(fetch(&mut sim, &lab, lab.client, &only), (0.0, Err(HttpError::Refused)));

    let down = lab.net.add_node("down");
    lab.http.assign(SERVER, down);
    assert_eq!(fetch(&mut sim, &lab, lab.client, &url), (0.0, Err(HttpError::Refused)));
}
