//! The two mechanisms by which staff sign in, as submission and mailboxes both offer them: PLAIN (RFC 4616) and LOGIN
//! (draft-murchison-sasl-login). What is said around them is each protocol's own.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::secret::{Secret, silent_debug};

/// Which response is awaited.
pub enum Awaited {
    /// PLAIN's one message.
    Plain,
    /// LOGIN's name.
    Name,
    /// LOGIN's password, for this name.
    Password(String),
}

/// What a response leads to.
pub enum Step {
    /// One more is needed.
    Next(Awaited),
    /// This was all.
    SignIn {
        /// The name that was given.
        name: String,
        /// The password that was given.
        password: Secret<String>,
    },
}

silent_debug!(Awaited, Step);

impl Awaited {
    /// What a mechanism of this name, in capitals, awaits first; `None` for one that is not offered.
    pub fn first(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::Name),
            _ => None,
        }
    }

    /// The challenge that asks for it, in base64.
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Name => "VXNlcm5hbWU6",
            Self::Password(_) => "UGFzc3dvcmQ6",
        }
    }

    /// Takes a response, in base64; `None` where it is none.
    pub fn take(self, response: &str) -> Option<Step> {
        let text = decode(response)?;
        Some(match self {
            Self::Plain => {
                let (name, password) = plain(&text)?;
                Step::SignIn { name, password }
            }
            Self::Name => Step::Next(Self::Password(text.to_string())),
            Self::Password(name) => Step::SignIn { name, password: Secret::new(text.to_string()) },
        })
    }

    /// Takes a response that came with the command: there `=` is one of no octets (RFC 4954, section 4; RFC 4959, section 3).
    pub fn take_initial(self, response: &str) -> Option<Step> {
        self.take(if response == "=" { "" } else { response })
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
