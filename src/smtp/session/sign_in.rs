//! AUTH PLAIN (RFC 4616) and AUTH LOGIN, with and without an initial response (RFC 4954).

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::gateway::SignInError;
use crate::mail::Origin;
use crate::secret::Secret;
use crate::smtp::reply::{Done, Limit, Misuse, Reply};

use super::{Pending, Question, Session, State};

/// Which response is awaited.
pub(super) enum SignIn {
    /// PLAIN's one message.
    Plain,
    /// LOGIN's name.
    Name,
    /// LOGIN's password.
    Password {
        /// The name that was given.
        name: String,
    },
}

impl SignIn {
    /// The challenge that asks for it, as sent.
    fn challenge(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Name => "VXNlcm5hbWU6",
            Self::Password { .. } => "UGFzc3dvcmQ6",
        }
    }
}

impl Session {
    pub(super) fn begin_sign_in(&mut self, arguments: &str) -> Result<(), Reply> {
        let (mechanism, initial) = match arguments.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (arguments, None),
        };
        let awaited = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => SignIn::Plain,
            "LOGIN" => SignIn::Name,
            "" => return Err(Misuse::Arguments("AUTH PLAIN or AUTH LOGIN expected").into()),
            _ => return Err(Misuse::Mechanism.into()),
        };
        match initial {
            // RFC 4954, section 4: "=" is a response of no octets.
            Some("=") => self.respond(awaited, ""),
            Some(response) => self.respond(awaited, response),
            None => self.challenge(awaited),
        }
        Ok(())
    }

    pub(super) fn continue_sign_in(&mut self, line: &str) {
        let State::SignIn(awaited) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        if line == "*" { self.blame(Misuse::AuthCancelled.into()) } else { self.respond(awaited, line) }
    }

    fn challenge(&mut self, awaited: SignIn) {
        self.say(Reply::bare(334, vec![awaited.challenge().into()]));
        self.state = State::SignIn(awaited);
    }

    fn respond(&mut self, awaited: SignIn, response: &str) {
        let Some(text) = decode(response) else {
            return self.blame(Misuse::AuthResponse.into());
        };
        match awaited {
            SignIn::Plain => match plain(&text) {
                Some((name, password)) => self.ask_sign_in(name, password),
                None => self.blame(Misuse::AuthResponse.into()),
            },
            SignIn::Name => self.challenge(SignIn::Password { name: text.to_string() }),
            SignIn::Password { name } => self.ask_sign_in(name, Secret::new(text.to_string())),
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

fn decode(response: &str) -> Option<Zeroizing<String>> {
    let octets = BASE64.decode(response.as_bytes()).ok()?;
    String::from_utf8(octets).ok().map(Zeroizing::new)
}

/// `[authzid] NUL authcid NUL password`. To act for somebody else is not offered: an authzid must be the name itself.
fn plain(text: &str) -> Option<(String, Secret<String>)> {
    let mut pieces = text.split('\0');
    let (authzid, name, password) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let sound = pieces.next().is_none() && (authzid.is_empty() || authzid == name) && !name.is_empty();
    sound.then(|| (name.to_owned(), Secret::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_takes_no_identity_but_ones_own() {
        for (text, sound) in [
            ("\0jane\0secret", true),
            ("jane\0jane\0secret", true),
            ("joe\0jane\0secret", false),
            ("\0\0secret", false),
            ("\0jane", false),
            ("\0jane\0se\0cret", false),
            ("", false),
        ] {
            assert_eq!(plain(text).is_some(), sound, "{text:?}");
        }
    }

    #[test]
    fn responses_are_canonical_base64_of_utf_8() {
        assert!(decode("amFuZQ==").is_some_and(|text| *text == "jane"));
        for bad in ["amFuZQ", "amFuZR==", "am FuZQ==", "amFuZQ==\r", "/w==", "=", "*"] {
            assert!(decode(bad).is_none(), "{bad}");
        }
    }
}
