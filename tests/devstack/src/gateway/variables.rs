//! `$context.…`: what gateway responses and the access log may say about a request.

use std::collections::BTreeMap;

/// What is known about a request so far.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// Sets `$context.<name>`.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// The value of `$context.<name>`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Replaces each `$context.<name>` in `text`; what is not known becomes `missing`.
    pub fn fill_in(&self, text: &str, missing: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = next(rest) {
            filled.push_str(before);
            filled.push_str(self.get(name).unwrap_or(missing));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// The names of the variables in `text`, without `$context.`.
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// The next variable: what stands before it, its name, what stands after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    const PREFIX: &str = "$context.";
    let start = text.find(PREFIX)?;
    let rest = &text[start + PREFIX.len()..];
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len());
    // A full stop that ends a sentence is none of the name.
    let name = rest[..length].trim_end_matches('.');
    Some((&text[..start], name, &rest[name.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_the_unknown_named() {
        let mut variables = Variables::default();
        variables.set("requestId", "r-1");
        variables.set("identity.sourceIp", "127.0.0.1");
        let text =
            r#"{"id":"$context.requestId","ip":"$context.identity.sourceIp","x":"$context.other"} $ctx."#;
        assert_eq!(variables.fill_in(text, "-"), r#"{"id":"r-1","ip":"127.0.0.1","x":"-"} $ctx."#);
        assert_eq!(names("a $context.requestId. b$context.error.message"), ["requestId", "error.message"]);
    }
}
