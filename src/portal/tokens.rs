//! Form tokens: a form counts only if this browser was given it by us (CSRF).
//!
//! A page of a visit carries a token made of the visit's secret; a page without one carries a token made of an anonymous
//! cookie and a key that only this process knows. `Sec-Fetch-Site` and `Origin` are judged before, in `door.rs`.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use data_encoding::BASE64URL_NOPAD;

use crate::gateway::visits::Visit;
use crate::random;

/// What the token of a visit is a hash of.
const OF_VISIT: &[u8] = b"postern portal form, of a visit";

/// Makes and judges form tokens.
pub struct FormTokens(Key);

impl FormTokens {
    /// With a fresh key: forms that were open before a restart are asked for again.
    pub fn new() -> Self {
        Self(Key::new(HMAC_SHA256, &random::octets::<32>()))
    }

    /// The token for pages without a visit in a browser with this form cookie.
    pub fn anonymous(&self, cookie: &str) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&self.0, cookie.as_bytes()).as_ref())
    }

    /// The token for pages of a visit.
    pub fn of(&self, visit: &Visit) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&Key::new(HMAC_SHA256, &visit.form_secret), OF_VISIT).as_ref())
    }

    /// Whether a token is one that this browser was given, in the time of one comparison whatever it is.
    pub fn is_sound(&self, token: &str, cookie: Option<&str>, visit: Option<&Visit>) -> bool {
        let Ok(tag) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
        let anonymous = cookie.is_some_and(|cookie| hmac::verify(&self.0, cookie.as_bytes(), &tag).is_ok());
        let of_visit = visit.is_some_and(|visit| {
            hmac::verify(&Key::new(HMAC_SHA256, &visit.form_secret), OF_VISIT, &tag).is_ok()
        });
        anonymous || of_visit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_in_the_browser_it_was_given_to() {
        let tokens = FormTokens::new();
        let token = tokens.anonymous("cookie");
        assert!(tokens.is_sound(&token, Some("cookie"), None));
        for (token, cookie) in [(token.as_str(), Some("other")), (&token, None), ("", Some("cookie")), ("é", Some("cookie"))] {
            assert!(!tokens.is_sound(token, cookie, None), "{token} {cookie:?}");
        }
        assert!(!FormTokens::new().is_sound(&token, Some("cookie"), None), "another key");
    }
}
