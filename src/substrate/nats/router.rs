//! Who hears what: subscriptions, and one member of each queue group for each message.

use super::subject::{self, Tree};
use crate::kernel::{Ctx, Rng, SortedMap, Stream};
use crate::net::LookUp;
use std::rc::Rc;

/// A subscription of one client.
pub(super) struct Sub {
    pub(super) client: u64,
    pub(super) sid: u64,
    pub(super) subject: Rc<str>,
    queue: Option<Rc<str>>,
    delivered: u64,
    max: Option<u64>,
}

/// All subscriptions, found by subject.
pub(super) struct Router {
    /// By number, that is in the order of subscribing.
    subs: SortedMap<u64, Sub>,
    /// The subscriptions to each subject without wildcards, in order; only looked up, never iterated. And those with.
    literal: LookUp<Rc<str>, Vec<u64>>,
    wildcard: Tree,
    by_client: SortedMap<(u64, u64), u64>,
    next: u64,
    ctx: Ctx,
    /// The broker's name, for its draws.
    name: Rc<str>,
    /// By subject and queue group.
    groups: SortedMap<(Rc<str>, Rc<str>), Group>,
}

/// What a queue group draws its members with. Only its own messages take draws, so that no other's change its choices.
struct Group {
    draws: Stream,
    routed: u64,
}

