//! Cookies: one for the visit, one that form tokens are bound to, and two that say how pages look.
//!
//! Each has the `__Host-` prefix (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2), so that no neighbouring host can set it.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::portal::settings::Origin;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The visit's token.
    Visit,
    /// What form tokens of pages without a visit are bound to.
    Form,
    /// The practice whose face pages wear where nothing else says so.
    Face,
    /// The language that was chosen.
    Language,
}

impl Cookie {
    fn name(self, origin: &Origin) -> &'static str {
        match (self, origin.secure()) {
            (Self::Visit, true) => "__Host-visit",
            (Self::Visit, false) => "visit",
            (Self::Form, true) => "__Host-form",
            (Self::Form, false) => "form",
            (Self::Face, true) => "__Host-face",
            (Self::Face, false) => "face",
            (Self::Language, true) => "__Host-language",
            (Self::Language, false) => "language",
        }
    }

    /// What the browser sent under this name. Two of them are none: one was set by somebody else.
    pub fn read<'a>(self, headers: &'a HeaderMap, origin: &Origin) -> Option<&'a str> {
        let fields = headers.get_all(header::COOKIE).into_iter().filter_map(|field| field.to_str().ok());
        let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name(origin)).map(|(_, value)| value);
        let value = values.next().filter(|value| !value.is_empty() && value.len() <= 128)?;
        values.next().is_none().then_some(value)
    }

    /// Sets it until the browser is closed; what pages look like, for half a year.
    pub fn set(self, value: &str, origin: &Origin) -> HeaderValue {
        let lasting = if matches!(self, Self::Face | Self::Language) { "; Max-Age=15552000" } else { "" };
        self.written(value, lasting, origin)
    }

    /// Removes it.
    pub fn remove(self, origin: &Origin) -> HeaderValue {
        self.written("", "; Max-Age=0", origin)
    }

    fn written(self, value: &str, lasting: &str, origin: &Origin) -> HeaderValue {
        let (name, secure) = (self.name(origin), if origin.secure() { "; Secure" } else { "" });
        let text = format!("{name}={value}; Path=/{lasting}{secure}; HttpOnly; SameSite=Lax");
        // Values are tokens, ids and tags of our own; anything else sets nothing.
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("form=; Max-Age=0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_have_the_prefix_and_every_attribute_but_on_a_loopback_without_tls() {
        let written = |url: &str| Cookie::Visit.set("abc", &Origin::of(url)).to_str().unwrap().to_owned();
        assert_eq!(written("https://mail.clinic.example"), "__Host-visit=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(written("http://localhost:8080"), "visit=abc; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_once() {
        let origin = Origin::of("https://mail.clinic.example");
        let read = |sent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, sent.parse().unwrap());
            Cookie::Visit.read(&headers, &origin).map(str::to_owned)
        };
        assert_eq!(read("a=b; __Host-visit=token; c=d").as_deref(), Some("token"));
        for none in ["visit=token", "x__Host-visit=token", "__Host-visit=", "__Host-visit=a; __Host-visit=b"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read(&format!("__Host-visit={}", "x".repeat(129))), None);
    }
}
