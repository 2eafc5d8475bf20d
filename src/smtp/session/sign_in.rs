//! AUTH PLAIN (RFC 4616) and AUTH LOGIN, with and without an initial response (RFC 4954).

use crate::gateway::SignInError;
use crate::mail::Origin;
use crate::sasl::{Awaited, Step};
use crate::secret::Secret;
use crate::smtp::reply::{Done, Limit, Misuse, Reply};

use super::{Pending, Question, Session, State};

impl Session {
    pub(super) fn begin_sign_in(&mut self, arguments: &str) -> Result<(), Reply> {
        let (mechanism, initial) = match arguments.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (arguments, None),
        };
        if mechanism.is_empty() {
            return Err(Misuse::Arguments("AUTH PLAIN or AUTH LOGIN expected").into());
        }
        let awaited = Awaited::first(&mechanism.to_ascii_uppercase()).ok_or(Misuse::Mechanism)?;
        match initial {
            Some(response) => self.step(awaited.take_initial(response)),
            None => self.challenge(awaited),
        }
        Ok(())
    }

    pub(super) fn continue_sign_in(&mut self, line: &str) {
        let State::SignIn(awaited) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        if line == "*" { self.blame(Misuse::AuthCancelled.into()) } else { self.step(awaited.take(line)) }
    }

    fn challenge(&mut self, awaited: Awaited) {
        self.say(Reply::bare(334, vec![awaited.challenge().into()]));
        self.state = State::SignIn(awaited);
    }

    fn step(&mut self, step: Option<Step>) {
        match step {
            Some(Step::SignIn { name, password }) => self.ask_sign_in(name, password),
            Some(Step::Next(awaited)) => self.challenge(awaited),
            None => self.blame(Misuse::AuthResponse.into()),
        }
    }

    fn ask_sign_in(&mut self, name: String, password: Secret<String>) {
        self.ask(Question::SignIn { name, password }, Pending::SignIn);
    }

    pub(super) fn answer_sign_in(&mut self, result: Result<Origin, SignInError>) {
        match result {
            Ok(origin) => {
                self.signed_in = Some(origin);
                self.say(Done::SignedIn);
            }
            Err(SignInError::Rejected) => {
                self.failed_sign_ins += 1;
                if self.failed_sign_ins >= self.settings.limits.sign_ins {
                    self.leave(Limit::SignIns);
                } else {
                    self.say(SignInError::Rejected);
                }
            }
            // No guess, yet no reason to ask without end.
            Err(error @ (SignInError::Busy | SignInError::Unavailable)) => self.blame(error.into()),
        }
    }
}
