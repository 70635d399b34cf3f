//! Reads scripts: words, then statements and expressions by precedence.

use super::super::reply::Bytes;

/// Statements, each with its line.
pub(super) type Block = Vec<(usize, Statement)>;

pub(super) enum Statement {
    Local(String, Expression),
    Assign(String, Expression),
    If(Vec<(Expression, Block)>, Block),
    While(Expression, Block),
    /// `for place, item in ipairs(array)`
    Each(String, String, Expression, Block),
    Break,
    Return(Expression),
    Do(Expression),
}

pub(super) enum Expression {
    Nil,
    Flag(bool),
    Number(f64),
    Text(Bytes),
    Name(String),
    Index(Box<Expression>, Box<Expression>),
    Array(Vec<Expression>),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Length(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Or,
    And,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Unequal,
    Equal,
    Join,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// Operators with how tightly they bind.
const OPERATORS: [(&str, Operator, u8); 14] = [
    ("or", Operator::Or, 1),
    ("and", Operator::And, 2),
    ("<", Operator::Less, 3),
    (">", Operator::Greater, 3),
    ("<=", Operator::LessEqual, 3),
    (">=", Operator::GreaterEqual, 3),
    ("~=", Operator::Unequal, 3),
    ("==", Operator::Equal, 3),
    ("..", Operator::Join, 4),
    ("+", Operator::Plus, 5),
    ("-", Operator::Minus, 5),
    ("*", Operator::Times, 6),
    ("/", Operator::Over, 6),
    ("%", Operator::Modulo, 6),
];
/// `not`, `-` and `#` bind more tightly than these.
const UNARY: u8 = 7;

#[derive(Clone, PartialEq)]
enum Token {
    /// A name, a word of the language, or a sign.
    Word(String),
    Number(f64),
    Text(Bytes),
}

/// The statements of a script; `None` when there is anything in it that is not understood.
pub(super) fn read(text: &[u8]) -> Option<Block> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let block = reader.block()?;
    (reader.at == tokens.len()).then_some(block)
}

fn tokens(text: &[u8]) -> Option<Vec<(usize, Token)>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let [byte, after @ ..] = rest {
        let length =
            |rest: &[u8], fits: fn(&u8) -> bool| rest.iter().position(|b| !fits(b)).unwrap_or(rest.len());
        match byte {
            b'\n' => (line, rest) = (line + 1, after),
            b' ' | b'\t' | b'\r' => rest = after,
            b'-' if after.starts_with(b"-[[") => return None,
            b'-' if after.starts_with(b"-") => rest = &rest[length(rest, |b| *b != b'\n')..],
            b'\'' | b'"' => {
                let end = after.iter().position(|b| b == byte)?;
                let content = &after[..end];
                // Escapes are not understood.
                if content.contains(&b'\\') || content.contains(&b'\n') {
                    return None;
                }
                tokens.push((line, Token::Text(content.into())));
                rest = &after[end + 1..];
            }
            b'0'..=b'9' => {
                let end = length(rest, |b| b.is_ascii_digit() || *b == b'.');
                let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
                tokens.push((line, Token::Number(number)));
                rest = &rest[end..];
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = length(rest, |b| b.is_ascii_alphanumeric() || *b == b'_');
                tokens.push((line, Token::Word(String::from_utf8_lossy(&rest[..end]).into_owned())));
                rest = &rest[end..];
            }
            _ => {
                let signs = [
                    "...", "..", "==", "~=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "#", "(",
                    ")", "[", "]", "{", "}", ",", ";", ".",
                ];
                let sign = signs.into_iter().find(|sign| rest.starts_with(sign.as_bytes()))?;
                tokens.push((line, Token::Word(sign.to_owned())));
                rest = &rest[sign.len()..];
            }
        }
    }
    Some(tokens)
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
}

