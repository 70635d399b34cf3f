//! As much Lua as the scripts of queues are written in: locals, conditions, `while`, numbers, texts, arrays, and the calls
//! `redis.call`, `redis.pcall`, `tonumber`, `tostring`, `math.floor`, `unpack`. A script is read in full before it runs; what
//! is not understood is the caller's to tell. Endless scripts end after a million steps.

use super::super::reply::{Bytes, ErrorText, Reply, error};
use super::floats::double_text;
use super::lua_reader::{Block, Expression, Operator, Statement, read};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How a script calls a command.
pub(in super::super) type Call<'a> = &'a mut dyn FnMut(&[Bytes]) -> Reply;

const STEPS_MAX: u32 = 1_000_000;

/// A value of Lua's.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Nil,
    False,
    True,
    Number(f64),
    Text(Bytes),
    Array(Rc<Vec<Value>>),
    /// A status, or an error that was caught: a table with one field.
    Reply(Rc<Reply>),
}

/// How a statement ends: it goes on, it leaves its loop, it returns.
enum Flow {
    On,
    Break,
    Return(Value),
}

/// A script that was read.
pub(in super::super) struct Script(Block);

impl Script {
    pub(in super::super) fn read(text: &[u8]) -> Option<Script> {
        read(text).map(Script)
    }

    /// Runs it. An error has the line that it comes from.
    pub(in super::super) fn run(
        &self,
        keys: &[Bytes],
        arguments: &[Bytes],
        call: Call,
    ) -> Result<Reply, (ErrorText, usize)> {
        let array = |items: &[Bytes]| Value::Array(Rc::new(items.iter().cloned().map(Value::Text).collect()));
        let globals = [("KEYS", array(keys)), ("ARGV", array(arguments))];
        let scope = globals.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let mut run = Run { scopes: vec![scope], call, line: 1, steps: 0 };
        match run.block(&self.0) {
            Ok(Flow::Return(value)) => Ok(value.reply()),
            Ok(_) => Ok(Reply::NilBulk),
            Err(why) => Err((why, run.line)),
        }
    }
}

struct Run<'a> {
    scopes: Vec<BTreeMap<String, Value>>,
    call: Call<'a>,
    line: usize,
    steps: u32,
}

type Valued = Result<Value, ErrorText>;

fn wrong(what: &str) -> ErrorText {
    format!("ERR {what}").into()
}

