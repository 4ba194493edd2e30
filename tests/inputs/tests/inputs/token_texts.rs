//! Access tokens whose signature proves nothing, and texts that are no token. All that is signed is signed with the key that is published.

use devstack::seed::ACORN;
use serde_json::{Value, json};

use crate::harness::{Cases, Forge, Refusal, Request, Stack, all_refused, encode, gateways, named};

const ME: &str = "/api/v1/organizations/me";
/// The order of P-256's group: no part of a signature reaches it.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn signatures_that_prove_nothing() {
    all_refused(async |_, forge| {
        let input = forge.input();
        let genuine = forge.signature(&input);
        let signed = |signature: &[u8]| format!("{input}.{}", encode(signature));
        let numbers = |r: &[u8; 32], s: &[u8; 32]| signed(&[*r, *s].concat());
        let (zero, mut one) = ([0; 32], [0; 32]);
        one[31] = 1;
        let mut tokens = named(vec![
            ("none", format!("{input}.")),
            ("r and s are 0", numbers(&zero, &zero)),
            ("r is 0", numbers(&zero, &one)),
            ("s is 0", numbers(&one, &zero)),
            ("r and s are 1", numbers(&one, &one)),
            ("r and s are the order", numbers(&ORDER, &ORDER)),
            ("r is right, s is the order", numbers(&genuine[..32].try_into().unwrap(), &ORDER)),
            ("r and s are all ones", numbers(&[0xff; 32], &[0xff; 32])),
            (
                "r and s changed places",
                numbers(&genuine[32..].try_into().unwrap(), &genuine[..32].try_into().unwrap()),
            ),
            ("DER", signed(&forge.der_signature(&input))),
            ("DER of zeros", signed(&[0x30, 6, 2, 1, 0, 2, 1, 0])),
            ("63 bytes", signed(&genuine[..63])),
            ("65 bytes", signed(&[genuine.clone(), vec![0]].concat())),
            ("65 bytes, the first is 0", signed(&[vec![0], genuine.clone()].concat())),
            ("twice", signed(&[genuine.clone(), genuine.clone()].concat())),
            ("half", signed(&genuine[..32])),
            (
                "another token's",
                format!("{input}.{}", forge.claim("jti", json!("other")).rsplit_once('.').unwrap().1),
            ),
            ("over the claims alone", signed(&forge.signature(input.split_once('.').unwrap().1))),
            (
                "over the text before it was encoded",
                signed(&forge.signature(&format!("{}.{}", forge.header, forge.claims))),
            ),
        ]);
        for bit in [0, 7, 255, 256, 300, 511] {
            let mut flipped = genuine.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            tokens.push((format!("bit {bit} flipped"), signed(&flipped)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn a_token_that_was_changed_after_it_was_signed() {
    all_refused(async |_, forge| {
        let token = forge.token();
        let parts: Vec<&str> = token.split('.').collect();
        let joined = |header: &str, claims: &str| format!("{header}.{claims}.{}", parts[2]);
        let mut tokens = Vec::new();
        for (name, value) in [
            ("role", json!("admin")),
            ("org", json!("org_01J0B1RCH00000000000000000")),
            ("exp", json!(4_102_444_800_i64)),
            ("sub", json!(ACORN.viewer.user_id)),
        ] {
            let changed = forge.claim(name, value.clone());
            tokens.push((format!("{name} is {value}"), joined(parts[0], changed.split('.').nth(1).unwrap())));
        }
        let spaced = |text: &Value| encode(text.to_string().replacen('{', "{ ", 1));
        tokens.push(("a space in the header".to_owned(), joined(&spaced(&forge.header), parts[1])));
        tokens.push(("a space in the claims".to_owned(), joined(parts[0], &spaced(&forge.claims))));
        tokens.push(("header and claims changed places".to_owned(), joined(parts[1], parts[0])));
        for at in (0..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            tokens.push((format!("another character at {at}"), String::from_utf8(bytes).unwrap()));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn texts_that_are_no_token() {
    all_refused(async |_, forge| {
        let token = forge.token();
        let (h, rest) = token.split_once('.').unwrap();
        let (p, s) = rest.split_once('.').unwrap();
        // 64 bytes are 86 characters, and of the last one only two bits count.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = alphabet.find(&s[85..]).unwrap();
        let unused = format!("{h}.{p}.{}{}", &s[..85], &alphabet[last + 1..last + 2]);
        let mut tokens = named(vec![
            ("two parts", format!("{h}.{p}")),
            ("one part", h.to_owned()),
            ("four parts", format!("{token}.x")),
            ("five parts", format!("{h}.{p}.{s}.{p}.{s}")),
            ("no parts", "..".to_owned()),
            ("a dot before", format!(".{token}")),
            ("a dot behind", format!("{token}.")),
            ("an empty header", format!(".{p}.{s}")),
            ("empty claims", format!("{h}..{s}")),
            ("cut", token[..token.len() - 1].to_owned()),
            ("cut to half", token[..token.len() / 2].to_owned()),
            ("padding of the header", format!("{h}=.{p}.{s}")),
            ("padding of the claims", format!("{h}.{p}=.{s}")),
            ("padding of the signature", format!("{token}==")),
            ("bits beyond the last byte", unused),
            ("a character to ignore", format!("{h}!.{p}.{s}")),
            ("a line break", format!("{h}.{p}%0a.{s}")),
            ("a plus for a hyphen", format!("{h}.{p}.{}+{}", &s[..40], &s[41..])),
            ("quotes", format!("\"{token}\"")),
            ("percent-encoded", token.replace('.', "%2E")),
            ("JSON", json!({"payload": p, "protected": h, "signature": s}).to_string()),
            ("full-width dots", token.replace('.', "\u{ff0e}")),
            ("a prefix of another kind", format!("sk_{token}")),
            ("twice", format!("{token}{token}")),
            ("the header is an array", {
                let member = |name: &str| forge.header[name].clone();
                let values = json!([member("alg"), member("typ"), member("kid")]);
                forge.sign(&values.to_string(), &forge.claims.to_string())
            }),
            ("the claims are an array", {
                let names = ["iss", "sub", "aud", "exp", "iat", "jti", "sid", "org", "role"];
                let values: Vec<_> = names.iter().map(|name| forge.claims[*name].clone()).collect();
                forge.sign(&forge.header.to_string(), &json!(values).to_string())
            }),
            ("the header is a string", forge.sign("\"x\"", &forge.claims.to_string())),
            ("a nested token", forge.sign(&forge.header.to_string(), &format!("\"{token}\""))),
            ("no UTF-8", format!("eyJ{}.{p}.{s}", encode([0xff, 0xfe, 0xfd]))),
        ]);
        for claims in ["", "null", "1", "\"x\"", "[]", "[{}]", "{}", "{", "{} {}", "\u{feff}{}"] {
            tokens
                .push((format!("the claims are {claims:?}"), forge.sign(&forge.header.to_string(), claims)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn a_member_that_comes_twice_or_nests_deeply() {
    all_refused(async |_, forge| {
        let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
        let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
        let mut tokens = named(vec![
            ("alg none, then ours", forge.sign(&twice(&header, r#""alg":"none""#), &claims)),
            ("alg ours, then ours", forge.sign(&twice(&header, r#""alg":"ES256""#), &claims)),
            ("kid twice", forge.sign(&twice(&header, r#""kid":"x""#), &claims)),
            ("alg in escapes", forge.sign(&twice(&header, r#""\u0061lg":"none""#), &claims)),
            (
                "sub twice",
                forge.sign(&header, &twice(&claims, &format!(r#""sub":"{}""#, ACORN.viewer.user_id))),
            ),
            ("exp twice", forge.sign(&header, &twice(&claims, r#""exp":0"#))),
            ("role in escapes", forge.sign(&header, &twice(&claims, r#""r\u006fle":"viewer""#))),
        ]);
        for levels in [129, 1_000] {
            let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            tokens.push((
                format!("{levels} levels in the claims"),
                forge.sign(&header, &twice(&claims, &format!(r#""x":{deep}"#))),
            ));
            tokens.push((
                format!("{levels} levels in the header"),
                forge.sign(&twice(&header, &format!(r#""x":{deep}"#)), &claims),
            ));
            tokens.push((format!("{levels} levels for the claims"), forge.sign(&header, &deep)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn a_token_is_looked_at_up_to_4_kb() {
    let stack = Stack::start().await;
    let genuine = stack.log_in(ACORN.owner).await.access;
    let forge = Forge::like(&stack, &genuine).await;
    let mut cases = Cases::of(&stack);
    // White space in the claims makes a token longer and nothing else.
    let token = |spaces: usize| {
        forge.sign(&forge.header.to_string(), &format!("{}{}", forge.claims, " ".repeat(spaces)))
    };
    let longest = (0..4_096).map(token).take_while(|token| token.len() <= 4_096).last().unwrap();
    cases.accepted("4 096 bytes or one below", Request::get(ME).bearer(&longest), 200).await;
    for (name, long) in
        [("one step more", token((longest.len() - token(0).len()) * 3 / 4 + 3)), ("30 KB", token(20_000))]
    {
        assert!(long.len() > 4_096);
        cases.refused(name, Request::get(ME).bearer(&long), &Refusal::unauthorized()).await;
        cases.judge(name, gateways::refused_by_all(&stack.app(), &format!("Bearer {long}")).await);
    }
    cases.judge("1 MB", gateways::refused_by_all(&stack.app(), &format!("Bearer {}", token(800_000))).await);
    cases.finish();
}
