//! Access tokens with one thing wrong. All are signed with the key that is published, unless that is the thing.

use std::fmt::Write as _;

use devstack::seed::ACORN;
use serde_json::{Value, json};
use shared::clock::Clock as _;
use shared::crypto::hmac_sha256;

use crate::harness::{Cases, Forge, Request, Stack, all_refused, encode, gateways, named};

const ME: &str = "/api/v1/organizations/me";
#[tokio::test]
async fn another_algorithm_than_ours() {
    all_refused(async |_, forge| {
        let mut tokens = Vec::new();
        for alg in [
            "none",
            "None",
            "NONE",
            "nOnE",
            "",
            "es256",
            "ES256 ",
            "HS256",
            "HS512",
            "RS256",
            "PS256",
            "ES384",
            "ES512",
            "ES256K",
            "EdDSA",
            "ES256\u{0}",
        ] {
            tokens.push((format!("{alg:?}, signed with our key"), forge.header("alg", json!(alg))));
            let input = forge.header("alg", json!(alg));
            let input = input.rsplit_once('.').unwrap().0.to_owned();
            tokens.push((format!("{alg:?}, not signed"), format!("{input}.")));
            tokens.push((format!("{alg:?}, signed with anything"), format!("{input}.{}", encode([7; 64]))));
        }
        for alg in [json!(["ES256"]), json!({"ES256": 1}), json!(256), json!(true), Value::Null] {
            tokens.push((format!("{alg}"), forge.header("alg", alg)));
        }
        tokens
    })
    .await;
}

