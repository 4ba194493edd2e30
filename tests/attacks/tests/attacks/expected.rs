//! What must be answered, and what may change.

use std::fmt;

use inputs::Refusal;
use serde::Deserialize;

/// A status; for a refusal its code, and the fields or methods it names: `400 validation_failed key_name,env`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Expected {
    pub status: u16,
    pub code: String,
    /// Fields that are wrong, or methods that are known.
    names: Vec<String>,
}

impl TryFrom<String> for Expected {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ');
        let status = words.next().and_then(|word| word.parse().ok()).ok_or("an expectation has a status")?;
        let code = words.next().unwrap_or_default().to_owned();
        let names = words.next().map(|names| names.split(',').map(str::to_owned).collect());
        match (status, code.is_empty()) {
            (200..=299, true) | (400..=499, false) => {
                Ok(Self { status, code, names: names.unwrap_or_default() })
            }
            _ => Err(format!("{text} is no expectation: an attack never gets a 5xx")),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.status, self.code, self.names.join(","))
    }
}

impl Expected {
    /// Whether anything is expected at all.
    pub fn is_said(&self) -> bool {
        self.status != 0
    }

    /// Whether the request is let in and done.
    pub fn is_success(&self) -> bool {
        self.status < 300
    }

    /// An answer that was made before our envelope could be: by an HTTP library that cannot read the request.
    pub fn is_bare(&self) -> bool {
        self.code == "bare"
    }

    /// The refusal that it is.
    pub fn refusal(&self) -> Refusal {
        let leaked = |text: &String| -> &'static str { text.clone().leak() };
        let names: Vec<&str> = self.names.iter().map(leaked).collect();
        match self.code.as_str() {
            "method_not_allowed" => Refusal::method_not_allowed(self.names.join(",").leak()),
            "validation_failed" => Refusal::invalid(&names),
            _ => Refusal::new(self.status, leaked(&self.code)),
        }
    }
}

/// What an attack may change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub enum Changes {
    #[default]
    Nothing,
    /// `guess`: guards, and the tries of a challenge.
    Word(String),
    /// Items whose keys begin so.
    Items(Vec<String>),
}
