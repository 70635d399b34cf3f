//! Asking over HTTP: one exchange with each registered worker.

use super::request::missing;
use super::{Answer, Answers, Coordinator, Taken};
use crate::kernel::{JoinSet, fetch};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Request};
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::messages::{OracleRequest, WorkerResult};
use crate::systems::oracle::registry::Member;
use std::rc::Rc;

/// How far ahead of a worker that is asked another's address is fetched …
const URLS_AHEAD: usize = 8;
/// … and where that leads to.
const WAYS_AHEAD: usize = 4;

/// Asks all workers at once and waits for all or a quorum of them, at most the timeout. Whatever still runs then is
/// cancelled.
pub(super) async fn fan_out(
    coordinator: &Rc<Coordinator>,
    task: &Json<OracleRequest>,
    asked: &Rc<[Member]>,
    handling: u64,
) -> Answers {
    let Coordinator { site, node, .. } = &**coordinator;
    let mut tasks = JoinSet::new(site.ctx());
    for i in 0..asked.len() {
        let (coordinator, task, asked) = (Rc::clone(coordinator), task.clone(), Rc::clone(asked));
        tasks.spawn(async move {
            foresee(&coordinator, &asked[i..]);
            let answer = ask(&coordinator, task, &asked[i]).await;
            (i, answer, coordinator.site.ctx().span())
        });
    }
    let mut answers: Answers = asked.iter().map(|member| (member.into(), None)).collect();
    let quorum = site.params.quorum;
    let enough = async {
        let mut values = 0;
        while let Some((i, answer, span)) = tasks.join_next().await {
            let taken = Fact::AnswerTaken {
                handling,
                place: i as u32,
                worker: asked[i].node,
                result: answer.result().clone(),
            };
            let n = site.facts.tell_in(node.scope(), span, taken);
            values += u32::from(answer.is_value());
            answers[i].1 = Some(Taken { n, answer });
            if quorum > 0 && values >= quorum {
                break;
            }
        }
    };
    // Some answers missing is what the caller looks at, not the error.
    let _ = site.ctx().timeout(site.params.timeout, enough).await;
    answers
}

/// All are asked in this order, at one instant: what is needed to ask the next ones is fetched meanwhile.
fn foresee(coordinator: &Coordinator, next: &[Member]) {
    let url = |ahead: usize| next.get(ahead).and_then(|member| member.tasks.as_ref());
    if let Some(url) = url(URLS_AHEAD) {
        fetch(&**url);
    }
    if let Some(url) = url(WAYS_AHEAD) {
        coordinator.site.http.foresee(url);
    }
}

async fn ask(coordinator: &Coordinator, task: Json<OracleRequest>, member: &Member) -> Answer {
    let ctx = coordinator.site.ctx();
    let sent_at = ctx.now();
    let answer = match &member.tasks {
        Some(url) => {
            let request = Request::post(url.clone(), task.clone());
            coordinator.site.http.fetch(coordinator.node, request).await
        }
        None => Err(HttpError::Refused),
    };
    if answer.is_ok() {
        // Any answer is a sign of life, also one that says that the task failed.
        coordinator.registry.borrow_mut().answered(member, ctx.now());
    }
    let id = Rc::clone(&member.id);
    let failed =
        |err: String| missing(Rc::clone(&id), Rc::clone(&task.id), err.into(), ctx.now().since(sent_at));
    match answer.map(|response| (response.status, response.read::<WorkerResult>().map(Json::into_inner))) {
        Ok((200, Ok(result))) => Answer::of(result, id),
        // Whatever it says: with another status it is no value.
        Ok((_, Ok(result))) => Answer::of(WorkerResult { value: f64::NAN, ..result }, id),
        Ok((status, Err(_))) => Answer::Failed(failed(format!("status {status} without a worker result"))),
        Err(error) => Answer::Failed(failed(error.to_string())),
    }
}
