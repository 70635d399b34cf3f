//! Asking over HTTP: one exchange with each registered worker.

use super::{Answer, Answers, Coordinator, missing};
use crate::kernel::JoinSet;
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Request, Url};
use crate::systems::oracle::log::TaskEnd;
use crate::systems::oracle::messages::{OracleRequest, WorkerResult};

/// Asks all workers at once and waits for all or a quorum of them, at most the timeout. Whatever still runs then is
/// cancelled.
pub(super) async fn fan_out(
    coordinator: &Coordinator,
    task: &Json<OracleRequest>,
    asked: &[(String, String)],
    logged: Option<u64>,
) -> Answers {
    let Coordinator { site, .. } = coordinator;
    let mut tasks = JoinSet::new(site.ctx());
    for (i, (id, endpoint)) in asked.iter().enumerate() {
        let (coordinator, task, id, endpoint) =
            (coordinator.clone(), task.clone(), id.clone(), endpoint.clone());
        tasks.spawn(async move { (i, ask(&coordinator, task, id, &endpoint).await) });
    }
    let mut answers: Answers = asked.iter().map(|(id, _)| (id.clone(), None)).collect();
    let quorum = site.params.quorum;
    let enough = async {
        let mut values = 0;
        while let Some((i, answer)) = tasks.join_next().await {
            let (result, end) = answer.judged();
            if let Some(number) = logged {
                site.log.borrow_mut().arrived(number, i, site.ctx().now(), result, end);
            }
            values += u32::from(end == TaskEnd::InTime);
            answers[i].1 = Some(answer);
            if quorum > 0 && values >= quorum {
                break;
            }
        }
    };
    // Some answers missing is what the caller looks at, not the error.
    let _ = site.ctx().timeout(site.params.timeout, enough).await;
    answers
}

async fn ask(coordinator: &Coordinator, task: Json<OracleRequest>, id: String, endpoint: &str) -> Answer {
    let ctx = coordinator.site.ctx();
    let sent_at = ctx.now();
    let url = format!("{}/task", endpoint.trim_end_matches('/')).parse::<Url>();
    let answer = match url {
        Ok(url) => coordinator.site.http.fetch(coordinator.node, Request::post(url, task.clone())).await,
        Err(_) => Err(HttpError::Refused),
    };
    if answer.is_ok() {
        // Any answer is a sign of life, also one that says that the task failed.
        coordinator.registry.borrow_mut().seen(&id, ctx.now());
    }
    match answer.map(|response| (response.status, response.read::<WorkerResult>().map(Json::into_inner))) {
        Ok((200, Ok(result))) => Answer::of(result, id),
        // Whatever it says: with another status it is no value.
        Ok((_, Ok(result))) => Answer::of(WorkerResult { value: f64::NAN, ..result }, id),
        Ok((status, Err(_))) => Answer::Failed(missing(
            id,
            task.id.clone(),
            format!("status {status} without a worker result"),
            ctx.now().since(sent_at),
        )),
        Err(error) => {
            Answer::Failed(missing(id, task.id.clone(), error.to_string(), ctx.now().since(sent_at)))
        }
    }
}
