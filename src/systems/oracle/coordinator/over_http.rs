//! Asking over HTTP: one exchange with each registered worker.

use super::request::missing;
use super::{Answer, Answers, Coordinator, Taken};
use crate::kernel::{Foresee, Instant, JoinSet, Span, fetch};
use crate::substrate::body::Json;
use crate::substrate::http::{Fetch, HttpError, Request, Response};
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::messages::{OracleRequest, WorkerResult};
use crate::systems::oracle::registry::Member;
use futures::FutureExt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What belongs to fewer workers is at hand anyway.
const CROWD: usize = 128;
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
    let round = Rc::new(Round {
        coordinator: Rc::clone(coordinator),
        task: task.clone(),
        asked: Rc::clone(asked),
        req: site.ctx().span().tag,
    });
    for place in 0..asked.len() as u32 {
        tasks.spawn_foreseeing(Asking { round: Rc::clone(&round), place, sent: None });
    }
    // In the order in which they come: with thousands of workers, each place in the order of asking is far from the last.
    let mut come = Vec::with_capacity(asked.len());
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
            come.push((i, Taken { n, answer }));
            if quorum > 0 && values >= quorum {
                break;
            }
        }
    };
    // Some answers missing is what the caller looks at, not the error.
    let _ = site.ctx().timeout(site.params.timeout, enough).await;
    let mut answers: Answers = asked.iter().map(|member| (member.into(), None)).collect();
    for (i, taken) in come {
        answers[i].1 = Some(taken);
    }
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

/// What all who are asked have in common.
struct Round {
    coordinator: Rc<Coordinator>,
    task: Json<OracleRequest>,
    asked: Rc<[Member]>,
    /// The request's number.
    req: u64,
}

/// One worker is asked: ready with its answer. One of these stands for each task under way, and knows what the answer will
/// touch: an async block would hold more, and know nothing. With what its set adds it is one line of the cache.
struct Asking {
    round: Rc<Round>,
    /// Which of them.
    place: u32,
    sent: Option<(Instant, Fetch)>,
}

impl Future for Asking {
    /// Whose answer, which, and what it follows from.
    type Output = (usize, Answer, Span);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Asking { round, place, sent } = &mut *self;
        let (Round { coordinator, task, asked, .. }, place) = (&**round, *place as usize);
        let (ctx, member) = (coordinator.site.ctx(), &asked[place]);
        let response = match (&mut *sent, &member.tasks) {
            (Some((_, response)), _) => ready!(response.poll_unpin(cx)),
            (None, Some(url)) => {
                if asked.len() >= CROWD {
                    foresee(coordinator, &asked[place..]);
                }
                let request = Request::post(url.clone(), task.clone());
                let response = coordinator.site.http.fetch(coordinator.node, request);
                let (_, response) = sent.insert((ctx.now(), response));
                ready!(response.poll_unpin(cx))
            }
            (None, None) => Err(HttpError::Refused),
        };
        let sent_at = sent.take().map_or(ctx.now(), |(at, _)| at);
        Poll::Ready((place, read(coordinator, task, member, response, sent_at), ctx.span()))
    }
}

impl Foresee for Asking {
    fn foresee(&self, step: usize) -> bool {
        let Asking { round, place, sent } = self;
        let (Round { coordinator, asked, req, .. }, place) = (&**round, *place as usize);
        let member = &asked[place];
        match step {
            0 => fetch(member),
            1 => {
                fetch(&*member.id);
                coordinator.registry.borrow().foresee(member);
                coordinator.site.facts.foresee(*req, place);
            }
            _ => {}
        }
        sent.as_ref().is_some_and(|(_, response)| response.foresee(step))
    }
}

/// What a worker's response to its task amounts to.
fn read(
    coordinator: &Coordinator,
    task: &OracleRequest,
    member: &Member,
    response: Result<Response, HttpError>,
    sent_at: Instant,
) -> Answer {
    let now = coordinator.site.ctx().now();
    if response.is_ok() {
        // Any answer is a sign of life, also one that says that the task failed.
        coordinator.registry.borrow_mut().answered(member, now);
    }
    let id = &member.id;
    let failed = |err: String| missing(Rc::clone(id), Rc::clone(&task.id), err.into(), now.since(sent_at));
    match response.map(|response| (response.status, response.read::<WorkerResult>().map(Json::into_inner))) {
        Ok((200, Ok(result))) => Answer::of(result, id),
        // Whatever it says: with another status it is no value.
        Ok((_, Ok(result))) => Answer::of(WorkerResult { value: f64::NAN, ..result }, id),
        Ok((status, Err(_))) => Answer::Failed(failed(format!("status {status} without a worker result"))),
        Err(error) => Answer::Failed(failed(error.to_string())),
    }
}