impl Run<'_> {
    fn block(&mut self, block: &Block) -> Result<Flow, ErrorText> {
        self.scopes.push(BTreeMap::new());
        let mut flow = Flow::On;
        for statement in block {
            flow = self.statement(statement)?;
            if !matches!(flow, Flow::On) {
                break;
            }
        }
        self.scopes.pop();
        Ok(flow)
    }

    fn statement(&mut self, (line, statement): &(usize, Statement)) -> Result<Flow, ErrorText> {
        (self.line, self.steps) = (*line, self.steps + 1);
        if self.steps > STEPS_MAX {
            return Err(error(
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            ));
        }
        match statement {
            Statement::Local(name, value) => {
                let value = self.value(value)?;
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name.clone(), value);
                }
            }
            Statement::Assign(name, value) => {
                let value = self.value(value)?;
                let place = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name));
                *place.ok_or_else(|| {
                    wrong(&format!("Script attempted to access nonexistent global variable '{name}'"))
                })? = value;
            }
            Statement::If(branches, otherwise) => {
                for (condition, block) in branches {
                    if self.value(condition)?.is_true() {
                        return self.block(block);
                    }
                }
                return self.block(otherwise);
            }
            Statement::While(condition, block) => {
                while self.value(condition)?.is_true() {
                    self.steps += 1;
                    match self.block(block)? {
                        Flow::On if self.steps <= STEPS_MAX => {}
                        Flow::On | Flow::Break => break,
                        flow => return Ok(flow),
                    }
                }
            }
            Statement::Each(place, item, array, block) => {
                let Value::Array(items) = self.value(array)? else {
                    return Err(wrong("bad argument #1 to 'ipairs' (table expected)"));
                };
                for (at, value) in items.iter().enumerate().take_while(|(_, value)| **value != Value::Nil) {
                    self.steps += 1;
                    let number = Value::Number(at as f64 + 1.0);
                    self.scopes.push([(place.clone(), number), (item.clone(), value.clone())].into());
                    let flow = self.block(block)?;
                    self.scopes.pop();
                    match flow {
                        Flow::On => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                }
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Return(value) => return Ok(Flow::Return(self.value(value)?)),
            Statement::Do(value) => drop(self.value(value)?),
        }
        Ok(Flow::On)
    }

    fn value(&mut self, expression: &Expression) -> Valued {
        Ok(match expression {
            Expression::Nil => Value::Nil,
            Expression::Flag(flag) => Value::of(*flag),
            Expression::Number(n) => Value::Number(*n),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => {
                let found = self.scopes.iter().rev().find_map(|scope| scope.get(name));
                found.cloned().ok_or_else(|| {
                    wrong(&format!("Script attempted to access nonexistent global variable '{name}'"))
                })?
            }
            Expression::Index(array, place) => {
                let (array, place) = (self.value(array)?, self.value(place)?);
                let (Value::Array(items), Value::Number(place)) = (array, place) else {
                    return Err(wrong("attempt to index a value that is no table"));
                };
                (place >= 1.0).then(|| items.get(place as usize - 1)).flatten().cloned().unwrap_or(Value::Nil)
            }
            Expression::Array(items) => {
                let items: Result<Vec<Value>, ErrorText> =
                    items.iter().map(|item| self.value(item)).collect();
                Value::Array(Rc::new(items?))
            }
            Expression::Not(value) => Value::of(!self.value(value)?.is_true()),
            Expression::Minus(value) => Value::Number(-self.value(value)?.number()?),
            Expression::Length(value) => match self.value(value)? {
                Value::Array(items) => Value::Number(items.len() as f64),
                value => Value::Number(value.text()?.len() as f64),
            },
            Expression::Binary(operator, a, b) => return self.binary(*operator, a, b),
            Expression::Call(name, arguments) => return self.invoke(name, arguments),
        })
    }

    fn binary(&mut self, operator: Operator, a: &Expression, b: &Expression) -> Valued {
        let a = self.value(a)?;
        match (operator, a.is_true()) {
            (Operator::And, false) | (Operator::Or, true) => return Ok(a),
            (Operator::And | Operator::Or, _) => return self.value(b),
            _ => {}
        }
        let b = self.value(b)?;
        let order = || match (&a, &b) {
            (Value::Number(a), Value::Number(b)) => a.partial_cmp(b).ok_or(wrong("no order")),
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            _ => Err(wrong("attempt to compare two values of different types")),
        };
        let numbers = || Ok::<_, ErrorText>((a.number()?, b.number()?));
        Ok(match operator {
            Operator::Equal => Value::of(a == b),
            Operator::Unequal => Value::of(a != b),
            Operator::Less => Value::of(order()?.is_lt()),
            Operator::LessEqual => Value::of(order()?.is_le()),
            Operator::Greater => Value::of(order()?.is_gt()),
            Operator::GreaterEqual => Value::of(order()?.is_ge()),
            Operator::Join => Value::Text([a.text()?, b.text()?].concat().into()),
            Operator::Plus => numbers().map(|(a, b)| Value::Number(a + b))?,
            Operator::Minus => numbers().map(|(a, b)| Value::Number(a - b))?,
            Operator::Times => numbers().map(|(a, b)| Value::Number(a * b))?,
            Operator::Over => numbers().map(|(a, b)| Value::Number(a / b))?,
            Operator::Modulo => numbers().map(|(a, b)| Value::Number(a - (a / b).floor() * b))?,
            Operator::And | Operator::Or => Value::Nil,
        })
    }

    fn invoke(&mut self, name: &str, arguments: &[Expression]) -> Valued {
        let mut given = Vec::new();
        for argument in arguments {
            match argument {
                // The last of several stands for as many values as there are.
                Expression::Call(name, arguments) if name == "unpack" => {
                    given.extend(self.unpack(arguments)?)
                }
                argument => given.push(self.value(argument)?),
            }
        }
        let first = given.first().cloned().unwrap_or(Value::Nil);
        match name {
            "redis.call" | "redis.pcall" | "server.call" | "server.pcall" => {
                let words: Result<Vec<Bytes>, ErrorText> = given.iter().map(Value::word).collect();
                let reply = match words {
                    Ok(words) => (self.call)(&words),
                    Err(why) => Reply::Error(why),
                };
                match reply {
                    Reply::Error(why) if !name.ends_with("pcall") => Err(why),
                    reply => Ok(Value::of_reply(reply)),
                }
            }
            "tonumber" => Ok(first.number().map_or(Value::Nil, Value::Number)),
            "tostring" => Ok(Value::Text(first.text()?)),
            "math.floor" => Ok(Value::Number(first.number()?.floor())),
            "unpack" => Ok(self.unpack(arguments)?.into_iter().next().unwrap_or(Value::Nil)),
            name => Err(wrong(&format!("Script attempted to access nonexistent global variable '{name}'"))),
        }
    }

    fn unpack(&mut self, arguments: &[Expression]) -> Result<Vec<Value>, ErrorText> {
        let Some((array, from)) = arguments.split_first() else { return Ok(Vec::new()) };
        let Value::Array(items) = self.value(array)? else {
            return Err(wrong("bad argument #1 to 'unpack'"));
        };
        let from = from.first().map_or(Ok(1.0), |from| self.value(from)?.number())?;
        Ok(items.iter().skip(from.max(1.0) as usize - 1).cloned().collect())
    }
}

