//! A person at the dashboard, as their browser sees it: the page, and a session whose refresh token no script ever has.

use e2e::{Answer, Call, Method, Stage, json, text};

const DAY: i64 = 24 * 60 * 60;

/// A browser with the dashboard open.
struct Browser<'a> {
    stage: &'a Stage,
    /// The origin it says it is at.
    origin: String,
    /// What its jar holds under the session's name.
    jar: String,
}

impl<'a> Browser<'a> {
    /// At the issuer's own address.
    async fn at_home(stage: &'a Stage) -> Self {
        let metadata = stage.outside(Method::GET, "/.well-known/openid-configuration").await.document();
        let issuer = text(&metadata["issuer"]);
        let origin = issuer.split('/').take(3).collect::<Vec<_>>().join("/");
        Self { stage, origin, jar: String::new() }
    }

    fn call(&self, route: &str) -> Call {
        let call =
            self.stage.post(route).header("X-Syncgram-Client", "dashboard").header("Origin", &self.origin);
        if self.jar.is_empty() { call } else { call.header("Cookie", &self.jar) }
    }

    /// Keeps the cookie of an answer; says for how many seconds.
    fn keep(&mut self, answer: &Answer) -> i64 {
        let set = answer.header("set-cookie");
        let mut parts = set.split("; ");
        let pair = parts.next().unwrap();
        let (name, token) = pair.split_once('=').unwrap();
        assert_eq!(name, "__Host-syncgram_session");
        let age = set.rsplit_once("Max-Age=").unwrap().1;
        assert_eq!(set, format!("{pair}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}"));
        let age: i64 = age.parse().unwrap();
        assert_eq!(token.is_empty(), age == 0, "{set}");
        self.jar = if age == 0 { String::new() } else { pair.to_owned() };
        age
    }

    /// Signs in; the access token, and how long the cookie is kept.
    async fn sign_in(&mut self) -> (String, i64) {
        let challenge = self.stage.start_login(&self.stage.acorn.owner).await;
        let body = json!({ "challenge_id": challenge.id, "code": challenge.code });
        let answer = self.call("/auth/login/2fa/verify").json(&body).await;
        let age = self.keep(&answer);
        (access_token(answer), age)
    }

    async fn refresh(&mut self) -> (String, i64) {
        let answer = self.call("/auth/refresh").await;
        let age = self.keep(&answer);
        (access_token(answer), age)
    }
}

/// The access token of an answer that holds no other.
fn access_token(answer: Answer) -> String {
    assert!(!answer.text().contains("rt_"), "{answer}");
    let data = answer.data(200);
    assert_eq!(
        data.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["access_token", "expires_in", "token_type", "user"]
    );
    text(&data["access_token"])
}

#[tokio::test]
async fn the_page_is_one_document_and_what_it_names() {
    let stage = Stage::open().await;
    let document = stage.outside(Method::GET, "/dashboard").await;
    assert_eq!(document.status(), 200, "{document}");
    let tag = document.header("etag").to_owned();
    let named: Vec<_> =
        document.text().split("\"dashboard/").skip(1).map(|it| it.split('"').next().unwrap()).collect();
    assert!(!named.is_empty(), "{document}");
    for file in named {
        let asset = stage.outside(Method::GET, &format!("/dashboard/{file}")).await;
        assert_eq!(asset.status(), 200, "{asset}");
        assert!(asset.header("cache-control").contains("immutable"), "{asset}");
    }
    let again = stage.outside(Method::GET, "/dashboard").header("If-None-Match", &tag).await;
    assert_eq!((again.status(), again.text()), (304, ""));
}

#[tokio::test]
async fn a_session_in_a_cookie_lives_thirty_days_from_its_login() {
    let stage = Stage::open().await;
    let mut browser = Browser::at_home(&stage).await;
    let (access, age) = browser.sign_in().await;
    assert_eq!(age, 30 * DAY);
    stage.me(&access).await.data(200);
    stage.advance(10 * DAY).await;
    stage.me(&access).await.asks_for_credential();

    let (access, age) = browser.refresh().await;
    assert_eq!(age, 20 * DAY, "a refresh does not make the session longer");
    stage.me(&access).await.data(200);
    stage.advance(20 * DAY).await;
    let over = browser.call("/auth/refresh").await;
    assert_eq!(browser.keep(&over), 0);
    over.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_cookie() {
    let stage = Stage::open().await;
    let mut browser = Browser::at_home(&stage).await;
    browser.sign_in().await;
    let (access, _) = browser.refresh().await;
    stage.me(&access).await.data(200);
    let jar = browser.jar.clone();
    let left = browser.call("/auth/logout").bearer(&access).await;
    assert_eq!(browser.keep(&left), 0);
    left.empty();

    // Whoever kept the cookie has nothing, and is told to forget it.
    browser.jar = jar;
    let over = browser.call("/auth/refresh").await;
    assert_eq!(browser.keep(&over), 0);
    over.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn two_tabs_that_refresh_as_one_request_get_one_successor() {
    let stage = Stage::open().await;
    let mut browser = Browser::at_home(&stage).await;
    browser.sign_in().await;
    let tab = || browser.call("/auth/refresh").header("Idempotency-Key", "a-refresh-of-two-tabs");
    let (one, other) = (tab().await, tab().await);
    // The second may be another by then, and with it what is left of the session.
    let but_its_end = |cookie: &str| cookie.split("; Max-Age").next().unwrap_or_default().to_owned();
    assert_eq!(but_its_end(one.header("set-cookie")), but_its_end(other.header("set-cookie")));
    let (kept, _) = (browser.keep(&one), one.data(200));
    assert!(kept > 0);
    browser.refresh().await;
}

#[tokio::test]
async fn a_cookie_that_was_used_and_comes_back_ends_the_session_in_both_browsers() {
    let stage = Stage::open().await;
    let mut browser = Browser::at_home(&stage).await;
    browser.sign_in().await;
    let stolen = browser.jar.clone();
    browser.refresh().await;
    let mut thief = Browser { stage: &stage, origin: browser.origin.clone(), jar: stolen };
    for browser in [&mut thief, &mut browser] {
        let over = browser.call("/auth/refresh").await;
        assert_eq!(browser.keep(&over), 0);
        over.refused(401, "invalid_refresh_token");
    }
}

#[tokio::test]
async fn another_page_does_nothing_in_the_persons_name() {
    let stage = Stage::open().await;
    let mut browser = Browser::at_home(&stage).await;
    let (access, _) = browser.sign_in().await;
    let challenge = stage.start_login(&stage.acorn.admin).await;
    let home = browser.origin.clone();
    for origin in ["https://evil.example", "null"] {
        browser.origin = origin.to_owned();
        browser.call("/auth/refresh").await.refused(403, "origin_not_allowed");
        browser.call("/auth/logout").bearer(&access).await.refused(403, "origin_not_allowed");
        let body = json!({ "challenge_id": challenge.id, "code": challenge.code });
        let answer = browser.call("/auth/login/2fa/verify").json(&body).await;
        assert_eq!(answer.find_header("set-cookie"), None, "{answer}");
        answer.refused(403, "origin_not_allowed");
    }
    // The code was not spent on it, and the session goes on.
    stage.verify(&challenge.id, &challenge.code).await.data(200);
    browser.origin = home;
    browser.refresh().await;
}
