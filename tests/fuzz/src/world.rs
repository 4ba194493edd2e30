//! The app that the targets ask, and the few credentials that it knows.

use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::app::{App, Outside};
use shared::clock::ManualClock;
use shared::config::{Config, Credentials, Endpoints, HttpApiAnswer};
use shared::ids::{KeyId, OrgId, SessionId, UserId};
use shared::passwords::Hashing;
use shared::rng::Rng;
use shared::secrets::generate;
use shared::sensitive::Sensitive;
use shared::tokens::key_set::{KeySet, Keyring};
use shared::tokens::refresh_token::{RefreshToken, Salt};
use shared::webhooks::Reach;
use time::OffsetDateTime;

use crate::canned::Canned;

/// The time, in seconds since the epoch: it stands still, so that an input means the same whenever it is tried.
pub const NOW: i64 = 1_795_510_800;
pub const ISSUER: &str = "https://auth.fuzz.example";
pub const AUDIENCE: &str = "fuzz-api";
/// The name of the key that reports of leaks are signed with.
pub const REPORTER_KEY: &str = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c";
/// What a P-256 key as `SubjectPublicKeyInfo` begins with (RFC 5480 section 2): the point follows.
const SPKI: [u8; 26] = *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

/// SplitMix64: the same numbers in every process. Nothing here is secret.
pub struct Seeded(Mutex<u64>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Rng for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
    }
}

/// Who is logged in where a route wants somebody.
pub struct Person {
    pub user: UserId,
    pub org: OrgId,
    pub session: SessionId,
}

