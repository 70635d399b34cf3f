//! EVAL for scripts that are sequences of calls. Such a script consists of
//!
//! ```text
//! redis.call('LPUSH', KEYS[1], ARGV[1]); redis.call("SET", 'k', 5)
//! return redis.call('GET', 'k')
//! ```
//!
//! that is of `redis.call` (or `redis.pcall`, or `server.call` in Valkey 8) with literal strings, whole numbers, `KEYS[n]`
//! and `ARGV[n]` as arguments, and of at most one `return`, of a call or a literal, at its end. Other scripts are read by
//! `more/lua.rs`, which the page's programs do not have, and are answered with an error that says so where it does not
//! understand them either. As in the real server, a script is read once and kept.

use super::reply::{Answer, Bytes, ErrorText, Reply, error};
use super::sha1;
use super::store::{ConnId, Store};
use super::table;
use crate::substrate::decimal;
use std::rc::Rc;

/// So many scripts are kept; then all are forgotten.
const SCRIPTS_MAX: usize = 1000;
const NOT_UNDERSTOOD: ErrorText = error(
    "ERR Error compiling script: only sequences of redis.call('COMMAND', arguments) with literal arguments, KEYS[n] and ARGV[n] are modelled",
);

/// A script that was read. Cheap to clone.
#[derive(Clone)]
pub(super) enum ReadScript {
    /// A sequence of calls.
    Calls(Rc<[Statement]>),
    /// Anything else of Lua's.
    #[cfg(not(target_arch = "wasm32"))]
    Lua(Rc<super::more::Script>),
}

/// One statement of a script.
pub(super) struct Statement {
    returned: bool,
    what: Expression,
    line: usize,
}

enum Expression {
    Call { words: Vec<Literal>, protected: bool },
    Literal(Literal),
}

/// What stands for a value: itself, or a place among what EVAL is given.
enum Literal {
    Text(Bytes),
    Number(f64),
    Nothing,
    Key(usize),
    Argument(usize),
}

/// What EVAL is given besides the script.
struct Given<'a> {
    keys: &'a [Bytes],
    arguments: &'a [Bytes],
}

impl Given<'_> {
    fn value(&self, literal: &Literal) -> Reply {
        match literal {
            Literal::Text(text) => Reply::Bulk(text.clone()),
            Literal::Number(n) => Reply::Int(whole(*n)),
            Literal::Nothing => Reply::NilBulk,
            Literal::Key(place) => Reply::bulk_or_nil(self.keys.get(*place).cloned()),
            Literal::Argument(place) => Reply::bulk_or_nil(self.arguments.get(*place).cloned()),
        }
    }

    /// The words of a command; an error where one of them is nothing.
    fn words(&self, literals: &[Literal]) -> Result<Vec<Bytes>, ErrorText> {
        let mut words = Vec::with_capacity(literals.len());
        for literal in literals {
            let word = match literal {
                Literal::Text(text) => Some(text.clone()),
                Literal::Number(n) => Some(number_text(*n).into_bytes().into()),
                Literal::Nothing => None,
                Literal::Key(place) => self.keys.get(*place).cloned(),
                Literal::Argument(place) => self.arguments.get(*place).cloned(),
            };
            let refused = error("ERR Lua redis lib command arguments must be strings or integers");
            words.push(word.ok_or(refused)?);
        }
        Ok(words)
    }
}

/// A number of Lua's, which has 53 binary digits, as an integer. What is beyond those is the least of them, as the
/// server's processor has it.
fn whole(n: f64) -> i64 {
    if n.abs() < i64::MAX as f64 { n as i64 } else { i64::MIN }
}

/// As the server writes such a number for a command.
fn number_text(n: f64) -> String {
    #[cfg(not(target_arch = "wasm32"))]
    if n.abs() >= 1e15 {
        return super::more::double_text(n);
    }
    whole(n).to_string()
}

/// A reply as Lua hands it back: it has one nothing, and numbers that are exact up to 2⁵³. An array ends where something
/// is missing.
fn through_lua(reply: Reply) -> Reply {
    match reply {
        Reply::NilArray => Reply::NilBulk,
        Reply::Int(n) => Reply::Int(whole(n as f64)),
        Reply::Array(items) => Reply::Array(items.into_iter().map(through_lua).collect()),
        reply => reply,
    }
}

/// An error, with the place that it comes from.
fn failure(error: &str, script: &[u8], line: usize) -> ErrorText {
    format!("{error} script: {}, on @user_script:{line}.", sha1::hex(script)).into()
}

impl Store {
    pub(super) fn eval(&mut self, id: ConnId, script: &Bytes, keys: &[Bytes], arguments: &[Bytes]) -> Answer {
        let database = self.clients.get(&id).map(|client| client.db);
        let answer = self.run_script(id, script, keys, arguments);
        // What a script selects holds until its end.
        if let Some((client, db)) = self.clients.get_mut(&id).zip(database) {
            client.db = db;
        }
        answer
    }

