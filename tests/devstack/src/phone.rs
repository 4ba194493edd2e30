//! A phone with an authenticator app: RFC 6238 once more, written apart from the system's, as apps are.

use shared::crypto;

/// An app that knows one secret.
#[derive(Clone)]
pub struct Phone {
    secret: Vec<u8>,
}

impl Phone {
    /// Reads what a QR code says. `None`: an app would not take it.
    pub fn scan(uri: &str) -> Option<Self> {
        let (label, query) = uri.strip_prefix("otpauth://totp/")?.split_once('?')?;
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let issuer = value("issuer")?;
        let usual = value("algorithm")? == "SHA1" && value("digits")? == "6" && value("period")? == "30";
        let named = label.strip_prefix(issuer)?.strip_prefix(':').is_some_and(|address| !address.is_empty());
        (usual && named).then_some(())?;
        Self::typed(value("secret")?)
    }

    /// Reads a secret that somebody typed.
    pub fn typed(secret: &str) -> Option<Self> {
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
        for c in secret.bytes() {
            let digit = match c {
                b'A'..=b'Z' => c - b'A',
                b'2'..=b'7' => c - b'2' + 26,
                _ => return None,
            };
            (held, bits) = ((held << 5) | u32::from(digit), bits + 5);
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 255).ok()?);
            }
        }
        Some(Self { secret: bytes })
    }

    /// What it keeps.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// What the app shows at `now`, in seconds since the epoch.
    pub fn code(&self, now: i64) -> String {
        let mac = crypto::hmac_sha1(&self.secret, &(now / 30).to_be_bytes());
        let at = usize::from(mac[19] % 16);
        let number = mac[at..at + 4].iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/A%20B:o%40x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%20B\
                       &algorithm=SHA1&digits=6&period=30";

    #[test]
    fn the_published_vectors_come_out() {
        // RFC 6238 appendix B, the last six of their eight digits.
        let phone = Phone::scan(URI).unwrap();
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(phone.code(time), code);
        }
    }

    #[test]
    fn what_apps_read_otherwise_is_not_taken() {
        for (from, to) in [("SHA1", "SHA256"), ("digits=6", "digits=8"), ("A%20B:", "C:"), ("GEZ", "gez")] {
            assert!(Phone::scan(&URI.replacen(from, to, 1)).is_none(), "{to}");
        }
    }
}