const RESERVED: [&str; 16] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "if", "in", "local", "nil", "not", "or",
    "return", "then",
];

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some((_, Token::Word(word))) => Some(word),
            _ => None,
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let here = self.peek() == Some(word);
        self.at += usize::from(here);
        here
    }

    fn name(&mut self) -> Option<String> {
        let name = self.peek()?.to_owned();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        self.at += 1;
        (is_name && !RESERVED.contains(&name.as_str())).then_some(name)
    }

    fn block(&mut self) -> Option<Block> {
        let mut block = Vec::new();
        loop {
            while self.takes(";") {}
            let line = self.tokens.get(self.at).map_or(1, |(line, _)| *line);
            match self.peek() {
                None if self.at == self.tokens.len() => return Some(block),
                Some("end" | "else" | "elseif") => return Some(block),
                _ => block.push((line, self.statement()?)),
            }
        }
    }

    fn statement(&mut self) -> Option<Statement> {
        if self.takes("local") {
            let name = self.name()?;
            let value = if self.takes("=") { self.expression(0)? } else { Expression::Nil };
            return Some(Statement::Local(name, value));
        }
        if self.takes("if") {
            let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
            loop {
                let condition = self.expression(0)?;
                self.takes("then").then_some(())?;
                branches.push((condition, self.block()?));
                if self.takes("elseif") {
                    continue;
                }
                if self.takes("else") {
                    otherwise = self.block()?;
                }
                return self.takes("end").then_some(Statement::If(branches, otherwise));
            }
        }
        if self.takes("while") {
            let condition = self.expression(0)?;
            self.takes("do").then_some(())?;
            let block = self.block()?;
            return self.takes("end").then_some(Statement::While(condition, block));
        }
        if self.takes("for") {
            let place = self.name()?;
            self.takes(",").then_some(())?;
            let item = self.name()?;
            self.takes("in").then_some(())?;
            let Expression::Call(walk, mut arrays) = self.expression(0)? else { return None };
            let array = arrays.pop().filter(|_| walk == "ipairs" && arrays.is_empty())?;
            self.takes("do").then_some(())?;
            let block = self.block()?;
            return self.takes("end").then_some(Statement::Each(place, item, array, block));
        }
        if self.takes("break") {
            return Some(Statement::Break);
        }
        if self.takes("return") {
            let ends =
                matches!(self.peek(), Some("end" | "else" | "elseif" | ";")) || self.at == self.tokens.len();
            return Some(Statement::Return(if ends { Expression::Nil } else { self.expression(0)? }));
        }
        match self.expression(0)? {
            Expression::Name(name) if self.takes("=") => Some(Statement::Assign(name, self.expression(0)?)),
            call @ Expression::Call(..) => Some(Statement::Do(call)),
            _ => None,
        }
    }

    fn expression(&mut self, least: u8) -> Option<Expression> {
        let mut left = match self.peek() {
            Some("not") => self.unary(Expression::Not)?,
            Some("-") => self.unary(Expression::Minus)?,
            Some("#") => self.unary(Expression::Length)?,
            _ => self.simple()?,
        };
        while let Some((_, operator, binds)) =
            self.peek().and_then(|word| OPERATORS.into_iter().find(|(sign, ..)| *sign == word))
        {
            if binds <= least {
                break;
            }
            self.at += 1;
            // Texts are joined from the right.
            let right = self.expression(if operator == Operator::Join { binds - 1 } else { binds })?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn unary(&mut self, of: fn(Box<Expression>) -> Expression) -> Option<Expression> {
        self.at += 1;
        self.expression(UNARY).map(|value| of(Box::new(value)))
    }

    fn simple(&mut self) -> Option<Expression> {
        let literal = match self.tokens.get(self.at) {
            Some((_, Token::Number(n))) => Some(Expression::Number(*n)),
            Some((_, Token::Text(text))) => Some(Expression::Text(text.clone())),
            _ => None,
        };
        if literal.is_some() {
            self.at += 1;
            return literal;
        }
        for (word, value) in
            [("nil", Expression::Nil), ("true", Expression::Flag(true)), ("false", Expression::Flag(false))]
        {
            if self.takes(word) {
                return Some(value);
            }
        }
        if self.takes("{") {
            return self.list("}").map(Expression::Array);
        }
        let mut value = if self.takes("(") {
            let inner = self.expression(0)?;
            self.takes(")").then_some(inner)?
        } else {
            Expression::Name(self.name()?)
        };
        loop {
            if self.takes("[") {
                let place = self.expression(0)?;
                self.takes("]").then_some(())?;
                value = Expression::Index(Box::new(value), Box::new(place));
            } else if self.takes(".") {
                let Expression::Name(library) = value else { return None };
                value = Expression::Name(format!("{library}.{}", self.name()?));
            } else if self.takes("(") {
                let Expression::Name(name) = value else { return None };
                value = Expression::Call(name, self.list(")")?);
            } else {
                return Some(value);
            }
        }
    }

    /// Expressions with commas between them, up to a sign.
    fn list(&mut self, end: &str) -> Option<Vec<Expression>> {
        let mut items = Vec::new();
        if self.takes(end) {
            return Some(items);
        }
        loop {
            items.push(self.expression(0)?);
            if self.takes(end) {
                return Some(items);
            }
            if !self.takes(",") {
                return None;
            }
        }
    }
}
