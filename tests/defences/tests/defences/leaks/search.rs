//! What is searched for, in every form in which it could be written, and where it is written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use tracing_subscriber::fmt::MakeWriter;

/// What must not be found.
#[derive(Debug, Clone)]
pub struct Canary {
    /// What it is.
    pub what: String,
    text: String,
    forms: Vec<String>,
}

impl Canary {
    pub fn new(what: impl Into<String>, text: &str) -> Self {
        let mut all = Self::of_bytes(what, text.as_bytes());
        all.forms.insert(0, text.to_owned());
        all.forms.retain(|form| form.len() >= 6);
        Self { text: text.to_owned(), ..all }
    }

    /// What is no text by itself.
    pub fn of_bytes(what: impl Into<String>, bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = hex.clone();
        let mut forms = vec![hex.to_uppercase(), hex];
        // As `Debug` writes bytes: a list of numbers.
        forms.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
        for engine in [&BASE64_STANDARD_NO_PAD, &BASE64_URL_SAFE_NO_PAD] {
            // Wherever it stands in a longer text, of which every third byte begins a group.
            for shift in 0..3 {
                let encoded = engine.encode([&vec![0; shift], bytes].concat());
                let whole = 4 * ((bytes.len() + shift) / 3);
                forms.push(encoded[if shift == 0 { 0 } else { 4 }..whole].to_owned());
            }
        }
        forms.retain(|form| form.len() >= 6);
        Self { what: what.into(), text, forms }
    }

    /// The first form of it that is in `text`.
    pub fn found_in(&self, text: &str) -> Option<&str> {
        self.forms.iter().map(String::as_str).find(|form| holds(text, form))
    }

    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

/// A code's six digits, or as few characters of base64, may be a part of something longer by chance; what is longer may not.
fn holds(text: &str, form: &str) -> bool {
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(form).any(|(at, it)| {
        form.len() > 12
            || (outside(text[..at].chars().next_back()) && outside(text[at + it.len()..].chars().next()))
    })
}

/// What was written, all of it.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
