//! Passwords that too many people have: what nobody may set.
//!
//! A guesser begins with the passwords that leaks have in common, and goes on with what people make of them when they are asked for more
//! characters: the same word twice, two words, a word and a year. Of the 49,233 in our source 306 have twelve characters, so the list by itself
//! would refuse next to nothing. Refused is what consists of one or two common parts and nothing else. `docs/adr/0022-passwords.md` has the rest.

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The most common passwords and those of the list that are long enough, sorted, one a line, as [`folded`] writes them: searched where it
/// lies in the program, so that it costs a start nothing. `scripts/common-passwords` makes it; `common.md` has its licence.
const LIST: &[u8] = include_bytes!("common.txt");

/// What we are and do: the first words somebody tries here.
const OURS: [&str; 8] =
    ["syncgram", "syncgrampay", "payment", "payments", "merchant", "checkout", "dashboard", "organization"];

/// What fingers walk along: rows and columns of keyboards, digits, the alphabet. Backwards they are walked as well.
const WALKS: [&str; 9] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7ki8lo90p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// The shortest word worth looking for in somebody's name or address.
const SHORTEST_WORD: usize = 4;
/// Digits that anybody puts after a word: a year, a day.
const FEW_DIGITS: usize = 4;
/// The shortest walk: two steps are any two letters.
const SHORTEST_WALK: usize = 3;
/// What repeats this soon is no password, whatever it is.
const SHORT_PERIOD: usize = 3;

/// Compatible characters alike, in lower case, without spaces and ASCII's punctuation. Wiped when dropped; as long as it gets from the
/// beginning.
type Folded = Zeroizing<Vec<char>>;

/// Whether `password` consists of common parts only. `about` is what is known of its owner: their address, their name.
///
/// Case, spaces and punctuation make no difference here; to the password that is set they do.
pub fn is_common(password: &str, about: &[&str]) -> bool {
    let about = words(about);
    let as_typed: Folded = Zeroizing::new(password.chars().collect());
    repeats_soon(&as_typed) || of_few_parts(&folded(password), &about)
}

/// One or two parts; or the same again and again.
fn of_few_parts(password: &[char], about: &[Folded]) -> bool {
    let once = password.get(..period(password)).unwrap_or_default();
    let common = |part: &[char]| is_thin(part) || is_listed(part) || about.iter().any(|word| **word == part);
    repeats_soon(password)
        || common(once)
        || (1..once.len()).any(|at| {
            let (left, right) = once.split_at(at);
            common(left) && common(right)
        })
}

/// A few digits, a walk, or the same one or two characters over and over.
fn is_thin(part: &[char]) -> bool {
    let few_digits = !part.is_empty() && part.len() <= FEW_DIGITS && part.iter().all(char::is_ascii_digit);
    few_digits || (part.len() >= SHORTEST_WALK && (period(part) <= 2 || is_walk(part)))
}

fn is_walk(part: &[char]) -> bool {
    WALKS.iter().any(|walk| {
        let walk: Vec<char> = walk.chars().collect();
        let walked = |part: &[char]| walk.windows(part.len()).any(|along| along == part);
        walked(part) || walked(&Zeroizing::new(part.iter().rev().copied().collect::<Vec<char>>()))
    })
}

fn is_listed(part: &[char]) -> bool {
    let (mut from, mut to) = (0, LIST.len());
    while from < to {
        let middle = from + (to - from) / 2;
        // The line that the middle stands in, its end not among it.
        let start = LIST.get(from..middle).unwrap_or_default().iter().rposition(|byte| *byte == b'\n');
        let start = start.map_or(from, |at| from + at + 1);
        let line = LIST.get(start..to).unwrap_or_default();
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match line.iter().map(|byte| u32::from(*byte)).cmp(part.iter().map(|c| u32::from(*c))) {
            Ordering::Equal => return true,
            Ordering::Less => from = start + line.len() + 1,
            Ordering::Greater => to = start,
        }
    }
    OURS.iter().any(|word| word.chars().eq(part.iter().copied()))
}

fn repeats_soon(text: &[char]) -> bool {
    let period = period(text);
    period <= SHORT_PERIOD && period < text.len()
}

/// How many characters go by until they repeat; all of them where they do not.
fn period(text: &[char]) -> usize {
    let repeats =
        |period: &usize| text.iter().zip(text.iter().skip(*period)).all(|(one, other)| one == other);
    (1..=text.len() / 2).find(repeats).unwrap_or(text.len())
}

