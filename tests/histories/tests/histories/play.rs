//! One history, played: each step is carried out, and what came of it is explained by the model or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use devstack::{Devstack, Options};
use serde_json::Value;
use shared::clock::Clock as _;
use time::Duration;
use tokio::sync::Barrier;

use crate::acts::Act;
use crate::model::Model;
use crate::names::Names;
use crate::rules::Running;
use crate::step::{Deed, Pick, Step, Typed};
use crate::world::{Away, Given, World};
use crate::{invariants, story, table};

/// How often each kind of act was answered in each way.
pub type Answers = BTreeMap<(&'static str, &'static str), usize>;

/// How a history ended.
pub enum Ended {
    /// As it should; how often each kind of act was answered in each way.
    Well(Answers),
    /// Not as it should: the whole story.
    Badly(String),
    /// The service could not answer.
    Away,
}

/// Plays a history in a devstack of its own.
pub async fn play(steps: &[Step]) -> Ended {
    let mut scene = Scene::new().await;
    for step in steps {
        match scene.step(step).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => {
                scene.lines.push(format!("     And that is wrong: {why}"));
                return Ended::Badly(scene.lines.join("\n"));
            }
            Err(Away) => return Ended::Away,
        }
    }
    Ended::Well(scene.answers)
}

struct Scene {
    devstack: Devstack,
    model: Model,
    names: Names,
    /// The table after the last step.
    items: Vec<Value>,
    lines: Vec<String>,
    /// How many of the lines have a number.
    told: usize,
    answers: Answers,
}

type Judged = Result<Result<(), String>, Away>;

impl Scene {
    async fn new() -> Self {
        let devstack = Devstack::start(Options::default()).await.unwrap();
        let model = Model::new(devstack.clock.now_seconds());
        let items = devstack.dynamodb.dump().await.unwrap();
        Self {
            devstack,
            model,
            names: Names::default(),
            items,
            lines: Vec::new(),
            told: 0,
            answers: Answers::new(),
        }
    }

    async fn step(&mut self, step: &Step) -> Judged {
        match step {
            Step::One(deed) => self.together(std::slice::from_ref(deed)).await,
            Step::Together(deeds) => self.together(deeds).await,
            Step::Enter { who } => {
                let before = self.model.challenges.len();
                let entered = self.together(&[Deed::Login { who: *who, right: true }]).await?;
                // Somebody who is locked out gets no further.
                if entered.is_err() || self.model.challenges.len() == before {
                    return Ok(entered);
                }
                self.together(&[Deed::Verify { challenge: Pick(0), typed: Typed::Right }]).await
            }
            Step::Siege { who, codes } => {
                for nth in 0..12 {
                    let deed = match (codes, nth % 6) {
                        (false, _) => Deed::Login { who: *who, right: false },
                        (true, 0) => Deed::Login { who: *who, right: true },
                        (true, _) => Deed::Verify { challenge: Pick(0), typed: Typed::Wrong },
                    };
                    let guessed = self.together(&[deed]).await?;
                    if guessed.is_err() {
                        return Ok(guessed);
                    }
                }
                Ok(Ok(()))
            }
            Step::Return { access, who, role } => {
                let (access, who, role) = (*access, *who, *role);
                for deed in [Deed::Remove { access, who }, Deed::Invite { access, who, role }] {
                    let went = self.together(&[deed]).await?;
                    if went.is_err() {
                        return Ok(went);
                    }
                }
                self.together(&[Deed::Accept { invitation: Pick(0) }]).await
            }
            Step::TurnOn { access } => {
                let begun = self.together(&[Deed::BeginTotp { access: *access, right: true }]).await?;
                if begun.is_err() {
                    return Ok(begun);
                }
                self.together(&[Deed::ConfirmTotp { access: *access, right: true }]).await
            }
            Step::Wait(seconds) => {
                self.devstack.clock.advance(Duration::seconds(*seconds));
                self.model.now += seconds;
                self.tell(0, &story::wait(*seconds));
                self.look(&self.model.clone(), &self.names.clone()).await
            }
        }
    }

    /// One more line; those of the same step from the second on have no number of their own.
    fn tell(&mut self, nth: usize, what: &str) {
        self.told += usize::from(nth == 0);
        let number = if nth == 0 { format!("{:>3}.", self.told) } else { "     and at once:".to_owned() };
        self.lines.push(format!("{number} {what}"));
    }

