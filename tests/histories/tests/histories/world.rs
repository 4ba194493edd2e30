//! The real system: acts are carried out by the functions' own code, over a real connection to the engine.

use std::sync::Arc;

use devstack::engines::mailbox::Mailbox;
use devstack::phone::Phone;
use devstack::seed::{DemoOrganization, ORGANIZATIONS, PASSWORD, Person};
use shared::addresses::EmailAddress;
use shared::allowed_addresses::AllowedAddresses;
use shared::api_keys::Env;
use shared::app::App;
use shared::authz::{self, Rejection};
use shared::challenges::Code;
use shared::flows::{self, CodeType, InvitationRequest, KeyRequest, Origin, Proof, Refusal, operator};
use shared::ids::{KeyId, OrgId};
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use shared::principals::{Principal, UserPrincipal};
use shared::sensitive::Sensitive;

use crate::acts::Act;
use crate::factors::Own;
use crate::names::Names;
use crate::step::Typed;

/// A password that is nobody's.
pub const WRONG_PASSWORD: &str = "not-their-password";
/// What passwords begin with that people choose.
pub const CHOSEN_PASSWORD: &str = "six parrots over Leeds";
/// What the `Idempotency-Key`s of refreshes begin with.
pub const HEADER: &str = "history-header-";
/// What the idempotency keys of creations begin with.
pub const IDEMPOTENCY: &str = "history-idempotency-";

/// What was answered, as it came.
#[derive(Debug, Clone)]
pub enum Given {
    /// A refusal's code.
    Refused(&'static str),
    /// Nothing that anybody keeps.
    Done,
    /// A challenge, and the code that was mailed.
    Challenge { id: String, code: String },
    /// Both tokens and their session's id.
    Tokens { session: String, refresh: String, access: String },
    /// A key's id and the key.
    Key { id: String, key: String },
    /// The token that was mailed.
    Invitation { token: String },
    /// An app's secret, in base 32.
    App { secret: String },
    /// Backup codes.
    Codes { codes: Vec<String> },
}

impl Given {
    /// A refusal's code, or that it is none.
    pub fn kind(&self) -> &'static str {
        if let Self::Refused(code) = self { code } else { "done" }
    }
}

/// The service could not answer: what was written, nobody knows. It happens on a starved machine.
#[derive(Debug)]
pub struct Away;

/// A person of the demo organizations.
pub fn person(who: usize) -> &'static Person {
    let org = organization(who / 3);
    [&org.owner, &org.admin, &org.viewer][who % 3]
}

/// A demo organization.
pub fn organization(org: usize) -> &'static DemoOrganization {
    &ORGANIZATIONS[org]
}

fn org_id(org: usize) -> OrgId {
    OrgId::parse(organization(org).id).unwrap()
}

fn address(who: usize) -> EmailAddress {
    EmailAddress::parse(person(who).email).unwrap()
}

/// Whether an authorizer accepts a credential; else the code of its refusal.
pub async fn judge(app: &App, credential: &str) -> Result<Result<Principal, &'static str>, Away> {
    match authz::authenticate(app, credential).await {
        Ok(principal) => Ok(Ok(principal)),
        Err(Rejection::NotAuthentic(_)) => Ok(Err("unauthorized")),
        Err(Rejection::Suspended(_)) => Ok(Err("organization_suspended")),
        Err(Rejection::AddressNotAllowed(_)) => Ok(Err("address_not_allowed")),
        Err(Rejection::Unavailable(_)) => Err(Away),
    }
}

/// Where acts are carried out.
#[derive(Clone)]
pub struct World {
    /// The functions' app.
    pub app: Arc<App>,
    /// The mail.
    pub mailbox: Mailbox,
    /// What was given so far.
    pub names: Arc<Names>,
}

impl World {
    /// Carries an act out.
    pub async fn act(self, act: Act) -> Result<Given, Away> {
        match self.attempt(&act).await {
            Ok(given) => Ok(given),
            Err(Refusal::Failed(_)) => Err(Away),
            Err(refusal) => Ok(Given::Refused(refusal.code())),
        }
    }

