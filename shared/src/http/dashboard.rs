//! The dashboard's session: a browser keeps the refresh token in a cookie that no script reads. See `docs/adr/0017-session-cookie.md`.

use lambda_http::http::uri::Uri;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};

use super::{Answer, Call, Fields, Problem, views};
use crate::app::App;
use crate::audit::Deed;
use crate::flows::{self, Tokens};
use crate::sensitive::Sensitive;

/// The header by which a client says that it is the dashboard. No page of another origin can send it without asking us first, and we
/// allow none.
const CLIENT: &str = "x-syncgram-client";
/// What the dashboard says there.
pub const DASHBOARD: &str = "dashboard";

/// The cookie. By its prefix (RFC 6265bis section 4.1.3.2) a browser takes it from this host alone, over TLS, for every path: neither a
/// neighbouring host nor one below another path can put a second one beside it.
const NAME: &str = "__Host-syncgram_session";

/// Who keeps the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// A client of the API: it has the refresh token from bodies and brings it in one.
    Api,
    /// The dashboard: its browser has it from a cookie and brings it in one.
    Dashboard,
}

impl Client {
    /// Which of them calls. The dashboard is believed at its own origin only, the issuer's: no other page writes in anybody's name.
    ///
    /// # Errors
    /// A client by another name, or from elsewhere. To be asked before anything is written.
    pub async fn of(app: &App, call: &Call<'_>) -> Result<Self, Problem> {
        let mut named = call.headers().get_all(CLIENT).iter();
        match (named.next().map(HeaderValue::as_bytes), named.next()) {
            (None, _) => return Ok(Self::Api),
            (Some(name), None) if name == DASHBOARD.as_bytes() => {}
            _ => return Err(Problem::field("X-Syncgram-Client", "must be dashboard, given once")),
        }
        let keyring = flows::published_keys(app, call.origin()).await?;
        let mut origins = call.headers().get_all(header::ORIGIN).iter();
        let sent = origins.next().filter(|_| origins.next().is_none());
        if sent.is_some_and(|sent| is_origin_of(&keyring.issuer, sent)) {
            return Ok(Self::Dashboard);
        }
        let (method, path) = call.route();
        Deed {
            action: "origin.require",
            target: &format!("{method} {path}"),
            network: &call.origin().network,
            request_id: &call.origin().request_id,
            ..Deed::default()
        }
        .log("refused", Problem::OriginNotAllowed.code(), None);
        Err(Problem::OriginNotAllowed)
    }

    /// What a completed login and a refresh answer.
    pub fn tokens(self, tokens: &Tokens) -> Answer {
        match self {
            Self::Api => Answer::ok(views::Tokens::from(tokens)),
            Self::Dashboard => {
                let data = views::Tokens { refresh_token: None, ..views::Tokens::from(tokens) };
                Answer::session(data, cookie(tokens.refresh_token.expose(), tokens.session_ends_in))
            }
        }
    }

    /// The body's fields. The dashboard has none to send.
    pub fn fields(self, call: &Call<'_>) -> Result<Fields, Problem> {
        match self {
            Self::Dashboard if call.is_without_body() => Ok(Fields::none()),
            _ => call.fields(),
        }
    }
}

/// Whether an `Origin` header names the origin of a URL (RFC 6454 section 6.2: scheme, host, and the port where it is not the scheme's own).
fn is_origin_of(url: &str, sent: &HeaderValue) -> bool {
    let Ok(url) = url.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
        return false;
    };
    let port = url.port_u16().filter(|port| !matches!((scheme, port), ("https", 443) | ("http", 80)));
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    sent.as_bytes() == format!("{scheme}://{host}{port}").to_ascii_lowercase().as_bytes()
}

/// The session cookie as it is set, for so many seconds.
fn cookie(token: &str, seconds: i64) -> Sensitive<String> {
    Sensitive::new(format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}"))
}

/// The refresh token that the browser sent, not yet looked at. Nothing where there is none, or more than one: nobody can say which of two
/// is ours, so neither is.
pub fn session_cookie(call: &Call<'_>) -> Sensitive<String> {
    let pairs =
        call.headers().get_all(header::COOKIE).iter().flat_map(|it| it.as_bytes().split(|it| *it == b';'));
    let mut values =
        pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(NAME.as_bytes())?.strip_prefix(b"="));
    let one = values.next().filter(|_| values.next().is_none());
    let text = one.and_then(|value| str::from_utf8(value).ok()).unwrap_or_default();
    Sensitive::new(text.to_owned())
}

/// Takes the session cookie from a dashboard whose session is over: who asked to end it, and who is told 401.
pub fn without_session(call: &Call<'_>, mut response: Response<Body>) -> Response<Body> {
    let over = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::UNAUTHORIZED);
    if over
        && call.headers().contains_key(CLIENT)
        && let Ok(gone) = HeaderValue::from_str(cookie("", 0).expose())
    {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_issuers_to_the_byte() {
        let is = |issuer: &str, sent: &'static str| is_origin_of(issuer, &HeaderValue::from_static(sent));
        assert!(is("https://auth.pay.example", "https://auth.pay.example"));
        assert!(is("https://auth.pay.example/prod", "https://auth.pay.example"));
        assert!(is("https://Auth.Pay.example:443/", "https://auth.pay.example"));
        assert!(is("http://127.0.0.1:3000", "http://127.0.0.1:3000"));
        for sent in [
            "",
            "null",
            "https://auth.pay.example/",
            "https://auth.pay.example:443",
            "https://auth.pay.example:8443",
            "http://auth.pay.example",
            "https://evil.auth.pay.example",
            "https://pay.example",
            "https://auth.pay.example.evil.example",
            "https://auth.pay.example@evil.example",
            "https://auth.pay.example, https://auth.pay.example",
            "HTTPS://AUTH.PAY.EXAMPLE",
            " https://auth.pay.example",
        ] {
            assert!(!is("https://auth.pay.example", sent), "{sent}");
        }
        for issuer in ["", "auth.pay.example", "/prod", "https://", "://", "urn:x:y"] {
            assert!(
                !is(issuer, "https://auth.pay.example") && !is(issuer, "null") && !is(issuer, "://"),
                "{issuer}"
            );
        }
    }
}
