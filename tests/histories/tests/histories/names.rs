//! What was really given for each thing that the model numbers.

use crate::acts::Answer;
use crate::world::Given;

/// Everything that was given to somebody, in the model's order.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// A challenge's id, and the codes that were mailed for it.
    pub challenges: Vec<(String, Vec<String>)>,
    /// Sessions' ids.
    pub sessions: Vec<String>,
    /// Refresh tokens.
    pub refresh: Vec<String>,
    /// Access tokens.
    pub access: Vec<String>,
    /// A key's id and the key.
    pub keys: Vec<(String, String)>,
    /// Invitations' tokens.
    pub invitations: Vec<String>,
    /// Apps' secrets.
    pub apps: Vec<String>,
    /// Sets of backup codes.
    pub codes: Vec<Vec<String>>,
    /// Whose each key is.
    pub organizations: Vec<usize>,
}

impl Names {
    /// Whose a key is.
    pub fn organization_of_key(&self, key: usize) -> usize {
        self.organizations[key]
    }

    /// Whether what was given can be what the model answers: what the model has given before must be the same again, and what is
    /// new to the model must be new.
    pub fn fit(&mut self, answer: &Answer, given: &Given) -> bool {
        match (answer, given) {
            (Answer::Refused(expected), Given::Refused(code)) => expected == code,
            (Answer::Done, Given::Done) => true,
            (Answer::Challenge(nth), Given::Challenge { id, code }) => self.fit_challenge(*nth, id, code),
            (Answer::Invitation(nth), Given::Invitation { token }) => fit(&mut self.invitations, *nth, token),
            (Answer::App(nth), Given::App { secret }) => fit(&mut self.apps, *nth, secret),
            (Answer::Codes(nth), Given::Codes { codes }) => fit(&mut self.codes, *nth, codes),
            (Answer::Key(nth), Given::Key { id, key }) => {
                fit(&mut self.keys, *nth, &(id.clone(), key.clone()))
            }
            (
                Answer::Tokens { session, refresh, access },
                Given::Tokens { session: id, refresh: token, access: jwt },
            ) => {
                fit(&mut self.sessions, *session, id)
                    && fit(&mut self.refresh, *refresh, token)
                    && fit(&mut self.access, *access, jwt)
            }
            _ => false,
        }
    }

    fn fit_challenge(&mut self, nth: usize, id: &str, code: &str) -> bool {
        match self.challenges.get_mut(nth) {
            Some((known, codes)) => {
                codes.push(code.to_owned());
                known == id
            }
            None => {
                self.challenges.push((id.to_owned(), vec![code.to_owned()]));
                true
            }
        }
    }

    /// Everything that must stand nowhere in the table; codes apart, which are short.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().map(|(_, key)| key);
        let codes = self.codes.iter().flatten();
        let others = self.invitations.iter().chain(&self.apps).chain(codes);
        self.refresh.iter().chain(&self.access).chain(others).chain(keys).map(String::as_str)
    }
}

fn fit<T: Clone + PartialEq>(known: &mut Vec<T>, nth: usize, given: &T) -> bool {
    if let Some(known) = known.get(nth) {
        return known == given;
    }
    let new = !known.contains(given);
    known.push(given.clone());
    new
}