    async fn attempt(&self, act: &Act) -> Result<Given, Refusal> {
        let (app, from) = (self.app.as_ref(), origin());
        match *act {
            Act::Login { who, password } => self.login(who, password).await,
            Act::Accept { invitation } => {
                let token = &self.names.invitations[invitation];
                flows::accept_invitation(app, &from, token, None).await.map(|_| Given::Done)
            }
            Act::Verify { challenge, typed, own } => {
                let (id, codes) = &self.names.challenges[challenge];
                let mailed = || (Code::typed(&code(codes, typed)), CodeType::Primary);
                let (code, kind) = own.map_or_else(mailed, |own| self.own(own));
                tokens(flows::verify(app, &from, id, &code, kind, None).await?)
            }
            Act::Resend { challenge } => {
                let id = self.names.challenges[challenge].0.clone();
                flows::resend(app, &from, &id).await?;
                let to = self.mailbox.newest_first(None).into_iter().find(|mail| mail.code.is_some());
                Ok(Given::Challenge { id, code: to.and_then(|mail| mail.code).unwrap_or_default() })
            }
            Act::Refresh { token, header } => {
                let header = header.map(|nth| format!("{HEADER}{nth}"));
                let token = &self.names.refresh[token];
                tokens(flows::refresh(app, &from, token, header.as_deref()).await?)
            }
            Act::ShowByKey { key } => {
                let principal = self.known(&self.names.keys[key].1).await?;
                flows::organization(app, &from, &principal, None).await.map(|_| Given::Done)
            }
            Act::Logout { access }
            | Act::CreateKey { access, .. }
            | Act::RevokeKey { access, .. }
            | Act::Switch { access, .. }
            | Act::Show { access }
            | Act::ChangeRole { access, .. }
            | Act::Remove { access, .. }
            | Act::HandOver { access, .. }
            | Act::Invite { access, .. }
            | Act::ChangePassword { access, .. }
            | Act::BeginTotp { access, .. }
            | Act::ConfirmTotp { access, .. }
            | Act::RemoveTotp { access, .. }
            | Act::ListKeys { access } => {
                let Principal::User(user) = self.known(&self.names.access[access]).await? else {
                    panic!("an access token is a key's")
                };
                self.as_person(act, &from, user).await
            }
            _ => self.as_operator(act, &from).await.map(|()| Given::Done),
        }
    }

    async fn login(&self, who: usize, password: Option<usize>) -> Result<Given, Refusal> {
        let started = flows::login(&self.app, &origin(), &address(who), &typed_password(password)).await?;
        let code = self.mailbox.code(person(who).email).unwrap_or_default();
        Ok(Given::Challenge { id: started.challenge_id.to_string(), code })
    }

    /// What somebody types that is their own, and what they say it is.
    fn own(&self, own: Own) -> (Code, CodeType) {
        let now = self.app.clock.now_seconds();
        match own {
            Own::App(app) => {
                let shown = Phone::typed(&self.names.apps[app]).map(|phone| phone.code(now));
                (Code::typed(&shown.unwrap_or_default()), CodeType::Primary)
            }
            Own::Backup(set, nth) => (Code::typed(&self.names.codes[set][nth]), CodeType::Backup),
            Own::Wrong => (Code::typed("no code"), CodeType::Primary),
        }
    }

    /// Who an authorizer says it is.
    async fn known(&self, credential: &str) -> Result<Principal, Refusal> {
        match authz::authenticate(&self.app, credential).await {
            Ok(principal) => Ok(principal),
            Err(Rejection::NotAuthentic(_) | Rejection::AddressNotAllowed(_)) => Err(Refusal::SessionOver),
            Err(Rejection::Suspended(_)) => Err(Refusal::OrganizationSuspended),
            Err(Rejection::Unavailable(failure)) => Err(failure.into()),
        }
    }

