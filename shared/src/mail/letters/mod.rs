//! What our mail says, a file for each part of the product. What the SDK makes of a text cannot be wiped.

mod factors;
mod invitation;
mod keys;
mod login;
mod password;
mod sign_up;

pub use factors::{backup_code_used, backup_codes_made, totp_off, totp_on};
pub use invitation::invitation;
pub use keys::key_leaked;
pub use login::login_code;
pub use password::{no_account, password_changed, password_reset};
pub use sign_up::{nothing_to_confirm, sign_up_code, sign_up_taken};

use crate::sensitive::Sensitive;

/// A mail's subject and text.
#[derive(Debug)]
pub struct Letter {
    /// The subject: nothing of the reader's is in it.
    pub subject: &'static str,
    /// The plain text. It can hold a code or a token.
    pub text: Sensitive<String>,
}

/// How long a text may get. It is that long from the beginning: one that grows leaves its beginnings behind in memory.
const CAPACITY: usize = 1024;

impl Letter {
    /// A letter of these pieces.
    fn of(subject: &'static str, pieces: &[&str]) -> Self {
        let mut text = String::with_capacity(CAPACITY);
        pieces.iter().for_each(|piece| text.push_str(piece));
        Self { subject, text: Sensitive::new(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenges::Code;
    use crate::reset_tokens::ResetToken;
    use crate::rng::SystemRng;

    #[test]
    fn a_letters_text_is_wiped_and_was_never_moved() {
        let letter = login_code(&Code::typed("123456"));
        assert!(letter.text.expose().contains(" 123456.\n"));
        assert_eq!(letter.text.expose().capacity(), CAPACITY, "it grew");
        assert!(format!("{letter:?}").contains("[sensitive]"));
    }

    #[test]
    fn no_letter_outgrows_its_place() {
        let token = ResetToken::generate(&SystemRng);
        let code = Code::typed("123456");
        let letters = [
            login_code(&code),
            sign_up_code(&code),
            sign_up_taken(),
            nothing_to_confirm(),
            password_reset(&token),
            no_account(),
            password_changed(),
        ];
        for letter in letters {
            assert_eq!(letter.text.expose().capacity(), CAPACITY, "{}", letter.subject);
        }
    }
}
