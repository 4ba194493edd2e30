//! A key with a list of addresses, before every kind of gateway: it is good from those alone, and where a call comes from is what the gateway
//! itself saw.

use devstack::engines::recorder::Recorded;
use devstack::seed::ACORN;
use serde_json::{Value, json};
use shared::clock::Clock as _;
use shared::config::HttpApiAnswer;
use shared::ids::OrgId;
use time::Duration;

use super::authorizer_events::app_like;
use crate::harness::gateways::{Kind, Verdict, ask};
use crate::harness::{Cases, MadeKey, Refusal, Request, Session, Stack};

const ME: &str = "/api/v1/organizations/me";
const LIST: [&str; 3] = ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"];

/// The kinds that are told an address, and where it stands.
const TOLD: [(Kind, &str); 3] = [
    (Kind::RestRequest, "/requestContext/identity"),
    (Kind::Http1, "/requestContext/identity"),
    (Kind::Http2, "/requestContext/http"),
];

/// The owner, and a key that is good from `LIST`.
async fn at_home(stack: &Stack) -> (Session, MadeKey) {
    let owner = stack.log_in(ACORN.owner).await;
    let made = stack.make_key(&owner, &json!({"key_name": "at home", "allowed_addresses": LIST})).await;
    (owner, made)
}

/// A question about `credential`, with what the gateway says of the address.
fn from(kind: Kind, place: &str, credential: &str, source: Value) -> Value {
    let mut event = kind.event(&format!("Bearer {credential}"));
    event.pointer_mut(place).unwrap()["sourceIp"] = source;
    event
}

fn denied() -> Verdict {
    Verdict::Denied(json!({"code": "address_not_allowed"}))
}

#[tokio::test]
async fn a_key_is_good_from_its_addresses_alone_and_costs_one_read_all_the_same() {
    let stack = Stack::start().await;
    let (_, made) = at_home(&stack).await;
    let policy = app_like(&stack, |config| config.http_api_answer = HttpApiAnswer::Policy);
    let inside = [
        "203.0.113.0",
        "203.0.113.255",
        "198.51.100.7",
        "2001:db8::1",
        "2001:DB8:FFFF:ffff:ffff:ffff:ffff:ffff",
        "::ffff:203.0.113.9",
        "::ffff:cb00:7109",
    ];
    let outside = [
        "203.0.112.255",
        "203.0.114.0",
        "198.51.100.6",
        "127.0.0.1",
        "2001:db7:ffff::1",
        "2001:db9::",
        "::ffff:198.51.100.8",
        // The same bits, but no IPv4 address.
        "::203.0.113.9",
        "64:ff9b::203.0.113.9",
    ];
    for (kind, place) in TOLD {
        for (source, good) in inside.iter().map(|it| (it, true)).chain(outside.iter().map(|it| (it, false))) {
            let event = from(kind, place, &made.key, json!(source));
            stack.devstack.requests.take();
            let verdict = ask(&stack.app(), event.clone()).await;
            let asked = stack.devstack.requests.take();
            let right = if good {
                matches!(&verdict, Verdict::Allowed(it) if it["api_key_id"] == made.id)
            } else {
                verdict == denied()
            };
            assert!(right, "{kind:?} from {source}: {verdict:?}");
            assert!(matches!(asked.as_slice(), [one] if is_the_one_read(one)), "{kind:?}: {asked:?}");
            assert_eq!(ask(&policy, event).await, verdict, "{kind:?} from {source}, as a policy");
        }
    }
}

fn is_the_one_read(request: &Recorded) -> bool {
    request.operation == "GetItem" && request.is_consistent()
}

/// A `TOKEN` event has no address, and what stands in one all the same is not the gateway's.
#[tokio::test]
async fn before_a_token_authorizer_such_a_key_is_refused_whatever_the_event_says() {
    let stack = Stack::start().await;
    let (owner, made) = at_home(&stack).await;
    let plain = Kind::RestToken.event(&format!("Bearer {}", made.key));
    assert_eq!(ask(&stack.app(), plain.clone()).await, denied());
    for (name, value) in [
        ("requestContext", json!({"identity": {"sourceIp": "203.0.113.7"}})),
        ("requestContext", json!({"http": {"sourceIp": "203.0.113.7"}})),
        ("headers", json!({"X-Forwarded-For": "203.0.113.7"})),
        ("sourceIp", json!("203.0.113.7")),
    ] {
        let mut event = plain.clone();
        event[name] = value;
        assert_eq!(ask(&stack.app(), event.clone()).await, denied(), "{event}");
    }

    // The same at our own gateway, whatever a header claims; and from the very next call on not, once the list is gone.
    let mut cases = Cases::of(&stack);
    let refusal = Refusal::new(403, "address_not_allowed");
    let me = || Request::get(ME).bearer(&made.key);
    cases.refused("at our own routes", me(), &refusal).await;
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"] {
        cases.refused(header, me().header(header, "203.0.113.7"), &refusal).await;
    }
    let path = format!("/api/v1/auth/api-keys/{}", made.id);
    let change = Request::new("PATCH", &path).bearer(&owner.access).json(&json!({"allowed_addresses": []}));
    cases.accepted("without the list", change, 200).await;
    cases.accepted("it is good from anywhere", me(), 200).await;
    cases.finish();
}