    fn run_script(&mut self, id: ConnId, script: &Bytes, keys: &[Bytes], arguments: &[Bytes]) -> Answer {
        match self.statements(script).ok_or(NOT_UNDERSTOOD)? {
            ReadScript::Calls(statements) => {
                self.run_calls(id, script, &statements, &Given { keys, arguments })
            }
            #[cfg(not(target_arch = "wasm32"))]
            ReadScript::Lua(lua) => {
                let mut call = |words: &[Bytes]| self.call(id, Ok(words.to_vec()));
                let failed = |(error, line): (ErrorText, usize)| failure(&error, script, line);
                lua.run(keys, arguments, &mut call).map_err(failed)
            }
        }
    }

    fn run_calls(&mut self, id: ConnId, script: &Bytes, statements: &[Statement], given: &Given) -> Answer {
        for Statement { returned, what, line } in statements.iter() {
            let reply = match what {
                Expression::Literal(literal) => given.value(literal),
                Expression::Call { words, protected } => match self.call(id, given.words(words)) {
                    Reply::Error(error) if !protected => return Err(failure(&error, script, *line)),
                    reply => reply,
                },
            };
            if *returned {
                return Ok(through_lua(reply));
            }
        }
        Ok(Reply::NilBulk)
    }

    /// What a script consists of; `None` when it is not understood.
    fn statements(&mut self, script: &Bytes) -> Option<ReadScript> {
        if let Some(known) = self.scripts.get(script) {
            return Some(known.clone());
        }
        let calls = std::str::from_utf8(script).ok();
        let calls = calls.and_then(|text| Reader { rest: text, line: 1 }.statements());
        let read = calls.map(|calls| ReadScript::Calls(calls.into()));
        #[cfg(not(target_arch = "wasm32"))]
        let read = read.or_else(|| super::more::Script::read(script).map(|lua| ReadScript::Lua(lua.into())));
        let read = read?;
        if self.scripts.len() >= SCRIPTS_MAX {
            self.forget_scripts();
        }
        #[cfg(not(target_arch = "wasm32"))]
        self.digests.insert(sha1::hex(script).into_bytes().into(), script.clone());
        self.scripts.insert(script.clone(), read.clone());
        Some(read)
    }

    /// Reads a script without running it: its digest.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn load_script(&mut self, script: &Bytes) -> Result<String, ErrorText> {
        self.statements(script).ok_or(NOT_UNDERSTOOD)?;
        Ok(sha1::hex(script))
    }

    pub(super) fn forget_scripts(&mut self) {
        self.scripts.clear();
        #[cfg(not(target_arch = "wasm32"))]
        self.digests.clear();
    }

    fn call(&mut self, id: ConnId, words: Result<Vec<Bytes>, ErrorText>) -> Reply {
        let words = match &words {
            Ok(words) => &words[..],
            Err(error) => return Reply::Error(error.clone()),
        };
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
            #[cfg(not(target_arch = "wasm32"))]
            Ok(command) if command.wait().is_some() && command.waited_kind() == "stream" => {
                let name = String::from_utf8_lossy(&words[0]);
                Reply::Error(
                    format!("ERR {name} command is not allowed with BLOCK option from scripts").into(),
                )
            }
            Ok(command) => self.run(id, &command, true).last().unwrap_or(Reply::NilBulk),
            Err(error) => Reply::Error(error),
        }
    }
}

/// Reads a script from its beginning.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
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
            words.push(self.literal()?);
            if self.takes(")") {
                return Some(Expression::Call { words, protected });
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn literal(&mut self) -> Option<Literal> {
        type Place = fn(usize) -> Literal;
        for (name, literal) in [("KEYS[", Literal::Key as Place), ("ARGV[", Literal::Argument)] {
            if self.takes(name) {
                let place = usize::try_from(whole(self.number()?)).ok()?.checked_sub(1)?;
                return self.takes("]").then(|| literal(place));
            }
        }
        if self.takes("nil") || self.takes("false") {
            return Some(Literal::Nothing);
        }
        for quote in ['\'', '"'] {
            if self.takes(if quote == '"' { "\"" } else { "'" }) {
                let (text, rest) = self.rest.split_once(quote)?;
                self.rest = rest;
                // Escapes and line breaks would need more than this.
                return (!text.contains(['\\', '\n'])).then(|| Literal::Text(text.as_bytes().into()));
            }
        }
        self.number().map(Literal::Number)
    }

    fn number(&mut self) -> Option<f64> {
        self.skip_space();
        let end = self.rest.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let number = decimal::read(digits)?;
        if rest.starts_with('.') {
            return None;
        }
        self.rest = rest;
        Some(number)
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
