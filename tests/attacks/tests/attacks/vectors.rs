//! Project Wycheproof's vectors for ES256, whole: see `tests/attacks/wycheproof/README.md`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use inputs::encode;
use serde_json::{Value, json};
use shared::crypto::sha256_hex;
use shared::tokens::access_token::{self, is_signed};
use shared::tokens::key_set::{KeySet, Keyring, PublicKey};

/// A file as it was published, and the number of its vectors.
fn file(name: &str, sha256: &str, vectors: usize) -> Value {
    let path = devstack::repository().join(format!("tests/attacks/wycheproof/{name}_test.json"));
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(sha256_hex(&[&bytes]), sha256, "{name} is not as it was published");
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let found: usize = groups(&file).iter().map(|group| list(group, "tests").len()).sum();
    assert_eq!((found, &file["numberOfTests"]), (vectors, &json!(vectors)), "{name}");
    file
}

fn groups(file: &Value) -> &Vec<Value> {
    list(file, "testGroups")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no list"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Collects what went wrong, so that all vectors are tried.
#[derive(Default)]
struct Tried {
    accepted: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tried {
    fn expect(&mut self, test: &Value, accepted: bool, must: bool) {
        *(if accepted { &mut self.accepted } else { &mut self.refused }) += 1;
        if accepted != must {
            let seen = if accepted { "accepted" } else { "refused" };
            self.wrong.push(format!("{} {} is {seen}", test["tcId"], test["comment"]));
        }
    }

    #[track_caller]
    fn finish(self, accepted: usize, refused: usize) {
        assert!(self.wrong.is_empty(), "{} are wrong:\n  {}", self.wrong.len(), self.wrong.join("\n  "));
        assert_eq!((self.accepted, self.refused), (accepted, refused), "accepted and refused");
    }
}

/// The keys as they would be published.
fn keyring(keys: Vec<PublicKey>) -> Option<Keyring> {
    Keyring::new(KeySet { issuer: "https://issuer.example".to_owned(), keys }).ok()
}

/// The key of a signature file's group: its point, which begins with 04.
fn keyring_of_point(group: &Value) -> Keyring {
    let point = bytes(text(&group["publicKey"], "uncompressed"));
    let key = PublicKey {
        kty: "EC".to_owned(),
        crv: "P-256".to_owned(),
        alg: "ES256".to_owned(),
        usage: "sig".to_owned(),
        kid: "key".to_owned(),
        x: encode(&point[1..33]),
        y: encode(&point[33..]),
    };
    keyring(vec![key]).unwrap_or_else(|| panic!("a good key is refused: {}", group["publicKey"]))
}

fn accepts(keyring: &Keyring, message: &[u8], signature: &[u8]) -> bool {
    is_signed(message, &encode(signature), keyring.find("key").unwrap().1)
}

#[test]
fn signatures_of_r_and_s() {
    let file = file(
        "ecdsa_secp256r1_sha256_p1363",
        "c60de693930e386c3a5472d08081623ef8504decc54b38ac01ec6b2a2575c986",
        262,
    );
    let mut tried = Tried::default();
    for group in groups(&file) {
        let keyring = keyring_of_point(group);
        for test in list(group, "tests") {
            let accepted = accepts(&keyring, &bytes(text(test, "msg")), &bytes(text(test, "sig")));
            tried.expect(test, accepted, test["result"] == "valid");
        }
    }
    tried.finish(173, 89);
}

/// r and s of strict DER, where they fit: a sequence of two positive numbers in their shortest form, and nothing else.
fn r_and_s(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, inside @ ..] = der else { return None };
    if usize::from(*length) != inside.len() || *length >= 0x80 {
        return None;
    }
    let (r, rest) = number(inside)?;
    let (s, rest) = number(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

fn number(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, inside @ ..] = der else { return None };
    let (digits, rest) = inside.split_at_checked(usize::from(*length))?;
    let shortest = match digits {
        [] => return None,
        [0, next, ..] => *next >= 0x80,
        [first, ..] => *first < 0x80,
    };
    let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
    let mut number = [0; 32];
    number.get_mut(32_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    shortest.then_some((number, rest))
}

#[test]
fn signatures_in_der() {
    let file = file(
        "ecdsa_secp256r1_sha256",
        "182db4f3e230f6f9fa9f800d2a614dede30284b8e8438bbfe1171905402e9332",
        484,
    );
    let (mut as_they_are, mut turned) = (Tried::default(), Tried::default());
    for group in groups(&file) {
        let keyring = keyring_of_point(group);
        for test in list(group, "tests") {
            let (message, der) = (bytes(text(test, "msg")), bytes(text(test, "sig")));
            as_they_are.expect(test, accepts(&keyring, &message, &der), false);
            let valid = test["result"] == "valid";
            match r_and_s(&der) {
                Some(signature) => turned.expect(test, accepts(&keyring, &message, &signature), valid),
                None => assert!(!valid, "{test} is valid, and no strict DER"),
            }
        }
    }
    as_they_are.finish(0, 484);
    let refused = turned.refused;
    turned.finish(174, refused);
}

/// The JWKs of a group, where they have what our published keys have.
fn published(keys: &[&Value]) -> Option<Vec<PublicKey>> {
    keys.iter().map(|key| serde_json::from_value((*key).clone()).ok()).collect()
}

/// Whether a token's signature is by the key that its header names, whatever its claims are.
fn is_genuine(token: &str, keyring: &Keyring) -> bool {
    let genuine = || {
        let (signed, signature) = token.rsplit_once('.')?;
        let header = BASE64_URL_SAFE_NO_PAD.decode(signed.split_once('.')?.0).ok()?;
        let header: Value = serde_json::from_slice(&header).ok()?;
        let key = keyring.find(header["kid"].as_str()?)?;
        Some(header["alg"] == "ES256" && is_signed(signed.as_bytes(), signature, key.1))
    };
    genuine().unwrap_or_default()
}

/// None of these is an access token of ours, however right its signature is.
fn is_access_token(token: &str, keyring: &Keyring) -> bool {
    access_token::verify(token, keyring, "syncgram-pay", 1_300_819_380).is_ok()
}

#[test]
fn tokens() {
    let file =
        file("json_web_signature", "8e687a06fe8359f4ec51480f1a9f73c8faebd6f4c01b818b843b44eee54fd5d9", 401);
    let (mut whole, mut signatures) = (Tried::default(), Tried::default());
    for group in groups(&file) {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keyring = published(&[key]).and_then(keyring);
        for test in list(group, "tests") {
            let token = test["jws"].as_str().unwrap_or_default();
            whole.expect(test, keyring.as_ref().is_some_and(|it| is_access_token(token, it)), false);
            if key["crv"] == "P-256" {
                let genuine = keyring.as_ref().is_some_and(|it| is_genuine(token, it));
                signatures.expect(test, genuine, test["result"] == "valid");
            }
        }
    }
    whole.finish(0, 401);
    signatures.finish(2, 39);
}

#[test]
fn sets_of_keys() {
    let file = file("json_web_key", "be983255bce26406f97020ec5458b33930a90d5f868e604fcd569c300aba2862", 26);
    let mut tried = Tried::default();
    for group in groups(&file) {
        let set = group.get("public").unwrap_or(&group["private"]);
        let keys: Vec<&Value> = list(set, "keys").iter().collect();
        let keyring = published(&keys).and_then(keyring);
        for test in list(group, "tests") {
            let token = text(test, "jws");
            let accepted =
                keyring.as_ref().is_some_and(|it| is_genuine(token, it) || is_access_token(token, it));
            // The sets that are valid are of HMAC and RSA keys: we publish neither.
            tried.expect(test, accepted, false);
        }
        let p256 = keys.iter().any(|key| key["kty"] == "EC" || key["crv"] == "P-256");
        assert!(!p256 || keyring.is_none(), "{} is read as if it were right", group["comment"]);
    }
    tried.finish(0, 26);
}

#[test]
fn public_keys() {
    let file = file(
        "ecdh_secp256r1_webcrypto",
        "578ddbae7cba6ba89583ed539b15cb601fcbd78c9614480895b577199bc8c985",
        353,
    );
    let mut tried = Tried::default();
    for group in groups(&file) {
        for test in list(group, "tests") {
            // What a key for ECDH does not say.
            let mut key = test["public"].clone();
            (key["alg"], key["use"]) = (json!("ES256"), json!("sig"));
            let accepted = published(&[&key]).and_then(keyring).is_some();
            tried.expect(test, accepted, test["result"] == "valid");
        }
    }
    tried.finish(330, 23);
}

/// Two keys of one name: Wycheproof has that case for HMAC keys alone.
#[test]
fn two_keys_of_one_name() {
    let point = |byte: u8| [byte; 32];
    let generator = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "key",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    });
    assert!(published(&[&generator]).and_then(keyring).is_some(), "P-256's own generator is a key");
    assert!(published(&[&generator, &generator]).and_then(keyring).is_none());
    let mut elsewhere = generator;
    elsewhere["y"] = json!(encode(point(7)));
    assert!(published(&[&elsewhere]).and_then(keyring).is_none(), "off the curve");
}