/// The public key is public: as a secret it is anybody's.
#[tokio::test]
async fn the_public_key_as_a_shared_secret() {
    all_refused(async |stack, forge| {
        let jwks = stack.send(&Request::get("/.well-known/jwks.json")).await.json();
        let key = &jwks["keys"][0];
        let coordinate = |name: &str| {
            base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, key[name].as_str().unwrap())
                .unwrap()
        };
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        // RFC 5480: what stands before the point of a P-256 key in its SubjectPublicKeyInfo.
        let spki = [
            b"0Y0\x13\x06\x07*\x86H\xce=\x02\x01\x06\x08*\x86H\xce=\x03\x01\x07\x03B\x00".to_vec(),
            point.clone(),
        ]
        .concat();
        let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &spki);
        let lines: Vec<_> =
            base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        let secrets = [
            ("PEM", pem.clone().into_bytes()),
            ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
            ("DER", spki),
            ("the JWK", key.to_string().into_bytes()),
            ("the JWKS", jwks.to_string().into_bytes()),
            ("the point", point.clone()),
            ("x and y", point[1..].to_vec()),
            ("x as text", key["x"].as_str().unwrap().as_bytes().to_vec()),
            ("the kid", key["kid"].as_str().unwrap().as_bytes().to_vec()),
            ("nothing", Vec::new()),
        ];
        let mut tokens = Vec::new();
        for (name, secret) in secrets {
            for alg in ["HS256", "ES256"] {
                let signed = forge.header("alg", json!(alg));
                let input = signed.rsplit_once('.').unwrap().0;
                tokens.push((
                    format!("{alg}, {name}"),
                    format!("{input}.{}", encode(hmac_sha256(&secret, &[input.as_bytes()]))),
                ));
            }
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn another_key_than_ours() {
    all_refused(async |_, forge| {
        let foreign = forge.with_foreign_key();
        let kid = forge.header["kid"].as_str().unwrap().to_owned();
        let mut tokens = named(vec![
            ("a foreign key under our kid", foreign.token()),
            (
                "a foreign key as jwk",
                foreign.header(
                    "jwk",
                    json!({"kty": "EC", "crv": "P-256", "x": encode([1; 32]), "y": encode([2; 32])}),
                ),
            ),
            ("a foreign key by jku", foreign.header("jku", json!("https://keys.example/jwks.json"))),
            ("a foreign key by x5u", foreign.header("x5u", json!("https://keys.example/c.pem"))),
            ("a foreign certificate", foreign.header("x5c", json!(["MIIB"]))),
            ("a foreign key's URL as kid", foreign.header("kid", json!("https://keys.example/jwks.json"))),
            ("no kid", forge.header("kid", Value::Null)),
            ("a kid nobody published", forge.header("kid", json!("unknown"))),
            ("an empty kid", forge.header("kid", json!(""))),
            ("a kid of 64 characters", forge.header("kid", json!("k".repeat(64)))),
            ("a kid of 65 characters", forge.header("kid", json!("k".repeat(65)))),
            ("a kid of 2 500 characters", forge.header("kid", json!("k".repeat(2_500)))),
            ("our kid and more", forge.header("kid", json!(format!("{kid}x")))),
            ("our kid without its end", forge.header("kid", json!(&kid[..kid.len() - 1]))),
            ("our kid and a NUL", forge.header("kid", json!(format!("{kid}\0")))),
            ("our kid and a space", forge.header("kid", json!(format!("{kid} ")))),
            (
                "our kid in small letters and capitals",
                forge.header("kid", json!(kid.to_uppercase() + &kid.to_lowercase())),
            ),
            ("a file as kid", forge.header("kid", json!("../../../../dev/null"))),
            ("SQL as kid", forge.header("kid", json!("x' UNION SELECT 'a"))),
            ("our table's item as kid", forge.header("kid", json!("KEYSET"))),
            ("kids in a list", forge.header("kid", json!([kid]))),
            ("a number as kid", forge.header("kid", json!(0))),
        ]);
        for nth in 0..100 {
            tokens.push((format!("kid {nth} of many"), foreign.header("kid", json!(format!("kid-{nth}")))));
        }
        tokens
    })
    .await;
}

/// What the header holds beyond `alg`, `typ` and `kid` could change what the rest means.
#[tokio::test]
async fn more_in_the_header_or_another_type() {
    all_refused(async |_, forge| {
        let own_jwk = json!({"kty": "EC"});
        let mut tokens = named(vec![
            ("jwk", forge.header("jwk", own_jwk)),
            ("jku", forge.header("jku", json!("https://keys.example/jwks.json"))),
            ("x5u", forge.header("x5u", json!("https://keys.example/c.pem"))),
            ("x5c", forge.header("x5c", json!([]))),
            ("x5t", forge.header("x5t", json!("AA"))),
            ("crit of an unknown member", forge.header("crit", json!(["exp"]))),
            ("an empty crit", forge.header("crit", json!([]))),
            ("crit of b64", forge.header("crit", json!(["b64"]))),
            ("b64", forge.header("b64", json!(false))),
            ("zip", forge.header("zip", json!("DEF"))),
            ("enc", forge.header("enc", json!("A128GCM"))),
            ("cty", forge.header("cty", json!("JWT"))),
        ]);
        for typ in [
            Value::Null,
            json!("JWT"),
            json!("jwt"),
            json!(""),
            json!("at"),
            json!("at+jwt "),
            json!("id+jwt"),
            json!("rt+jwt"),
            json!("dpop+jwt"),
            json!("application/jwt"),
            json!(1),
            json!(["at+jwt"]),
        ] {
            tokens.push((format!("typ {typ}"), forge.header("typ", typ)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn times_that_cannot_be() {
    all_refused(async |stack, forge| {
        let now = stack.devstack.clock.now_seconds();
        let mut tokens = named(vec![
            ("expired now", forge.times(now, -900, 0)),
            ("expired a second ago", forge.times(now, -600, -1)),
            ("expired long ago", forge.times(now, -9_000, -8_100)),
            ("issued 61 seconds ahead", forge.times(now, 61, 600)),
            ("issued 5 minutes ahead", forge.times(now, 300, 600)),
            ("issued tomorrow", forge.times(now, 86_400, 86_700)),
            ("901 seconds long", forge.times(now, 0, 901)),
            ("901 seconds long, most of it gone", forge.times(now, -891, 10)),
            ("10 years long", forge.times(now, 0, 315_360_000)),
            ("ends before it begins", forge.times(now, 60, 59)),
            ("the last second there is", forge.claim("exp", json!(i64::MAX))),
            ("the first second there was", forge.claim("iat", json!(i64::MIN))),
        ]);
        let all = [
            json!(-1),
            json!(0),
            json!(format!("{}", now + 600)),
            json!(format!("{}s", now + 600)),
            json!("2026-11-24T10:00:00Z"),
            json!(now as f64 + 600.5),
            json!(true),
            json!([now + 600]),
            json!({}),
            json!(1e308),
            json!(u64::MAX),
            json!((now + 600) * 1_000),
        ];
        for value in all {
            for name in ["exp", "iat"] {
                tokens.push((format!("{name} is {value}"), forge.claim(name, value.clone())));
            }
        }
        for raw in ["1e999", "9223372036854775808", "00", "+1"] {
            let claims = forge.claims.to_string().replacen(&forge.claims["exp"].to_string(), raw, 1);
            tokens.push((format!("exp is {raw}"), forge.sign(&forge.header.to_string(), &claims)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn claims_that_are_not_ours() {
    all_refused(async |stack, forge| {
        let issuer = stack.devstack.base_url.clone();
        let mut tokens = Vec::new();
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "sid", "org", "role"] {
            tokens.push((format!("no {name}"), forge.claim(name, Value::Null)));
            for value in [json!(""), json!([]), json!({}), json!(true), json!([forge.claims[name]])] {
                // Of the token's own id nothing is asked but that it is there.
                if !(name == "jti" && value == json!("")) {
                    tokens.push((format!("{name} is {value}"), forge.claim(name, value)));
                }
            }
        }
        let texts = [
            ("iss", "https://issuer.example".to_owned()),
            ("iss", format!("{issuer}/")),
            ("iss", format!("{issuer}.issuer.example")),
            ("iss", issuer.to_uppercase()),
            ("iss", format!(" {issuer}")),
            ("iss", issuer.replace("http:", "https:")),
            ("aud", "other-api".to_owned()),
            ("aud", "Syncgram-Pay".to_owned()),
            ("aud", "syncgram-pay ".to_owned()),
            ("aud", "syncgram-pay,other-api".to_owned()),
            ("sub", "nobody".to_owned()),
            ("sub", ACORN.id.to_owned()),
            ("sub", ACORN.owner.user_id.to_lowercase()),
            ("org", ACORN.owner.user_id.to_owned()),
            ("org", "*".to_owned()),
            ("org", "org_1".to_owned()),
            ("sid", "ses_".to_owned()),
            ("sid", ACORN.id.to_owned()),
            ("role", "root".to_owned()),
            ("role", "Owner".to_owned()),
            ("role", "owner,admin".to_owned()),
            ("role", "owner\0".to_owned()),
        ];
        tokens.extend(
            texts
                .into_iter()
                .map(|(name, text)| (format!("{name} is {text:?}"), forge.claim(name, json!(text)))),
        );
        for (name, value) in [
            ("aud", json!(["syncgram-pay", "other-api"])),
            ("aud", json!(["other-api"])),
            ("nbf", json!(stack.devstack.clock.now_seconds() + 300)),
            ("nbf", json!("soon")),
            ("token_use", json!("refresh")),
            ("scope", json!(["keys:write"])),
            ("scope", json!({"keys": "write"})),
            ("env", json!("live")),
            ("admin", json!(true)),
            ("cnf", json!({"jkt": "x"})),
        ] {
            tokens.push((format!("{name} is {value}"), forge.claim(name, value)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_allowed_is_allowed() {
    let stack = Stack::start().await;
    let genuine = stack.log_in(ACORN.owner).await.access;
    let forge = Forge::like(&stack, &genuine).await;
    let now = stack.devstack.clock.now_seconds();
    let mut cases = Cases::of(&stack);
    let mut reordered = String::from("{");
    for name in ["role", "org", "sid", "jti", "iat", "exp", "aud", "sub", "iss"] {
        write!(
            reordered,
            "{}\"{name}\": {}",
            if reordered.len() > 1 { ", " } else { "" },
            forge.claims[name]
        )
        .unwrap();
    }
    let good = [
        ("the token that was issued", genuine.clone()),
        ("its last second", forge.times(now, -899, 1)),
        ("15 minutes", forge.times(now, 0, 900)),
        ("a clock that is a minute ahead", forge.times(now, 60, 900)),
        ("at+JWT", forge.header("typ", json!("at+JWT"))),
        ("application/at+jwt", forge.header("typ", json!("application/at+jwt"))),
        ("another order, and spaces", forge.sign(&forge.header.to_string(), &(reordered + "}"))),
    ];
    for (name, token) in good {
        cases.accepted(name, Request::get(ME).bearer(&token), 200).await;
        cases.judge(name, gateways::allowed_by_all(&stack.app(), &format!("Bearer {token}")).await);
    }
    cases.finish();
}