    /// Does things at once, or one, and sees what came of it.
    async fn together(&mut self, deeds: &[Deed]) -> Judged {
        let mut acts: Vec<Act> = Vec::new();
        for act in deeds.iter().filter_map(|deed| self.model.act(deed)) {
            let mails = self.model.mails(&act);
            let is_first = acts.iter().all(|other| mails.is_none() || self.model.mails(other).is_none());
            if is_first {
                acts.push(act);
            }
        }
        if acts.is_empty() {
            return Ok(Ok(()));
        }
        let given = self.carry_out(&acts).await?;
        for (nth, (act, given)) in acts.iter().zip(&given).enumerate() {
            self.tell(nth, &story::told(&self.model, &self.names, act, given));
            *self.answers.entry((act.kind(), given.kind())).or_default() += 1;
        }
        let before = std::mem::replace(&mut self.items, self.devstack.dynamodb.dump().await.unwrap());
        let ends = explain(&self.model, &self.names, &acts, &given);
        if ends.is_empty() {
            return Ok(Err(self.unexplained(&acts)));
        }
        let found = table::found(&self.items);
        let differs = |(model, names): &(Model, Names)| table::expected(model, names) != found;
        let Some((model, names)) = ends.iter().find(|end| !differs(end)).cloned() else {
            let (model, names) = &ends[0];
            let difference = table::difference(&table::expected(model, names), &found);
            return Ok(Err(format!("the answers are right, and the table is not:{difference}")));
        };
        if let Err(why) = invariants::of_table(&before, &self.items, &names, model.now) {
            return Ok(Err(why));
        }
        let looked = self.look(&model, &names).await;
        (self.model, self.names) = (model, names);
        looked
    }

    /// What holds after every step.
    async fn look(&self, model: &Model, names: &Names) -> Judged {
        let world = self.world();
        let of_sessions = invariants::of_sessions(&world, names, &self.items, model.now).await?;
        if of_sessions.is_err() {
            return Ok(of_sessions);
        }
        invariants::of_credentials(&world, model, names, &self.items).await
    }

    fn world(&self) -> World {
        let (app, mailbox) = (Arc::clone(&self.devstack.app), self.devstack.mailbox.clone());
        World { app, mailbox, names: Arc::new(self.names.clone()) }
    }

    async fn carry_out(&self, acts: &[Act]) -> Result<Vec<Given>, Away> {
        let (world, barrier) = (self.world(), Arc::new(Barrier::new(acts.len())));
        let doing = acts.iter().cloned().map(|act| {
            let (world, barrier) = (world.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                world.act(act).await
            })
        });
        let done = futures::future::join_all(doing.collect::<Vec<_>>()).await;
        done.into_iter().map(Result::unwrap).collect()
    }

    fn unexplained(&self, acts: &[Act]) -> String {
        if acts.len() > 1 {
            return "in no order of these would all of this be answered".to_owned();
        }
        let (mut model, mut running) = (self.model.clone(), Running::new(acts[0].clone()));
        let expected = loop {
            if let Some(answer) = running.advance(&mut model) {
                break answer;
            }
        };
        format!("it should have been answered: {}", story::expected(&expected))
    }
}

/// Every state that the model may be in after these acts, whose moments may have come in any order, with these answers.
fn explain(model: &Model, names: &Names, acts: &[Act], given: &[Given]) -> Vec<(Model, Names)> {
    let mut ends = Vec::new();
    let running: Vec<_> = acts.iter().cloned().map(|act| Some(Running::new(act))).collect();
    search(model, names, &running, given, &mut ends);
    ends
}

fn search(
    model: &Model,
    names: &Names,
    running: &[Option<Running>],
    given: &[Given],
    ends: &mut Vec<(Model, Names)>,
) {
    if running.iter().all(Option::is_none) {
        ends.push((model.clone(), names.clone()));
    }
    for nth in 0..running.len() {
        let Some(mut next) = running[nth].clone() else { continue };
        let (mut model, mut names, mut running) = (model.clone(), names.clone(), running.to_vec());
        running[nth] = match next.advance(&mut model) {
            None => Some(next),
            Some(answer) if names.fit(&answer, &given[nth]) => None,
            Some(_) => continue,
        };
        names.organizations = model.keys.iter().map(|key| key.org).collect();
        search(&model, &names, &running, given, ends);
    }
}
