//! Subjects and patterns: tokens between dots, `*` for one token, `>` for all that follow.

/// True for what may be subscribed to: no empty token, no blank, `>` last only.
pub fn is_valid_pattern(subject: &str) -> bool {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        let blank = token.is_empty() || token.contains(|c: char| c.is_ascii_whitespace());
        if blank || token == ">" && tokens.peek().is_some() {
            return false;
        }
    }
    true
}

/// True for what may be published to: a pattern without wildcards.
pub fn is_valid_literal(subject: &str) -> bool {
    is_valid_pattern(subject) && !has_wildcard(subject)
}

/// True if a token is a wildcard; `fo*` is an ordinary token.
pub fn has_wildcard(subject: &str) -> bool {
    subject.split('.').any(|token| token == "*" || token == ">")
}

/// True if messages published to `subject` go to a subscription of `pattern`. The subject's own wildcards are
/// ordinary tokens; a subject with an empty token goes nowhere.
pub fn matches(pattern: &str, subject: &str) -> bool {
    let (mut patterns, mut tokens) = (pattern.split('.'), subject.split('.'));
    loop {
        match (patterns.next(), tokens.next()) {
            (Some(">"), Some(token)) => {
                return !token.is_empty() && tokens.all(|token| !token.is_empty());
            }
            (Some(pattern), Some(token)) if !token.is_empty() && (pattern == "*" || pattern == token) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// True if some subject goes to both patterns.
pub fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_tokens() {
        for (pattern, subject, expected) in [
            ("foo.*", "foo.bar", true),
            ("foo.*", "foo", false),
            ("foo.*", "foo.a.b", false),
            ("foo.>", "foo.a.b", true),
            ("foo.>", "foo", false),
            (">", "foo", true),
            (">", "foo..bar", false),
            ("*", "", false),
            ("fo*", "foo", false),
            ("fo*", "fo*", true),
        ] {
            assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[test]
    fn patterns_overlap_when_one_subject_fits_both() {
        assert!(overlap("oracle.*", "oracle.tasks") && overlap("a.>", "*.b.c") && overlap("a.*.c", "a.b.*"));
        assert!(!overlap("a", "a.>") && !overlap("a.b", "a.c") && !overlap("a.*", "a.b.c"));
    }

    #[test]
    fn the_greater_sign_is_last_and_no_token_is_empty() {
        for valid in ["foo", "foo.>", ">", "foo.>bar", "*.b*r", "$JS.API.>"] {
            assert!(is_valid_pattern(valid), "{valid}");
        }
        for invalid in ["", ".foo", "foo.", "a..b", "foo.>.bar", "a b"] {
            assert!(!is_valid_pattern(invalid), "{invalid}");
        }
        assert!(is_valid_literal("foo.b*r") && !is_valid_literal("foo.*"));
    }
}