#[tokio::test]
async fn where_nobody_knows_the_address_only_a_key_without_a_list_comes_in() {
    let stack = Stack::start().await;
    let (owner, made) = at_home(&stack).await;
    let junk = [
        json!(null),
        json!(""),
        json!(" "),
        json!(0),
        json!(3_405_803_783_u32),
        json!(true),
        json!(["203.0.113.7"]),
        json!({"ip": "203.0.113.7"}),
        json!("203.0.113.7, 203.0.113.7"),
        json!("203.0.113.7:443"),
        json!("203.0.113.7/24"),
        json!("203.0.113"),
        json!("203.0.113.007"),
        json!(" 203.0.113.7"),
        json!("203.0.113.7\n"),
        json!("[2001:db8::1]"),
        json!("2001:db8::1%eth0"),
        json!("test-invoke-source-ip"),
        json!("\u{ff12}03.0.113.7"),
    ];
    let mut events = Vec::new();
    for (kind, place) in TOLD {
        let of = |source: &Value| from(kind, place, "«key»", source.clone());
        events.extend(junk.iter().map(of));
        let whole = of(&json!("203.0.113.7"));
        for (pointer, name) in
            [(place, "sourceIp"), ("/requestContext", &place[16..]), ("", "requestContext")]
        {
            for value in [None, Some(json!(null)), Some(json!([])), Some(json!("203.0.113.7, 10.0.0.1"))] {
                let mut event = whole.clone();
                let members = event.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
                members.remove(name);
                members.extend(value.map(|value| (name.to_owned(), value)));
                events.push(event);
            }
        }
    }
    let with =
        |event: &Value, key: &str| serde_json::from_str(&event.to_string().replace("«key»", key)).unwrap();
    for event in &events {
        assert_eq!(ask(&stack.app(), with(event, &made.key)).await, denied(), "{event}");
    }
    stack.revoke(&owner, &made.id).await;
    stack.pass(Duration::seconds(60));
    let free = stack.make_key(&owner, &json!({"key_name": "from anywhere", "allowed_addresses": []})).await;
    for event in &events {
        let verdict = ask(&stack.app(), with(event, &free.key)).await;
        assert!(matches!(verdict, Verdict::Allowed(_)), "{event}: {verdict:?}");
    }
}

/// Headers, and whatever else a caller writes, say nothing of the address: neither for nor against them.
#[tokio::test]
async fn what_a_caller_claims_about_their_address_counts_for_nothing() {
    const CLAIMS: [(&str, &str); 7] = [
        ("X-Forwarded-For", "«»"),
        ("x-forwarded-for", "«», 10.0.0.1"),
        ("Forwarded", "for=«»"),
        ("X-Real-IP", "«»"),
        ("True-Client-IP", "«»"),
        ("CF-Connecting-IP", "«»"),
        ("sourceIp", "«»"),
    ];
    let stack = Stack::start().await;
    let (_, made) = at_home(&stack).await;
    for (kind, place) in TOLD {
        for (name, claim) in CLAIMS {
            for (source, claimed) in [("192.0.2.1", "203.0.113.7"), ("203.0.113.7", "192.0.2.1")] {
                let mut event = from(kind, place, &made.key, json!(source));
                let claim = claim.replace("«»", claimed);
                event["headers"][name] = json!(claim);
                if event.get("multiValueHeaders").is_some() {
                    event["multiValueHeaders"][name] = json!([claim]);
                }
                event["sourceIp"] = json!(claimed);
                event["requestContext"]["sourceIp"] = json!(claimed);
                event["queryStringParameters"] = json!({"sourceIp": claimed});
                event["stageVariables"] = json!({"sourceIp": claimed});
                let verdict = ask(&stack.app(), event).await;
                match source {
                    "192.0.2.1" => assert_eq!(verdict, denied(), "{kind:?}: {name} says {claimed}"),
                    _ => assert!(
                        matches!(verdict, Verdict::Allowed(_)),
                        "{kind:?}: {name} says {claimed}: {verdict:?}"
                    ),
                }
            }
        }
    }
}

/// Who is nobody is told nothing of addresses, a suspended organization comes first, and people have no list.
#[tokio::test]
async fn the_address_is_the_last_thing_that_is_looked_at() {
    let stack = Stack::start().await;
    let (owner, made) = at_home(&stack).await;
    let elsewhere = |key: &str| TOLD.map(|(kind, place)| (kind, from(kind, place, key, json!("192.0.2.1"))));
    for (kind, event) in elsewhere(&owner.access) {
        assert!(matches!(ask(&stack.app(), event).await, Verdict::Allowed(_)), "{kind:?}: a person");
    }
    for (kind, event) in elsewhere(&made.key) {
        assert_eq!(ask(&stack.app(), event).await, denied(), "{kind:?}");
    }
    let suspend = async |suspended: bool| {
        let (app, now) = (stack.app(), stack.devstack.clock.now_seconds());
        let event = || devstack::event(&app, ACORN.id);
        let org = OrgId::parse(ACORN.id).unwrap();
        assert!(app.store.set_suspended(&org, suspended, &event, now).await.unwrap());
    };
    suspend(true).await;
    for (kind, event) in elsewhere(&made.key) {
        let suspended = Verdict::Denied(json!({"code": "organization_suspended"}));
        assert_eq!(ask(&stack.app(), event).await, suspended, "{kind:?}");
    }
    suspend(false).await;
    stack.revoke(&owner, &made.id).await;
    for (kind, event) in elsewhere(&made.key) {
        let verdict = ask(&stack.app(), event).await;
        let nobody = match kind.is_rest() {
            true => verdict == Verdict::Unauthorized,
            false => verdict == Verdict::Denied(json!({"code": "unauthorized"})),
        };
        assert!(nobody, "{kind:?}: {verdict:?}");
    }
}