    async fn as_person(&self, act: &Act, from: &Origin, user: UserPrincipal) -> Result<Given, Refusal> {
        let app = self.app.as_ref();
        match *act {
            Act::Logout { .. } => flows::logout(app, from, &user).await?,
            Act::RevokeKey { key, .. } => {
                flows::revoke_key(app, from, &user, &self.names.keys[key].0).await?;
            }
            Act::Switch { live, .. } => {
                let to = if live { Env::Live } else { Env::Test };
                flows::switch_environment(app, from, &user, user.org_id.as_str(), to).await?;
            }
            Act::ChangeRole { who, role, .. } => {
                let org = user.org_id.as_str();
                flows::change_role(app, from, &user, org, person(who).user_id, role).await?;
            }
            Act::Remove { who, .. } => {
                flows::remove_member(app, from, &user, user.org_id.as_str(), person(who).user_id).await?;
            }
            Act::BeginTotp { password, .. } => {
                let begun = flows::begin_totp(app, from, &user, &typed_password(password)).await?;
                return Ok(Given::App { secret: begun.secret.expose().clone() });
            }
            Act::ConfirmTotp { app: waits, .. } => {
                let (code, _) = self.own(waits.map_or(Own::Wrong, Own::App));
                let codes = flows::confirm_totp(app, from, &user, &code).await?;
                let codes = codes.iter().map(|code| code.shown().expose().clone()).collect();
                return Ok(Given::Codes { codes });
            }
            Act::RemoveTotp { password, own, .. } => {
                let (code, kind) = self.own(own);
                let proof = Proof { password: typed_password(password), code, kind };
                flows::remove_totp(app, from, &user, &proof).await?;
            }
            Act::HandOver { who, password, .. } => {
                let (org, to) = (user.org_id.as_str(), person(who).user_id);
                flows::hand_over(app, from, &user, org, to, &typed_password(password)).await?;
            }
            Act::ChangePassword { password, new, .. } => {
                let (current, new) = (typed_password(password), typed_password(Some(new)));
                flows::change_password(app, from, &user, &current, &new).await?;
            }
            Act::Invite { who, role, .. } => {
                let (email, address) = (person(who).email.to_owned(), address(who));
                let request = InvitationRequest { email, address, role };
                flows::invite(app, from, &user, user.org_id.as_str(), &request).await?;
                let mails = self.mailbox.newest_first(Some(person(who).email));
                let word =
                    |text: &str| text.split_whitespace().find(|it| it.starts_with("it_")).map(str::to_owned);
                let token = mails.iter().find_map(|mail| word(&mail.text)).unwrap_or_default();
                return Ok(Given::Invitation { token });
            }
            Act::ListKeys { .. } => {
                flows::list_keys(app, from, &user, 100, None).await?;
            }
            Act::CreateKey { name, expires, idempotency, .. } => {
                let key = idempotency.map(|nth| Sensitive::new(format!("{IDEMPOTENCY}{nth}")));
                let asked = KeyRequest {
                    key_name: if name { "one" } else { "other" }.to_owned(),
                    expires_in_days: expires.then_some(1),
                    env: None,
                    allowed_addresses: AllowedAddresses::default(),
                    idempotency_key: key,
                };
                let made = flows::create_key(app, from, &user, &asked).await?;
                let (id, key) = (made.api_key_id.to_string(), made.key.expose().to_owned());
                return Ok(Given::Key { id, key });
            }
            _ => {
                flows::organization(app, from, &Principal::User(user), None).await?;
            }
        }
        Ok(Given::Done)
    }

    async fn as_operator(&self, act: &Act, from: &Origin) -> Result<(), Refusal> {
        let app = self.app.as_ref();
        match *act {
            Act::Suspend { org, suspended } => {
                operator::set_suspended(app, from, &org_id(org), suspended).await?;
            }
            Act::Onboard { org, completed, payments } => {
                let onboarding =
                    if completed { OnboardingStatus::Completed } else { OnboardingStatus::InProgress };
                let payments = if payments { PaymentsStatus::Enabled } else { PaymentsStatus::Disabled };
                operator::set_onboarding(app, from, &org_id(org), onboarding, payments).await?;
            }
            Act::EndSessions { who } => {
                operator::end_sessions(app, from, &address(who)).await?;
            }
            Act::Unlock { who } => {
                operator::unlock_account(app, from, &address(who)).await?;
            }
            Act::OperatorRevoke { key } => {
                let id = &self.names.keys[key].0;
                let org = self.names.organization_of_key(key);
                operator::revoke_key(app, from, &org_id(org), &KeyId::parse(id).unwrap()).await?;
            }
            _ => unreachable!("no operator does this"),
        }
        Ok(())
    }
}

/// A password by its number: the first is everybody's of the demo. None is a wrong one.
fn typed_password(number: Option<usize>) -> Sensitive<String> {
    Sensitive::new(match number {
        None => WRONG_PASSWORD.to_owned(),
        Some(0) => PASSWORD.to_owned(),
        Some(number) => format!("{CHOSEN_PASSWORD} {number}"),
    })
}

fn origin() -> Origin {
    Origin {
        request_id: "history".to_owned(),
        network: crate::table::NETWORK.to_owned(),
        ..Origin::default()
    }
}

/// The code that is typed, out of those that were mailed for a challenge.
fn code(codes: &[String], typed: Typed) -> String {
    let wrong = || (0..10).map(|digit| format!("00000{digit}")).find(|code| !codes.contains(code));
    let replaced = codes.len().checked_sub(2).map(|nth| codes[nth].clone());
    match typed {
        Typed::Right => codes.last().cloned().unwrap_or_default(),
        Typed::Replaced => replaced.or_else(wrong).unwrap_or_default(),
        Typed::Wrong => wrong().unwrap_or_default(),
    }
}

fn tokens(tokens: flows::Tokens) -> Result<Given, Refusal> {
    Ok(Given::Tokens {
        session: session_id(tokens.access_token.expose()),
        refresh: tokens.refresh_token.expose().to_owned(),
        access: tokens.access_token.expose().clone(),
    })
}

/// The session that an access token names: its claims are not secret.
fn session_id(access_token: &str) -> String {
    use base64::Engine as _;
    let claims = access_token.split('.').nth(1).unwrap();
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}
