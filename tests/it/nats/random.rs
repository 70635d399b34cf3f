//! What holds under many seeds: with loss, crashes of workers, and kills of the broker.

use super::client::{Lab, ms};
use crate::support::for_seeds;
use glasshive::kernel::Rng;
use glasshive::net::LinkModel;
use glasshive::substrate::nats::{ClientOptions, ConsumerConfig, NatsConfig, Storage, StreamConfig};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const SEEDS: u64 = 200;

fn lossy(rng: &mut Rng) -> LinkModel {
    LinkModel {
        latency: ms(rng.below(30)),
        jitter: ms(rng.below(30)),
        loss: 0.1 * rng.unit(),
        duplication: 0.2,
    }
}

fn number(payload: &[u8]) -> u64 {
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}

#[test]
fn nats_core_gives_each_message_to_one_member_at_most_and_keeps_order() {
    for_seeds("nats_core_gives", 0..SEEDS, |seed| {
        let (mut sim, lab) = Lab::new(seed, NatsConfig::default());
        let mut rng = Rng::new(seed);
        let heard: Rc<RefCell<Vec<Vec<u64>>>> = Rc::default();
        let members = 1 + rng.below(4) as usize;
        for index in 0..members + 1 {
            heard.borrow_mut().push(Vec::new());
            let (heard, lab2) = (Rc::clone(&heard), lab.clone());
            let node = lab.node(&format!("w-{index:02}"), lossy(&mut rng));
            lab.ctx.spawn_in(node.scope(), async move {
                let client = lab2.client(node).await;
                // The last is no member of the group: it hears all.
                let sub =
                    if index < members { client.queue_subscribe("t", "g") } else { client.subscribe("t") };
                let mut sub = sub.unwrap();
                while let Some(message) = sub.next().await {
                    heard.borrow_mut()[index].push(number(message.payload.bytes()));
                }
            });
            if index < members && rng.chance(0.3) {
                let (lab3, at) = (lab.clone(), ms(20_000 + rng.below(3000)));
                lab.ctx.spawn(async move {
                    lab3.ctx.sleep(at).await;
                    lab3.net.crash(node);
                });
            }
        }
        let (node, lab2, kill) = (lab.node("p", lossy(&mut rng)), lab.clone(), rng.chance(0.3));
        lab.ctx.spawn_in(node.scope(), async move {
            lab2.ctx.sleep(ms(5000)).await;
            let client =
                lab2.client_with(node, ClientOptions { reconnect: false, ..ClientOptions::default() }).await;
            for n in 0..100_u32 {
                // An error is the broker's end: what follows is not sent.
                let _ = client.publish("t", n.to_string().as_bytes());
                lab2.ctx.sleep(ms(30)).await;
                if kill && n == 60 {
                    lab2.net.crash(lab2.broker);
                }
            }
        });
        lab.run(&mut sim, 120_000);
        let heard = heard.borrow();
        assert!(heard.iter().all(|heard| heard.windows(2).all(|two| two[0] < two[1])), "{heard:?}");
        let (all, group) = (&heard[members], heard[..members].concat());
        let distinct: std::collections::BTreeSet<u64> = group.iter().copied().collect();
        assert_eq!(distinct.len(), group.len(), "twice in one group");
        if kill {
            assert!(!all.is_empty() && all.len() < 62, "what came after the kill is lost: {all:?}");
        } else {
            assert_eq!(*all, (0..100).collect::<Vec<u64>>());
        }
        lab.net.forget_roles();
    });
}

