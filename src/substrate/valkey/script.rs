//! EVAL for scripts that are sequences of calls. There is no Lua interpreter here: a script consists of
//!
//! ```text
//! redis.call('LPUSH', KEYS[1], ARGV[1]); redis.call("SET", 'k', 5)
//! return redis.call('GET', 'k')
//! ```
//!
//! that is of `redis.call` (or `redis.pcall`, or `server.call` in Valkey 8) with literal strings, whole numbers, `KEYS[n]`
//! and `ARGV[n]` as arguments, and of at most one `return`, of a call or a literal, at its end. Any other script is
//! answered with an error that says so.

use super::reply::{Answer, Bytes, ErrorText, Reply, error};
use super::sha1;
use super::store::{ConnId, Store};
use super::table;

const NOT_UNDERSTOOD: ErrorText = error(
    "ERR Error compiling script: only sequences of redis.call('COMMAND', arguments) with literal arguments, KEYS[n] and ARGV[n] are modelled",
);

/// One statement of a script.
struct Statement {
    returned: bool,
    what: Expression,
    line: usize,
}

enum Expression {
    Call { words: Vec<Bytes>, protected: bool },
    Literal(Reply),
}

impl Store {
    pub(super) fn eval(&mut self, id: ConnId, script: &Bytes, keys: &[Bytes], arguments: &[Bytes]) -> Answer {
        let text = std::str::from_utf8(script).map_err(|_| NOT_UNDERSTOOD)?;
        let statements =
            Reader { rest: text, line: 1, keys, arguments }.statements().ok_or(NOT_UNDERSTOOD)?;
        for Statement { returned, what, line } in statements {
            let reply = match what {
                Expression::Literal(reply) => reply,
                Expression::Call { words, protected } => match self.call(id, &words) {
                    Reply::Error(error) if !protected => {
                        let sha = sha1::hex(script);
                        return Err(format!("{error} script: {sha}, on @user_script:{line}.").into());
                    }
                    reply => reply,
                },
            };
            if returned {
                return Ok(match reply {
                    // Lua has one nothing for both.
                    Reply::NilArray => Reply::NilBulk,
                    reply => reply,
                });
            }
        }
        Ok(Reply::NilBulk)
    }

    fn call(&mut self, id: ConnId, words: &[Bytes]) -> Reply {
        let (spec, name) = match table::look_up(words) {
            Ok(found) => found,
            Err(text) if text.starts_with("ERR wrong number") => {
                return Reply::Error(error("ERR Wrong number of args calling Redis command from script"));
            }
            Err(_) => return Reply::Error(error("ERR Unknown Redis command called from script")),
        };
        if !spec.works_in_scripts(self.config.version) {
            return Reply::Error(error("ERR This Redis command is not allowed from script"));
        }
        match spec.parse(&words[name..]) {
            Ok(command) => self.run(id, &command, true).pop().unwrap_or(Reply::NilBulk),
            Err(error) => Reply::Error(error),
        }
    }
}

/// Reads a script from its beginning.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    keys: &'a [Bytes],
    arguments: &'a [Bytes],
}

impl Reader<'_> {
    /// All statements; `None` when there is anything else in the script.
    fn statements(mut self) -> Option<Vec<Statement>> {
        let mut statements: Vec<Statement> = Vec::new();
        loop {
            while self.takes(";") {}
            self.skip_space();
            if self.rest.is_empty() {
                return Some(statements);
            }
            if statements.last().is_some_and(|last| last.returned) {
                return None;
            }
            let returned = self.takes("return ");
            self.skip_space();
            let line = self.line;
            let what =
                self.expression().filter(|what| returned || matches!(what, Expression::Call { .. }))?;
            statements.push(Statement { returned, what, line });
        }
    }

    fn expression(&mut self) -> Option<Expression> {
        let protected = self.takes("redis.pcall") || self.takes("server.pcall");
        if !protected && !self.takes("redis.call") && !self.takes("server.call") {
            return self.literal().map(Expression::Literal);
        }
        if !self.takes("(") {
            return None;
        }
        let mut words = Vec::new();
        loop {
            words.push(match self.literal()? {
                Reply::Bulk(bytes) => bytes,
                Reply::Int(n) => n.to_string().into_bytes().into(),
                _ => return None,
            });
            if self.takes(")") {
                return Some(Expression::Call { words, protected });
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn literal(&mut self) -> Option<Reply> {
        for (name, values) in [("KEYS[", self.keys), ("ARGV[", self.arguments)] {
            if self.takes(name) {
                let Reply::Int(n) = self.number()? else { return None };
                let value = values.get(usize::try_from(n).ok()?.checked_sub(1)?)?;
                return self.takes("]").then(|| Reply::Bulk(value.clone()));
            }
        }
        if self.takes("nil") || self.takes("false") {
            return Some(Reply::NilBulk);
        }
        for quote in ['\'', '"'] {
            if self.takes(if quote == '"' { "\"" } else { "'" }) {
                let (text, rest) = self.rest.split_once(quote)?;
                self.rest = rest;
                // Escapes and line breaks would need more than this.
                return (!text.contains(['\\', '\n'])).then(|| Reply::bulk(text));
            }
        }
        self.number()
    }

    fn number(&mut self) -> Option<Reply> {
        self.skip_space();
        let end = self.rest.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let number = digits.parse().ok()?;
        if rest.starts_with('.') {
            return None;
        }
        self.rest = rest;
        Some(Reply::Int(number))
    }

    fn takes(&mut self, what: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        let rest = self.rest.trim_start();
        self.line += self.rest[..self.rest.len() - rest.len()].matches('\n').count();
        self.rest = rest;
    }
}
