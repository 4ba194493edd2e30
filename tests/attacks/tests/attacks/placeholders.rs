//! What stands between « and »: a name, and what is done to its value: `«key|cut:1»`, `«owner.refresh|splice:16:@other.refresh»`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use devstack::phone::Phone;
use inputs::{encode, with_checksum};
use serde_json::{Map, Value, json};
use shared::crypto::sha256_hex;
use unicode_normalization::UnicodeNormalization as _;

/// Names and their values.
pub type Values = BTreeMap<String, String>;

/// The names that a text needs values for.
pub fn names(text: &str) -> BTreeSet<String> {
    let inside = text.split('«').skip(1).filter_map(|rest| rest.split_once('»')).map(|(inside, _)| inside);
    let mut names = BTreeSet::new();
    for placeholder in inside {
        let mut parts = placeholder.split('|');
        names.extend(parts.next().map(str::to_owned));
        let arguments = parts.flat_map(|part| part.split(':'));
        names.extend(arguments.filter_map(|argument| argument.strip_prefix('@')).map(str::to_owned));
    }
    names
}

/// The text with every placeholder filled in.
pub fn fill(text: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        let (inside, after) = after.split_once('»').unwrap_or_else(|| panic!("« without » in {text}"));
        filled.push_str(before);
        filled.push_str(&value(inside, values));
        rest = after;
    }
    filled + rest
}

/// The same for every text in a JSON value. `{"now": n}` is the time in n seconds, as a number.
pub fn fill_json(template: &Value, values: &Values) -> Value {
    match template {
        Value::String(text) => fill(text, values).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, values)).collect(),
        Value::Object(members) => match (members.get("now"), members.len()) {
            (Some(Value::Number(seconds)), 1) => {
                let now: i64 = values["now"].parse().unwrap();
                seconds.as_i64().map_or_else(
                    || json!(seconds.as_f64().unwrap() + now as f64),
                    |seconds| json!(now + seconds),
                )
            }
            _ => {
                let member = |(name, item): (&String, &Value)| (fill(name, values), fill_json(item, values));
                Value::Object(members.iter().map(member).collect::<Map<_, _>>())
            }
        },
        other => other.clone(),
    }
}

fn value(inside: &str, values: &Values) -> String {
    let mut parts = inside.split('|');
    let name = parts.next().unwrap_or_default();
    let known = values.get(name).unwrap_or_else(|| panic!("nothing is known of «{name}»"));
    parts.fold(known.clone(), |text, operation| {
        let words: Vec<&str> = operation.split(':').collect();
        let arguments = words[1..].iter().map(|word| match word.strip_prefix('@') {
            Some(name) => values[name].clone(),
            None => (*word).to_owned(),
        });
        apply(words[0], &text, &arguments.collect::<Vec<_>>())
    })
}

fn apply(operation: &str, text: &str, arguments: &[String]) -> String {
    let argument = |nth: usize| arguments[nth].as_str();
    let number = |nth: usize| arguments[nth].parse::<usize>().unwrap();
    let characters: Vec<char> = text.chars().collect();
    match operation {
        "upper" => text.to_uppercase(),
        "lower" => text.to_lowercase(),
        "nfd" => text.nfd().collect(),
        "nfc" => text.nfc().collect(),
        "swapcase" => format!("{}{}", &text[..8], swap_case(&text[8..])),
        "cut" => characters[..characters.len() - number(0)].iter().collect(),
        "first" => characters[..number(0)].iter().collect(),
        "from" => characters[number(0)..].iter().collect(),
        "insert" => {
            let (before, after) = characters.split_at(characters.len() / 2);
            before.iter().chain(&argument(0).chars().collect::<Vec<_>>()).chain(after).collect()
        }
        "replace" => text.replace(argument(0), argument(1)),
        "once" => text.replacen(argument(0), argument(1), 1),
        "repeat" => text.repeat(number(0)),
        "flip" => flip(text, characters.len() - 1 - number(0)),
        "lookalike" => look_alike(text),
        "sum" => with_checksum(&text[..text.len() - 6]),
        "b64" => BASE64_STANDARD.encode(text),
        "b64url" => encode(text),
        "basic" => BASE64_STANDARD.encode(format!("{text}:")),
        // What an authenticator app with this secret shows, so many seconds from then.
        "totp" => {
            let at = argument(0).parse::<i64>().unwrap() + argument(1).parse::<i64>().unwrap();
            Phone::typed(text).unwrap().code(at)
        }
        "sha256" => sha256_hex(&[text.as_bytes()]),
        "digits" => shift_digits(text, argument(0)),
        "splice" => refresh_token(&[&bytes(text)[..number(0)], &bytes(argument(1))[number(0)..]].concat()),
        "graft" => {
            let (own, other) = (bytes(text), bytes(argument(2)));
            let (from, to) = (number(0), number(1));
            refresh_token(&[&own[..from], &other[from..to], &own[to..]].concat())
        }
        "generation" => {
            let (own, generation) = (bytes(text), argument(0).parse::<u32>().unwrap());
            refresh_token(&[&own[..16], &generation.to_be_bytes(), &own[20..]].concat())
        }
        "bytes" => refresh_token(&bytes(text)[..number(0)]),
        other => panic!("{other} is nothing that is done to a text"),
    }
}

fn swap_case(text: &str) -> String {
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(swap).collect()
}

/// Another letter or digit in one place.
fn flip(text: &str, at: usize) -> String {
    let other = |c: char| if c == 'A' { 'B' } else { 'A' };
    text.chars().enumerate().map(|(nth, c)| if nth == at { other(c) } else { c }).collect()
}

/// One character of a key's random part as its look-alike.
fn look_alike(key: &str) -> String {
    let alike = [("0", "O"), ("O", "0"), ("l", "1"), ("1", "l"), ("I", "l"), ("5", "S"), ("S", "5")];
    let found = alike.iter().find(|(one, _)| key[8..].contains(one));
    found
        .map_or_else(|| flip(key, 20), |(one, other)| key[..8].to_owned() + &key[8..].replacen(one, other, 1))
}

/// The digits of another script, the first of which is `zero`.
fn shift_digits(text: &str, zero: &str) -> String {
    let zero = u32::from(zero.chars().next().unwrap());
    text.chars().map(|c| char::from_u32(zero + c.to_digit(10).unwrap()).unwrap()).collect()
}

/// A refresh token's session id, generation, salt and MAC.
fn bytes(token: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("rt_").unwrap()).unwrap()
}

fn refresh_token(bytes: &[u8]) -> String {
    format!("rt_{}", encode(bytes))
}
