//! `Authorization: Bearer <credential>`.

/// The credential of a bearer header: the scheme in any case, spaces, exactly one credential (RFC 6750 section 2.1, RFC 9110
/// section 11.4).
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, rest) = header.split_once(' ')?;
    let credential = rest.trim_start_matches(' ');
    // All of it at once: a loop that could end at each byte is one instruction after the other.
    let plain =
        credential.bytes().fold(true, |plain, byte| plain & (byte.is_ascii_graphic() & (byte != b',')));
    let one = !credential.is_empty() && plain;
    (scheme.eq_ignore_ascii_case("bearer") && one).then_some(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_credential_after_the_scheme() {
        for good in ["Bearer abc", "bearer abc", "BEARER  abc"] {
            assert_eq!(bearer(good), Some("abc"), "{good}");
        }
        for bad in [
            "",
            "abc",
            "Bearer",
            "Bearer ",
            "Basic abc",
            " Bearer abc",
            "Bearer\tabc",
            "Bearer abc ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a\u{e9}",
        ] {
            assert_eq!(bearer(bad), None, "{bad:?}");
        }
    }
}
