//! Access tokens: as texts, and as anything that our own key could have signed.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use serde_json::de::Deserializer;
use shared::tokens::access_token;

use crate::world::{AUDIENCE, ISSUER, NOW, world};

/// No text is accepted but the one that was signed.
pub fn text(data: &[u8]) {
    let world = world();
    let Some(text) = world.text(&world.token, data) else {
        return;
    };
    let accepted = access_token::verify(&text, &world.keyring, AUDIENCE, NOW).is_ok();
    assert_eq!(accepted, text == world.token, "a token that was never signed, or one that was: {text}");
}

/// Header and claims with a line's end between them, signed with our key: what is accepted satisfies every rule, read anew here.
pub fn signed(data: &[u8]) {
    let world = world();
    let data = world.fill(data);
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let token = world.sign(header, claims);
    let accepted = access_token::verify(&token, &world.keyring, AUDIENCE, NOW);
    let rules = if token.len() > 4096 { Err("longer than is looked at") } else { rules(header, claims) };
    let told = || format!("{} / {}", String::from_utf8_lossy(header), String::from_utf8_lossy(claims));
    match (&accepted, rules) {
        (Ok(_), Err(broken)) => panic!("accepted, though {broken}: {}", told()),
        (Err(error), Ok(())) => panic!("refused ({error}), though every rule is kept: {}", told()),
        _ => {}
    }
}

fn rules(header: &[u8], claims: &[u8]) -> Result<(), &'static str> {
    let must = |holds: bool, broken: &'static str| if holds { Ok(()) } else { Err(broken) };
    let header = members(header).ok_or("the header is no object of different members")?;
    must(header.keys().eq(["alg", "kid", "typ"].iter()), "the header's members are others")?;
    must(header["alg"] == "ES256", "alg is another")?;
    must(header["kid"] == world().kid.as_str(), "kid is another")?;
    let typ = header["typ"].as_str().unwrap_or_default().to_lowercase();
    must(["at+jwt", "application/at+jwt"].contains(&typ.as_str()) && typ.is_ascii(), "typ is another")?;
    let claims = members(claims).ok_or("the claims are no object of different members")?;
    let names = ["aud", "exp", "iat", "iss", "jti", "org", "role", "sid", "sub"];
    must(claims.keys().eq(names.iter()), "the claims are others")?;
    must(claims["iss"] == ISSUER, "iss is another")?;
    must(claims["aud"] == AUDIENCE, "aud is another")?;
    let number = |name: &str| claims[name].as_i64().map(i128::from).ok_or("a time is no whole number");
    let (iat, exp, now) = (number("iat")?, number("exp")?, i128::from(NOW));
    must(exp > now, "it has expired")?;
    must(iat <= now + 60, "it was issued in the future")?;
    must((0..=900).contains(&(exp - iat)), "it lives longer than 15 minutes")?;
    let texts = ["jti", "org", "role", "sid", "sub"].iter().all(|name| claims[*name].is_string());
    must(texts, "a claim is no text")
}

/// The members of a JSON object, if no name comes twice.
fn members(json: &[u8]) -> Option<BTreeMap<String, Value>> {
    struct Once;
    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = BTreeMap<String, Value>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, Value>()? {
                if members.insert(name, value).is_some() {
                    return Err(serde::de::Error::custom("twice"));
                }
            }
            Ok(members)
        }
    }
    if json.first() != Some(&b'{') {
        return None;
    }
    let mut reader = Deserializer::from_slice(json);
    let members = serde::Deserializer::deserialize_map(&mut reader, Once).ok()?;
    reader.end().ok().map(|()| members)
}