impl Router {
    pub(super) fn new(ctx: &Ctx, name: Rc<str>) -> Self {
        Router {
            subs: SortedMap::default(),
            literal: LookUp::default(),
            wildcard: Tree::default(),
            by_client: SortedMap::default(),
            next: 0,
            ctx: ctx.clone(),
            name,
            groups: SortedMap::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.subs.len()
    }

    /// How many a client has.
    pub(super) fn count_of(&self, client: u64) -> usize {
        self.by_client.iter().filter(|((of, _), _)| *of == client).count()
    }

    /// Adds a subscription; a number that the client uses already keeps its first meaning.
    pub(super) fn subscribe(&mut self, client: u64, sid: u64, subject: &Rc<str>, queue: Option<Rc<str>>) {
        if self.by_client.contains_key(&(client, sid)) {
            return;
        }
        self.next += 1;
        let sub = Sub { client, sid, subject: Rc::clone(subject), queue, delivered: 0, max: None };
        self.subs.insert(self.next, sub);
        self.by_client.insert((client, sid), self.next);
        if subject::has_wildcard(subject) {
            self.wildcard.insert(subject, self.next);
        } else {
            self.literal.entry(Rc::clone(subject)).or_default().push(self.next);
        }
    }

    /// True if the client uses this number already.
    pub(super) fn knows(&self, client: u64, sid: u64) -> bool {
        self.by_client.contains_key(&(client, sid))
    }

    /// Ends a subscription, now or after `max` messages.
    pub(super) fn unsubscribe(&mut self, client: u64, sid: u64, max: Option<u64>) {
        let Some(&number) = self.by_client.get(&(client, sid)) else {
            return;
        };
        let Some(sub) = self.subs.get_mut(&number) else {
            return;
        };
        sub.max = max.filter(|&max| max > sub.delivered);
        if sub.max.is_none() {
            self.remove(number);
        }
    }

    /// Ends all subscriptions of a client.
    pub(super) fn forget(&mut self, client: u64) {
        let first = (client, 0);
        let own = self.by_client.from(&first).take_while(|((other, _), _)| *other == client);
        let numbers: Vec<u64> = own.map(|(_, &number)| number).collect();
        for number in numbers {
            self.remove(number);
        }
        debug_assert_eq!(self.subs.len(), self.by_client.len(), "every subscription is some client's");
    }

    fn remove(&mut self, number: u64) {
        let Some(sub) = self.subs.remove(&number) else {
            return;
        };
        let named = self.by_client.remove(&(sub.client, sub.sid));
        debug_assert_eq!(named, Some(number), "a client's number means one subscription");
        if let Some(numbers) = self.literal.get_mut(&sub.subject) {
            numbers.retain(|&other| other != number);
            if numbers.is_empty() {
                self.literal.remove(&sub.subject);
            }
        } else {
            self.wildcard.remove(&sub.subject, number);
        }
    }

    /// First those without wildcards, each kind in the order of subscribing.
    fn matching(&self, subject: &str) -> impl Iterator<Item = (u64, &Sub)> {
        let literal = self.literal.get(subject).into_iter().flatten().copied();
        let all = literal.chain(self.wildcard.matching(subject));
        all.filter_map(|number| self.subs.get(&number).map(|sub| (number, sub)))
    }

    /// True if somebody hears a subject.
    pub(super) fn has_interest(&self, subject: &str) -> bool {
        self.literal.contains_key(subject) || !self.wildcard.matching(subject).is_empty()
    }

    /// True if somebody has subscribed to a subject itself, without wildcards.
    pub(super) fn has_subscriber(&self, subject: &str) -> bool {
        self.literal.contains_key(subject)
    }

    /// The number of the subscription of `client` that hears `subject`: one of no queue group.
    pub(super) fn sid_of(&self, client: u64, subject: &str) -> Option<u64> {
        let mut first: Option<&Sub> = None;
        for (_, sub) in self.matching(subject).filter(|(_, sub)| sub.client == client && sub.queue.is_none())
        {
            if first.is_none_or(|first| subject::comes_first(&sub.subject, &first.subject)) {
                first = Some(sub);
            }
        }
        first.map(|sub| sub.sid)
    }

    /// The clients and numbers that a message goes to: every plain subscription, and of each queue group one, drawn
    /// at random. `skip` is a publisher that does not want its own messages back. They are put into a list that is empty.
    pub(super) fn route(&mut self, subject: &str, skip: Option<u64>, chosen: &mut Vec<(u64, u64)>) {
        if self.wildcard.is_empty() {
            let Some(numbers) = self.literal.get(subject) else { return };
            // Nearly always somebody alone hears a subject.
            if let &[number] = &numbers[..]
                && let Some(sub) = self.subs.get(&number).filter(|sub| sub.queue.is_none())
            {
                if Some(sub.client) != skip {
                    chosen.extend(self.deliver(number));
                }
                return;
            }
        }
        let mut groups: SortedMap<Rc<str>, Vec<u64>> = SortedMap::default();
        // First the subscriptions' own numbers.
        for (number, sub) in self.matching(subject).filter(|(_, sub)| Some(sub.client) != skip) {
            match &sub.queue {
                None => chosen.push((number, sub.sid)),
                Some(queue) => groups.entry(Rc::clone(queue)).or_default().push(number),
            }
        }
        for (queue, members) in groups {
            let place = self.draw(members[0], queue).below(members.len() as u64);
            chosen.push((members[place as usize], 0));
        }
        chosen.retain_mut(|place| {
            let to = self.deliver(place.0);
            to.inspect(|&to| *place = to).is_some()
        });
    }

    /// The draws for the next message to a queue group, which is known by its first member's subject.
    fn draw(&mut self, member: u64, queue: Rc<str>) -> Rng {
        let subject = Rc::clone(&self.subs[&member].subject);
        let (ctx, named) = (&self.ctx, (Rc::clone(&subject), Rc::clone(&queue)));
        let new =
            || Group { draws: ctx.stream(&self.name, &format!("queue {} {}", named.0, named.1)), routed: 0 };
        let group = self.groups.entry((subject, queue)).or_insert_with(new);
        group.routed += 1;
        group.draws.at(group.routed)
    }

    fn deliver(&mut self, number: u64) -> Option<(u64, u64)> {
        let sub = self.subs.get_mut(&number)?;
        sub.delivered += 1;
        let (to, last) = ((sub.client, sub.sid), sub.max.is_some_and(|max| sub.delivered >= max));
        if last {
            self.remove(number);
        }
        Some(to)
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::kernel::{Sim, Sink};

    fn router() -> Router {
        let mut router = Router::new(&Sim::new(1, Sink::None).ctx(), "nats".into());
        router.subscribe(1, 1, &"results".into(), None);
        router
    }

    #[test]
    #[should_panic(expected = "every subscription is some client's")]
    fn no_subscription_outlives_its_client() {
        let mut router = router();
        router.by_client = SortedMap::default();
        router.forget(1);
    }

    #[test]
    #[should_panic(expected = "a client's number means one subscription")]
    fn a_number_leads_to_its_subscription() {
        let mut router = router();
        router.by_client.insert((1, 1), 2);
        router.remove(1);
    }
}