/// Everything the targets use.
pub struct World {
    pub app: App,
    pub keyring: Keyring,
    /// The name of the key that signs.
    pub kid: String,
    /// The one key that lets somebody in.
    pub key: String,
    /// The one access token that does.
    pub token: String,
    /// A refresh token with the right MAC, of a session that there is not.
    pub refresh: String,
    pub refresh_keys: Vec<Vec<u8>>,
    pub person: Person,
    /// The id of an API key that there is not.
    pub key_id: KeyId,
    signing: EcdsaKeyPair,
    reporter: EcdsaKeyPair,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let rng = Arc::new(Seeded::new(1));
        let clock = Arc::new(ManualClock::new(OffsetDateTime::from_unix_timestamp(NOW).unwrap()));
        let person = Person {
            user: UserId::new(clock.as_ref(), rng.as_ref()),
            org: OrgId::new(clock.as_ref(), rng.as_ref()),
            session: SessionId::new(clock.as_ref(), rng.as_ref()),
        };
        let signing_secret = generate::signing(rng.as_ref()).unwrap();
        let secret: Value = serde_json::from_str(&signing_secret).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let set = KeySet { issuer: ISSUER.to_owned(), keys: generate::public_keys(&signing_secret).unwrap() };
        let key = PlainKey::generate(Env::Test, rng.as_ref());
        let reporter = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let mut canned = Canned::default();
        let spki = [&SPKI, reporter.public_key().as_ref()].concat();
        let trusted = json!({"key_identifier": REPORTER_KEY, "public_key": BASE64_STANDARD.encode(spki)});
        canned.put("REPORTER#github", &format!("KEY#{REPORTER_KEY}"), &trusted);
        canned.put("KEYSET", "KEYSET", &serde_json::to_value(&set).unwrap());
        let credential = json!({
            "api_key_id": KeyId::new(clock.as_ref(), rng.as_ref()),
            "org_id": person.org,
            "env": "test",
        });
        canned.put(&format!("KEYHASH#{}", key.hash()), "CREDENTIAL", &credential);
        canned.secrets.insert("signing".to_owned(), signing_secret.clone());
        for name in ["codes", "sealing", "audit", "factors"] {
            canned.secrets.insert(name.to_owned(), generate::key(rng.as_ref()));
        }
        let refresh_keys: Vec<Vec<u8>> =
            ["key", "next"].iter().map(|name| text(&secret["refresh"][*name]).into_bytes()).collect();
        let salt = Salt::random(rng.as_ref());
        let refresh = RefreshToken::make(&refresh_keys[0], &person.session, 3, &salt);
        let pkcs8 = BASE64_STANDARD.decode(text(&secret["signing"]["pkcs8"])).unwrap();
        let key_id = KeyId::new(clock.as_ref(), rng.as_ref());
        let outside = Outside { clock, rng, http_client: Some(canned.client()) };
        let mut world = Self {
            app: App::new(&config(), outside).unwrap(),
            keyring: Keyring::new(set).unwrap(),
            kid: text(&secret["signing"]["kid"]),
            key: key.expose().to_owned(),
            token: String::new(),
            refresh: refresh.expose().to_owned(),
            refresh_keys,
            person,
            key_id,
            reporter,
            signing: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
        };
        world.token = world.genuine();
        world
    }

    fn genuine(&self) -> String {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.kid});
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": self.person.user, "org": self.person.org,
            "sid": self.person.session, "role": "owner", "jti": "fuzz", "iat": NOW, "exp": NOW + 900,
        });
        self.sign(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A token of any two texts, signed with the key that signs.
    #[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
    pub fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signing.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", encode(signature.as_ref()))
    }

    /// The signature of a report, as its reporter makes it.
    #[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
    pub fn report_signature(&self, bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(self.reporter.sign(&SystemRandom::new(), bytes).unwrap())
    }

    /// Waits for an answer.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The input with every placeholder's value in its place.
    pub fn fill(&self, data: &[u8]) -> Vec<u8> {
        let values = [
            ("{KEY}", &self.key),
            ("{TOKEN}", &self.token),
            ("{REFRESH}", &self.refresh),
            ("{KID}", &self.kid),
        ];
        let mut filled = Vec::with_capacity(data.len());
        let mut rest = data;
        while let Some(first) = rest.first() {
            match values.iter().find(|(name, _)| rest.starts_with(name.as_bytes())) {
                Some((name, value)) => {
                    filled.extend_from_slice(value.as_bytes());
                    rest = &rest[name.len()..];
                }
                None => {
                    filled.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        filled
    }

    /// A text to read: the input filled in, or, where it begins with `~`, the genuine text with some bytes changed. The rest of the
    /// input then is pairs: which byte, and by what it is changed.
    pub fn text(&self, genuine: &str, data: &[u8]) -> Option<String> {
        let bytes = match data.strip_prefix(b"~") {
            None => self.fill(data),
            Some(changes) => {
                let mut bytes = genuine.as_bytes().to_vec();
                for change in changes.as_chunks::<2>().0 {
                    // Twice, from either end: the ends are where formats are lax.
                    let at = usize::from(change[0] & 0x7f) * if bytes.len() > 128 { 4 } else { 1 };
                    let at = at % bytes.len();
                    let at = if change[0] < 0x80 { at } else { bytes.len() - 1 - at };
                    bytes[at] ^= change[1];
                }
                bytes
            }
        };
        String::from_utf8(bytes).ok()
    }
}

fn config() -> Config {
    Config {
        table: "table".to_owned(),
        region: "eu-west-1".to_owned(),
        audience: AUDIENCE.to_owned(),
        issuer: ISSUER.to_owned(),
        mail_from: "no-reply@fuzz.example".to_owned(),
        signing_secret: "signing".to_owned(),
        codes_secret: "codes".to_owned(),
        sealing_secret: "sealing".to_owned(),
        audit_secret: "audit".to_owned(),
        factors_secret: "factors".to_owned(),
        checkpoints_table: "checkpoints".to_owned(),
        webhooks_secret: String::new(),
        webhooks_queue: String::new(),
        reach: Reach::Internet,
        hashing: Hashing::default(),
        http_api_answer: HttpApiAnswer::Simple,
        credentials: Credentials {
            access_key_id: "fuzz".to_owned(),
            secret_access_key: Sensitive::new("fuzz".to_owned()),
            session_token: None,
        },
        endpoints: Endpoints::default(),
        ca_bundle: None,
    }
}

thread_local! {
    static WORLD: &'static World = Box::leak(Box::new(World::new()));
}

/// This thread's world, made when it is first asked for.
pub fn world() -> &'static World {
    WORLD.with(|world| *world)
}