impl Value {
    fn of(flag: bool) -> Value {
        if flag { Value::True } else { Value::False }
    }

    fn is_true(&self) -> bool {
        !matches!(self, Value::Nil | Value::False)
    }

    /// A text that is a number is one, too.
    fn number(&self) -> Result<f64, ErrorText> {
        match self {
            Value::Number(n) => Ok(*n),
            Value::Text(text) => super::floats::score(text.trim_ascii())
                .ok_or(wrong("attempt to perform arithmetic on a string value")),
            _ => Err(wrong("attempt to perform arithmetic on a value that is no number")),
        }
    }

    fn text(&self) -> Result<Bytes, ErrorText> {
        match self {
            Value::Text(text) => Ok(text.clone()),
            // As Lua writes numbers: with 14 digits.
            Value::Number(n) if n.fract() == 0.0 && n.abs() < 1e14 => {
                Ok((*n as i64).to_string().into_bytes().into())
            }
            Value::Number(n) => Ok(double_text(*n).into_bytes().into()),
            Value::Nil => Err(wrong("attempt to concatenate a nil value")),
            _ => Err(wrong("attempt to concatenate a value that is no text")),
        }
    }

    /// A word of a command.
    fn word(&self) -> Result<Bytes, ErrorText> {
        match self {
            Value::Text(text) => Ok(text.clone()),
            Value::Number(n) => Ok(double_text(*n).into_bytes().into()),
            _ => Err(error("ERR Lua redis lib command arguments must be strings or integers")),
        }
    }

    fn of_reply(reply: Reply) -> Value {
        match reply {
            Reply::Int(n) => Value::Number(n as f64),
            Reply::Bulk(text) => Value::Text(text),
            Reply::NilBulk | Reply::NilArray => Value::False,
            Reply::Array(items) => Value::Array(Rc::new(items.into_iter().map(Value::of_reply).collect())),
            reply => Value::Reply(Rc::new(reply)),
        }
    }

    fn reply(&self) -> Reply {
        match self {
            Value::Nil | Value::False => Reply::NilBulk,
            Value::True => Reply::Int(1),
            Value::Number(n) if n.abs() < i64::MAX as f64 => Reply::Int(*n as i64),
            Value::Number(_) => Reply::Int(i64::MIN),
            Value::Text(text) => Reply::Bulk(text.clone()),
            // An array ends where nothing is.
            Value::Array(items) => {
                Reply::Array(items.iter().take_while(|item| **item != Value::Nil).map(Value::reply).collect())
            }
            Value::Reply(reply) => Reply::clone(reply),
        }
    }
}
