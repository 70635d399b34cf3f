//! The registry against a plain list, and who is evicted when.

use super::*;

fn ids(registry: &Registry) -> Vec<&str> {
    registry.entries().map(|entry| &*entry.member.id).collect()
}

#[test]
fn a_worker_that_registers_again_keeps_its_place_and_history() {
    let mut registry = Registry::default();
    registry.register(&"a".into(), "http://localhost:1", 7, Instant::ZERO);
    registry.register(&"b".into(), "http://localhost:2", 8, Instant::ZERO);
    registry.note(&Known::from(Rc::from("a")), Outcome::Failed);
    let before = registry.members();
    registry.register(&"a".into(), "http://localhost:3/", 7, Instant::from_millis(5));
    let first = registry.entries().next().unwrap();
    assert_eq!(
        (&*first.member.id, &**first.endpoint, first.history.failures),
        ("a", "http://localhost:3/", 1)
    );
    let url = |members: &[Member]| members[0].tasks.clone().unwrap();
    assert_eq!(url(&before), "http://localhost:1/task".parse().unwrap());
    assert_eq!(url(&registry.members()), "http://localhost:3/task".parse().unwrap());
    registry.register(&"a".into(), "http://localhost:3/", 7, Instant::from_millis(6));
    assert!(Rc::ptr_eq(&registry.members(), &registry.members()));
}

#[test]
fn only_silence_longer_than_the_limit_evicts() {
    let mut registry = Registry::default();
    registry.register(&"a".into(), "", 0, Instant::ZERO);
    registry.register(&"b".into(), "", 0, Instant::ZERO);
    assert!(registry.seen(&"b".into(), 0, Instant::from_millis(1)));
    let limit = Duration::from_secs(15);
    assert!(registry.evict_stale(Instant::from_millis(15_000), limit).is_empty());
    let evicted = registry.evict_stale(Instant::from_millis(15_001), limit);
    assert_eq!(evicted.iter().map(|member| &*member.id).collect::<Vec<_>>(), ["a"]);
    assert!(!registry.seen(&"a".into(), 0, Instant::from_millis(15_001)), "an evicted worker is unknown");
}

/// The same as a list that is searched from its beginning each time.
#[test]
fn it_does_what_a_plain_list_would() {
    let mut rng = crate::kernel::Rng::new(5);
    let (mut registry, mut list) = (Registry::default(), Vec::<(Rc<str>, Instant)>::new());
    let mut asked = Vec::new();
    let names: Vec<Rc<str>> = (0..60).map(|i| format!("w-{i:02}").into()).collect();
    let limit = Duration::from_millis(400);
    for ms in 0..20_000 {
        let now = Instant::from_millis(ms);
        let node = rng.below(60) as u32;
        // Named by the text that it registered with, by another, or by another worker's node.
        let id = Rc::clone(&names[node as usize]);
        let id = if rng.chance(0.2) { Rc::from(&*id) } else { id };
        let node = if rng.chance(0.2) { 7 } else { node };
        let known = list.iter().position(|(other, _)| *other == id);
        match rng.below(5) {
            0 => {
                registry.register(&id, "", node, now);
                match known {
                    Some(place) => list[place].1 = now,
                    None => list.push((id, now)),
                }
            }
            1 => {
                assert_eq!(registry.deregister(&id).is_some(), known.is_some());
                known.map(|place| list.remove(place));
            }
            2 => {
                let stale = list.extract_if(.., |(_, seen)| now.since(*seen) > limit);
                let stale: Vec<Rc<str>> = stale.map(|(id, _)| id).collect();
                asked.extend(registry.members().iter().take(3).cloned());
                let evicted = registry.evict_stale(now, limit);
                assert_eq!(evicted.into_iter().map(|member| member.id).collect::<Vec<_>>(), stale);
            }
            3 if !asked.is_empty() => {
                // Whoever was asked may have gone, or come again, since.
                let member = asked.swap_remove(rng.below(asked.len() as u64) as usize);
                let known = list.iter().position(|(id, _)| *id == member.id);
                assert_eq!(registry.answered(&member, now), known.is_some());
                known.into_iter().for_each(|place| list[place].1 = now);
            }
            _ => {
                assert_eq!(registry.seen(&id, node, now), known.is_some());
                known.into_iter().for_each(|place| list[place].1 = now);
            }
        }
        assert_eq!(registry.len(), list.len());
        assert_eq!(ids(&registry), list.iter().map(|(id, _)| &**id).collect::<Vec<_>>());
        assert!(registry.places.len() <= 2 * list.len() + 1, "gaps are closed");
    }
}

#[test]
fn the_score_falls_with_failures_and_with_distance() {
    let with = |outcomes: &[Outcome]| {
        let mut registry = Registry::default();
        registry.register(&"a".into(), "", 0, Instant::ZERO);
        let worker = Known::from(Rc::from("a"));
        outcomes.iter().for_each(|&o| registry.note(&worker, o));
        registry.score(&worker)
    };
    let good = with(&[Outcome::Answered(0.0); 8]);
    assert_eq!(good, 0.9);
    assert!(with(&[Outcome::Answered(0.05); 8]) < 0.5 * good + 1e-12);
    assert!(with(&[Outcome::Failed, Outcome::Answered(0.0)]) < with(&[Outcome::Answered(0.0)]));
    assert!(with(&[Outcome::TimedOut]) < with(&[]));
}
