//! Glob patterns as PSUBSCRIBE and KEYS have them: `*`, `?`, `[abc]`, `[^a]`, `[a-z]`, and `\` before a literal.

/// True when all of `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // The server does not even look at its stars then.
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to resume when the characters after the last star do not match: one character further on.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        match step(&pattern[p..], text[t]) {
            Some(used) => {
                p += used;
                t += 1;
            }
            None => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// How many bytes of the pattern stand for `c`, if they do.
fn step(pattern: &[u8], c: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => class(rest, c).map(|used| used + 1),
        [b'\\', escaped, ..] => (*escaped == c).then_some(2),
        [literal, ..] => (*literal == c).then_some(1),
    }
}

/// A class without its opening bracket. One that is never closed ends with the pattern.
fn class(pattern: &[u8], c: u8) -> Option<usize> {
    let negated = pattern.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &pattern[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                found |= *escaped == c;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [from, b'-', to, ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&c);
                at += 3;
            }
            [literal, ..] => {
                found |= *literal == c;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_what_the_server_matches() {
        for (pattern, yes, no) in [
            ("h?llo", "hello", "hllo"),
            ("h*o", "hllo", "hell"),
            ("h[ae]llo", "hallo", "hillo"),
            ("h[^e]llo", "hallo", "hello"),
            ("h[a-c]llo", "hbllo", "hdllo"),
            ("*", "a", ""),
            ("a*b*c", "a--b--bc", "a--b--bcd"),
            ("h\\*o", "h*o", "hxo"),
            ("[", "\0never", "["),
        ] {
            if yes != "\0never" {
                assert!(matches(pattern.as_bytes(), yes.as_bytes()), "{pattern} {yes}");
            }
            if no != "\0never" {
                assert!(!matches(pattern.as_bytes(), no.as_bytes()), "{pattern} {no}");
            }
        }
    }
}
