//! What its assertions hold.

use super::*;
use crate::kernel::{Sim, Sink};

impl Segment for u8 {
    fn size(&self) -> usize {
        1
    }

    fn payload(&self) -> Payload {
        Payload::Message
    }
}

fn pipe() -> Rc<Pipe<u8>> {
    let ctx = Sim::new(1, Sink::None).ctx();
    let net = Net::new(&ctx, false);
    let [from, to] = ["w-01", "nats"].map(|name| net.add_node(name));
    let ident = Ident { number: 1, call: 1 };
    Pipe::open(&net, from, to, ctx.stream("w-01", "up"), ident, &Rc::default(), &Rc::default()).0
}

fn arrived(pipe: &Pipe<u8>) -> Option<u8> {
    pipe.take(Arrival { message: None, size: 0, span: Span::default() })
}

#[test]
#[should_panic(expected = "a connection has two directions")]
fn a_direction_has_one_other() {
    let pipe = pipe();
    pipe.pair_with(&pipe);
    pipe.pair_with(&pipe);
}

#[test]
#[should_panic(expected = "the close, and nothing else, comes last")]
fn nothing_is_put_behind_the_close() {
    let pipe = pipe();
    pipe.finish();
    pipe.put(Some(1), 1, Span::default());
}

#[test]
#[should_panic(expected = "the next connection's draws begin there")]
fn no_message_takes_the_draws_of_another_connection() {
    let pipe = pipe();
    pipe.sent.set(1 << MESSAGES_BITS);
    let _ = pipe.send(1);
}

#[test]
#[should_panic(expected = "nothing is read behind the close")]
fn the_close_is_read_once() {
    let pipe = pipe();
    arrived(&pipe);
    arrived(&pipe);
}

#[test]
#[should_panic(expected = "nothing is sent behind the close")]
fn nothing_waits_behind_the_close() {
    let pipe = pipe();
    pipe.finish();
    pipe.finished.set(false);
    let _ = pipe.send(1);
    pipe.arrive();
}

#[test]
#[should_panic(expected = "what counts as queued is there")]
fn no_byte_counts_as_queued_that_is_gone() {
    let pipe = pipe();
    let _ = pipe.send(1);
    pipe.queued.set(2);
    pipe.arrive();
}