#[test]
fn nats_core_loses_what_is_in_flight_at_a_kill_and_jetstream_on_disk_does_not() {
    for_seeds("nats_core_loses", 0..SEEDS, |seed| {
        let (mut sim, lab) = Lab::new(seed, NatsConfig::default());
        let mut rng = Rng::new(seed);
        let (kept, at_kill) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(0)));
        let (node, lab2, stored, held) =
            (lab.node("p", lossy(&mut rng)), lab.clone(), Rc::clone(&kept), Rc::clone(&at_kill));
        let killed_at = rng.below(20);
        lab.ctx.spawn_in(node.scope(), async move {
            let client = lab2.client(node).await;
            let js = client.jetstream();
            js.add_stream(&StreamConfig::new("F", &["f"])).await.unwrap();
            let memory = StreamConfig { storage: Storage::Memory, ..StreamConfig::new("M", &["m"]) };
            js.add_stream(&memory).await.unwrap();
            for n in 0..20 {
                let [f, _m] = [js.publish("f", b"x").await, js.publish("m", b"x").await];
                *stored.borrow_mut() += u64::from(f.is_ok());
                if n == killed_at {
                    // On its way to a broker that dies before it arrives.
                    client.publish("f", b"in flight").unwrap();
                    lab2.net.crash(lab2.broker);
                    lab2.ctx.sleep(ms(300)).await;
                    *held.borrow_mut() = lab2.nats.stored("F").unwrap();
                    lab2.net.start(lab2.broker);
                    break;
                }
            }
        });
        lab.run(&mut sim, 120_000);
        // What was acknowledged is stored; the answer to what was stored may have been too late.
        let (kept, at_kill) = (*kept.borrow(), *at_kill.borrow());
        assert!((kept..=killed_at + 1).contains(&at_kill), "{kept} acknowledged, {at_kill} stored");
        assert_eq!(lab.nats.stored("F"), Some(at_kill));
        assert_eq!(lab.nats.stored("M"), None);
        lab.net.forget_roles();
    });
}

#[test]
fn nats_jetstream_delivers_at_most_max_deliver_times_and_every_message_once() {
    for_seeds("nats_jetstream", 0..SEEDS, |seed| {
        let (mut sim, lab) = Lab::new(seed, NatsConfig::default());
        let mut rng = Rng::new(seed);
        let max = 1 + rng.below(4);
        let deliveries: Rc<RefCell<BTreeMap<u64, u64>>> = Rc::default();
        let (node, lab2) = (lab.node("p", LinkModel::new(ms(5), ms(0))), lab.clone());
        lab.ctx.spawn_in(node.scope(), async move {
            let client = lab2.client(node).await;
            let js = client.jetstream();
            js.add_stream(&StreamConfig::new("S", &["s"])).await.unwrap();
            for _ in 0..20 {
                js.publish("s", b"x").await.unwrap();
            }
        });
        let killed = rng.chance(0.5);
        for index in 0..3 {
            let node = lab.node(&format!("w-{index:02}"), lossy(&mut rng));
            let (lab2, deliveries, mut rng) = (lab.clone(), Rc::clone(&deliveries), Rng::new(seed ^ index));
            lab.ctx.spawn_in(node.scope(), async move {
                lab2.ctx.sleep(ms(5000)).await;
                let client = lab2.client(node).await;
                let config = ConsumerConfig {
                    ack_wait: 2_000_000_000,
                    max_deliver: max as i64,
                    ..ConsumerConfig::durable("c")
                };
                let work = client.jetstream().consumer("S", &config).await.unwrap();
                while let Ok(message) = work.next().await {
                    *deliveries.borrow_mut().entry(message.stream_seq()).or_default() += 1;
                    if rng.chance(0.5) {
                        message.ack().unwrap();
                    }
                }
            });
        }
        let lab2 = lab.clone();
        lab.ctx.spawn(async move {
            lab2.ctx.sleep(ms(12_000)).await;
            if killed {
                lab2.net.crash(lab2.broker);
                lab2.ctx.sleep(ms(1000)).await;
                lab2.net.start(lab2.broker);
            }
        });
        lab.run(&mut sim, 200_000);
        let deliveries = deliveries.borrow();
        assert!(deliveries.values().all(|&count| count <= max), "{deliveries:?}, at most {max}");
        // At most `max` attempts may all have died with a connection; without a kill none does.
        assert!(killed || deliveries.len() == 20, "{deliveries:?}");
        lab.net.forget_roles();
    });
}