fn folded(text: &str) -> Folded {
    let characters = || {
        text.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation())
    };
    let mut folded = Zeroizing::new(Vec::with_capacity(characters().count()));
    folded.extend(characters());
    folded
}

/// What somebody is called: whole, by the parts of an address, and word by word.
fn words(about: &[&str]) -> Vec<Folded> {
    let parts = about.iter().flat_map(|text| {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.chain(text.split(['@', '.'])).chain(text.split('@')).chain([*text])
    });
    parts.map(folded).filter(|word| word.len() >= SHORTEST_WORD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many of the list could be a password here at all.
    const LONG_ENOUGH: usize = 306;
    const ABOUT: [&str; 2] = ["wilhelmina.krueger@acorn-bakery.example", "Wilhelmina Kr\u{fc}ger"];

    #[test]
    fn the_list_is_sorted_and_every_line_of_it_is_found() {
        let lines: Vec<&[u8]> = LIST.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert!(lines.len() > 10_000 && lines.is_sorted());
        assert_eq!(
            lines.iter().filter(|line| line.len() >= super::super::MIN_CHARACTERS).count(),
            LONG_ENOUGH
        );
        for line in lines {
            let line = str::from_utf8(line).unwrap();
            assert!(is_listed(&folded(line)), "{line}");
            for other in [format!("{line}\u{e9}"), format!("{line}\n"), format!("q\u{301}{line}")] {
                assert!(!is_listed(&other.chars().collect::<Vec<_>>()), "{other:?}");
            }
        }
        assert!(!is_listed(&[]));
    }

    #[test]
    fn what_consists_of_common_parts_is_common() {
        for password in [
            // On the list.
            "1qaz2wsx3edc",
            "leavemealone",
            // Twice, and again and again.
            "passwordpassword",
            "Password Password",
            "dragondragondragon",
            "password1password1",
            "qwertyqwerty",
            // A word and its tail; a head and its word; two words.
            "password1234",
            "Password2024!",
            "iloveyou123456",
            "P@ssw0rd1234",
            "1234password",
            "monkey111111",
            "monkeydragon",
            // Walks and runs.
            "aaaaaaaaaaaa",
            "            ",
            "!!!!!!!!!!!!",
            "abababababab",
            "123412341234",
            "123456789012",
            "098765432109",
            "abcdefghijklm",
            "qwertyuiopas",
            "poiuytrewqqwe",
            "1234567890qwertyuiop",
            // Spelled in another way, the same.
            "\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}1234",
            "p-a-s-s-w-o-r-d-1-2-3-4",
            // What we are.
            "syncgram-pay-2026",
            "SyncgramSyncgram",
            "payments dashboard",
            // Who they are.
            "wilhelmina.krueger@acorn-bakery.example",
            "wilhelminakr\u{fc}ger",
            "Wilhelmina1999",
            "acorn-bakery-2020",
        ] {
            assert!(is_common(password, &ABOUT), "{password}");
        }
    }

    #[test]
    fn anything_else_is_not_whatever_it_is_made_of() {
        for password in [
            "correct horse battery staple",
            "correct horse battery",
            "kqzvwxjmbfdhtrg",
            "monkey83920174",
            "wilhelmina bakes at dawn",
            "94718203651847",
            "P\u{e4}ssw\u{f6}rter sind m\u{fc}hsam",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}\u{43d}\u{430}\u{44f} \u{444}\u{440}\u{430}\u{437}\u{430}",
            "\u{1f511}\u{1f40e}\u{1f50b}\u{1f4ce}\u{1f3b2}\u{1f9ea}\u{1f6f0}\u{1fa81}\u{1f9ff}\u{1f4a1}\u{1f9f2}\u{1f52d}",
            "\u{1f511}\u{1f40e}\u{1f50b}\u{1f4ce}\u{1f3b2}\u{1f9ea}\u{1f6f0}\u{1fa81} 1234",
        ] {
            assert!(!is_common(password, &ABOUT), "{password}");
        }
        // Somebody else's name is nobody's business.
        assert!(!is_common("Wilhelmina1999", &[]));
    }

    #[test]
    fn the_longest_password_is_judged_at_once() {
        let longest: String = (0..256).map(|nth| if nth % 7 == 0 { 'z' } else { 'e' }).collect();
        assert!(!is_common(&longest, &ABOUT));
        // One character that is eighteen in another spelling.
        assert!(is_common(&"\u{fdfa}".repeat(256), &ABOUT));
    }
}
