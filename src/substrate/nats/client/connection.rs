//! The task behind a client: it reads the connection, pings, and connects again.

use super::super::protocol::{ConnectOptions, Frame, Op};
use super::super::{CONNECTED, DISCONNECTED};
use super::{Inner, NatsError, Status};
use crate::kernel::{Span, Stream};
use crate::substrate::stream::Conn;
use std::rc::Rc;

pub(super) struct Driver {
    client: Rc<Inner>,
    conn: Conn<Op, Frame>,
    jitter: Stream,
    attempts: u64,
}

/// Opens a connection and waits until the server has answered the first PING.
async fn open(client: &Inner) -> Result<Conn<Op, Frame>, NatsError> {
    let opening = async {
        let address = &client.nats.config().address;
        let mut conn =
            client.nats.streams().connect(client.node, address).await.map_err(|_| NatsError::NoServers)?;
        let options = ConnectOptions {
            verbose: false,
            pedantic: false,
            echo: !client.options.no_echo,
            headers: true,
            no_responders: true,
            auth_token: client.options.token.clone(),
        };
        let sent = conn.send(Op::Connect(Box::new(options))).and_then(|()| conn.send(Op::Ping));
        sent.map_err(|_| NatsError::NoServers)?;
        while let Some(frame) = conn.recv().await {
            match frame {
                Frame::Pong => return Ok(conn),
                Frame::Info(info) => client.max_payload.set(info.max_payload),
                Frame::Err("Authorization Violation") => return Err(NatsError::Authorization),
                Frame::Err(_) => return Err(NatsError::NoServers),
                Frame::Msg { .. } | Frame::Ping | Frame::Ok => {}
            }
        }
        Err(NatsError::NoServers)
    };
    client.ctx.timeout(client.options.connect_timeout, opening).await.unwrap_or(Err(NatsError::NoServers))
}

impl Driver {
    pub(super) async fn connect(client: &Rc<Inner>) -> Result<Self, NatsError> {
        let conn = open(client).await?;
        let jitter = client.ctx.stream(&client.name, "nats-reconnect");
        let driver = Driver { client: Rc::clone(client), conn, jitter, attempts: client.number << 32 };
        driver.begin();
        Ok(driver)
    }

    /// A connection is there: all subscriptions are made, what was kept is sent.
    fn begin(&self) {
        let client = &self.client;
        *client.outlet.borrow_mut() = Some(self.conn.outlet());
        client.turn(Status::Connected);
        client.pings_out.set(0);
        client.ctx.record_in(
            client.node.scope(),
            client.ctx.span(),
            CONNECTED,
            self.conn.peer().0,
            client.reconnects.get(),
        );
        let mut ops: Vec<Op> = Vec::new();
        for (&sid, state) in client.subs.borrow().iter() {
            ops.push(state.op(sid));
            ops.extend(state.rest(sid));
        }
        ops.extend(client.kept.borrow_mut().drain(..));
        client.kept_bytes.set(0);
        for op in ops {
            // Closed: the reader learns it next.
            let _ = self.conn.send(op);
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.read().await;
            let client = Rc::clone(&self.client);
            client.ctx.set_span(Span::default());
            client.ctx.record(DISCONNECTED, self.conn.peer().0, 0);
            client.turn(Status::Reconnecting);
            *client.outlet.borrow_mut() = None;
            client.pongs.borrow_mut().clear();
            if !client.options.reconnect || !self.reconnect().await {
                return client.close();
            }
            client.reconnects.set(client.reconnects.get() + 1);
            self.begin();
        }
    }

    /// Reads until the connection is gone or silent for too long.
    async fn read(&mut self) {
        let client = Rc::clone(&self.client);
        let mut ping_at = client.ctx.now() + client.options.ping_interval;
        loop {
            match client.ctx.timeout(ping_at.since(client.ctx.now()), self.conn.recv()).await {
                Ok(Some(frame)) => self.receive(frame),
                Ok(None) => return,
                Err(_) => {
                    client.pings_out.set(client.pings_out.get() + 1);
                    if client.pings_out.get() > client.options.max_pings_out {
                        return;
                    }
                    let (pong, _) = crate::kernel::channel(&client.ctx, 1);
                    client.pongs.borrow_mut().push_back(pong);
                    // Closed: the next read says so.
                    let _ = self.conn.send(Op::Ping);
                    ping_at = client.ctx.now() + client.options.ping_interval;
                }
            }
        }
    }

    fn receive(&self, frame: Frame) {
        let client = &self.client;
        match frame {
            Frame::Msg { sid, message } => client.hand_over(sid, message),
            Frame::Ping => {
                // Closed: the next read says so.
                let _ = self.conn.send(Op::Pong);
            }
            Frame::Pong => {
                client.pings_out.set(0);
                if let Some(waiting) = client.pongs.borrow_mut().pop_front() {
                    // Whoever asked may have given up.
                    let _ = waiting.send(());
                }
            }
            Frame::Info(info) => client.max_payload.set(info.max_payload),
            // What follows an error is the end of the connection.
            Frame::Err(_) | Frame::Ok => {}
        }
    }

    /// Waits and tries, until it has a connection or gives up.
    async fn reconnect(&mut self) -> bool {
        let client = Rc::clone(&self.client);
        let mut failed = 0;
        while client.options.max_reconnects.is_none_or(|max| failed < max) {
            let jitter = client.options.reconnect_jitter.scale(self.jitter.at(self.attempts).unit());
            self.attempts += 1;
            client.ctx.sleep(client.options.reconnect_wait + jitter).await;
            match open(&client).await {
                Ok(conn) => {
                    self.conn = conn;
                    return true;
                }
                Err(error) => *client.last_error.borrow_mut() = Some(error),
            }
            failed += 1;
        }
        false
    }
}
