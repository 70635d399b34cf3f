//! Commands on the connection and on the server itself.

use super::command::Command;
use super::config::Persistence;
use super::keyspace::DATABASES;
use super::parse::is;
use super::reply::{Answer, Bytes, Reply, error};
use super::store::{ConnId, Effect, Store};
use std::fmt::Write;

impl Store {
    pub(super) fn on_server(&mut self, id: ConnId, command: &Command) -> Answer {
        let now = self.keyspace.now;
        match command {
            Command::Ping { message } => Ok(self.ping(id, message.as_ref())),
            Command::Echo { message } => Ok(Reply::Bulk(message.clone())),
            Command::Select { db } => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.db = *db;
                }
                Ok(Reply::OK)
            }
            Command::Quit => Ok(Reply::OK),
            Command::Reset => {
                self.unwatch(id);
                self.unsubscribe_all(id);
                if let Some(client) = self.clients.get_mut(&id) {
                    client.transaction.close();
                    client.db = 0;
                    client.name = Bytes::default();
                }
                Ok(Reply::Simple("RESET".into()))
            }
            Command::Time => {
                let micros = now % 1000 * 1000;
                let parts = [now / 1000, micros].map(|n| n.to_string().into_bytes().into());
                Ok(Reply::bulks(parts))
            }
            Command::Info { sections } => Ok(Reply::bulk(self.info(sections))),
            Command::ConfigGet { patterns } => Ok(self.config.get(patterns)),
            Command::ConfigSet { pairs } => self.config.set(pairs),
            Command::Save { background } => {
                self.save();
                Ok(if *background { Reply::Simple("Background saving started".into()) } else { Reply::OK })
            }
            Command::LastSave => Ok(Reply::Int((self.saved_at / 1000) as i64)),
            Command::Shutdown { save } => {
                let by_default = matches!(self.config.persistence, Persistence::Snapshots(_));
                if save.unwrap_or(by_default) {
                    self.save();
                }
                self.effects.push(Effect::Shutdown);
                Ok(Reply::OK)
            }
            Command::ClientId => Ok(Reply::Int(id.0 as i64)),
            Command::ClientGetName => {
                let name = self.clients.get(&id).map(|client| client.name.clone());
                Ok(Reply::bulk_or_nil(name.filter(|name| !name.is_empty())))
            }
            Command::ClientSetName { name } => {
                if name.iter().any(|c| !(b'!'..=b'~').contains(c)) {
                    return Err(error(
                        "ERR Client names cannot contain spaces, newlines or special characters.",
                    ));
                }
                if let Some(client) = self.clients.get_mut(&id) {
                    client.name = name.clone();
                }
                Ok(Reply::OK)
            }
            Command::ClientUnblock { id, with_error } => {
                let other = u64::try_from(*id).map(ConnId);
                Ok(Reply::Int(i64::from(other.is_ok_and(|other| self.unblock(other, *with_error)))))
            }
            Command::Publish { channel, message } => Ok(self.publish(channel, message)),
            Command::Channels { pattern } => Ok(self.active_channels(pattern.as_ref())),
            Command::Subscribers { channels } => Ok(self.subscriber_counts(channels)),
            Command::PatternCount => Ok(Reply::count(self.patterns.len())),
            _ => Err(error("ERR not a command on the server")),
        }
    }

    /// A client with subscriptions is answered in the form of a message.
    fn ping(&self, id: ConnId, message: Option<&Bytes>) -> Reply {
        let subscribed = self.clients.get(&id).is_some_and(|client| !client.subscriptions.is_empty());
        match (subscribed, message) {
            (true, message) => Reply::bulks([b"pong"[..].into(), message.cloned().unwrap_or_default()]),
            (false, Some(message)) => Reply::Bulk(message.clone()),
            (false, None) => Reply::Simple("PONG".into()),
        }
    }

    /// The sections that a reader of the page or of a test may want; the same names as the real server's.
    fn info(&self, asked: &[Bytes]) -> String {
        let version = self.config.version;
        let blocked = self.clients.values().filter(|client| client.blocked.is_some()).count();
        let mut keyspace = String::new();
        for db in 0..DATABASES {
            let keys = self.keyspace.len_of(db);
            if keys > 0 {
                let expires = self.keyspace.expiring_in(db);
                let _ = write!(keyspace, "db{db}:keys={keys},expires={expires},avg_ttl=0\r\n");
            }
        }
        let sections = [
            (
                "Server",
                format!(
                    "redis_version:{}\r\nredis_mode:standalone\r\nuptime_in_seconds:{}\r\nhz:10\r\n",
                    version.number(),
                    self.uptime_seconds()
                ),
            ),
            ("Clients", format!("connected_clients:{}\r\nblocked_clients:{blocked}\r\n", self.clients.len())),
            (
                "Memory",
                format!(
                    "used_memory:{}\r\nmaxmemory:{}\r\nmaxmemory_policy:noeviction\r\n",
                    self.used_memory(),
                    self.config.max_memory
                ),
            ),
            (
                "Persistence",
                format!(
                    "loading:0\r\nrdb_changes_since_last_save:{}\r\nrdb_last_save_time:{}\r\naof_enabled:{}\r\n",
                    self.keyspace.changes,
                    self.saved_at / 1000,
                    u8::from(self.config.persistence == Persistence::AppendOnly)
                ),
            ),
            ("Stats", format!("total_commands_processed:{}\r\n", self.commands)),
            ("Keyspace", keyspace),
        ];
        let wanted = |name: &str| {
            asked.is_empty()
                || asked.iter().any(|a| ["all", "everything", "default", name].iter().any(|w| is(a, w)))
        };
        let texts: Vec<String> = sections
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, body)| format!("# {name}\r\n{body}"))
            .collect();
        texts.join("\r\n")
    }
}
