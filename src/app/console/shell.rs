//! A shell's command line as its words, as far as that needs no shell: quotes, escapes, continued lines.
//!
//! What would make a shell do something (another command, a file, a variable) is refused by name.

use super::invalid;
use crate::lab::Invalid;
use std::iter::Peekable;
use std::str::CharIndices;

/// What means something to a shell outside of quotes.
const OPERATORS: &str = ";|&<>()`$";

/// The words of one command.
pub(super) fn words(text: &str) -> Result<Vec<String>, Invalid> {
    Line { text, rest: text.char_indices().peekable() }.words()
}

struct Line<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl Line<'_> {
    fn words(mut self) -> Result<Vec<String>, Invalid> {
        let (mut words, mut word) = (Vec::new(), None::<String>);
        while let Some((at, c)) = self.rest.next() {
            match c {
                '\n' | '\r' if self.text[at..].trim().is_empty() => break,
                '\r' if self.text[at + 1..].starts_with('\n') => {}
                '\n' => {
                    let allowed = "one command: a line that goes on in the next one ends with \\";
                    return Err(invalid("curl", self.token(at + 1), allowed));
                }
                _ if c.is_whitespace() => words.extend(word.take()),
                '#' if word.is_none() => {
                    return Err(invalid("curl", self.token(at), "no comments, or # in quotes"));
                }
                '\'' => self.single(at, word.get_or_insert_default())?,
                '"' => self.double(at, word.get_or_insert_default())?,
                '$' if self.text[at..].starts_with("$'") => {
                    self.rest.next();
                    self.ansi(at, word.get_or_insert_default())?;
                }
                '\\' => self.escaped(at, &mut word)?,
                _ if OPERATORS.contains(c) => {
                    let allowed = format!("one curl command, with {c} in single quotes where it is meant");
                    return Err(invalid("curl", self.token(at), &allowed));
                }
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        Ok(words)
    }

    /// What stands at a place, up to the next space.
    fn token(&self, at: usize) -> &str {
        self.text[at..].split_whitespace().next().unwrap_or_default()
    }

    fn unclosed(&self, at: usize) -> Invalid {
        invalid("curl", &self.text[at..], "a quote that is closed again")
    }

    fn escaped(&mut self, at: usize, word: &mut Option<String>) -> Result<(), Invalid> {
        match self.rest.next() {
            Some((_, '\n')) => {}
            // Pasted from where lines end in two characters.
            Some((next, '\r')) if self.text[next..].starts_with("\r\n") => drop(self.rest.next()),
            Some((_, c)) => word.get_or_insert_default().push(c),
            None => return Err(invalid("curl", &self.text[at..], "something after it")),
        }
        Ok(())
    }

    fn single(&mut self, at: usize, word: &mut String) -> Result<(), Invalid> {
        loop {
            match self.rest.next() {
                Some((_, '\'')) => return Ok(()),
                Some((_, c)) => word.push(c),
                None => return Err(self.unclosed(at)),
            }
        }
    }

    fn double(&mut self, at: usize, word: &mut String) -> Result<(), Invalid> {
        loop {
            match self.rest.next() {
                Some((_, '"')) => return Ok(()),
                Some((_, '\\')) => match self.rest.next() {
                    Some((_, '\n')) => {}
                    Some((_, c)) => {
                        if !"\\\"$`".contains(c) {
                            word.push('\\');
                        }
                        word.push(c);
                    }
                    None => return Err(self.unclosed(at)),
                },
                Some((place, '$' | '`')) => {
                    let allowed = "no variables or commands; in single quotes it is itself";
                    return Err(invalid("curl", self.token(place), allowed));
                }
                Some((_, c)) => word.push(c),
                None => return Err(self.unclosed(at)),
            }
        }
    }

    /// `$'…'`, which browsers copy: escapes as in C.
    fn ansi(&mut self, at: usize, word: &mut String) -> Result<(), Invalid> {
        loop {
            match self.rest.next() {
                Some((_, '\'')) => return Ok(()),
                Some((place, '\\')) => {
                    let escaped = self.rest.next().map(|(_, c)| c);
                    let c = match escaped {
                        Some('n') => Some('\n'),
                        Some('r') => Some('\r'),
                        Some('t') => Some('\t'),
                        Some('x') => self.hex(2),
                        Some('u') => self.hex(4),
                        Some(c @ ('\\' | '\'' | '"' | '?')) => Some(c),
                        _ => None,
                    };
                    let allowed = r#"\n, \r, \t, \\, \', \", \x41 or \u0041"#;
                    word.push(c.ok_or_else(|| invalid("curl", self.token(place), allowed))?);
                }
                Some((_, c)) => word.push(c),
                None => return Err(self.unclosed(at)),
            }
        }
    }

    /// A character by its number, in at most so many hexadecimal digits.
    fn hex(&mut self, most: usize) -> Option<char> {
        let mut number = None::<u32>;
        for _ in 0..most {
            let Some(digit) = self.rest.peek().and_then(|(_, c)| c.to_digit(16)) else { break };
            self.rest.next();
            number = Some(number.unwrap_or(0) * 16 + digit);
        }
        // A shell's \x80 is a byte, which alone is no text.
        char::from_u32(number?).filter(|c| most > 2 || c.is_ascii())
    }
}
