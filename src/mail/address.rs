//! RFC 5321 `Mailbox`: `local-part@domain`, in ASCII, with the domain as A-labels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no address that Postern takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `local-part@domain` as RFC 5321, section 4.1.2 writes it.
    #[error("not an address of the form name@domain")]
    Syntax,
    /// Longer than RFC 5321, section 4.5.3.1 allows (64 octets before the @, 255 after, 254 in all).
    #[error("the address is too long")]
    TooLong,
    /// Octets above 127 before the @; those need SMTPUTF8 (RFC 6531), which is not offered.
    #[error("letters other than a-z before the @ are not supported")]
    NotAscii,
    /// `name@[192.0.2.1]`: mail goes to names, never to address literals.
    #[error("an IP address in brackets is not accepted in place of a domain")]
    Literal,
}

/// A domain name: at least two labels or `localhost`, ASCII, lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// Reads a domain name, turning U-labels into A-labels (IDNA, UTS 46).
    ///
    /// # Errors
    /// [`AddressError`] where a label is empty, over 63 octets, or has other than letters, digits and inner hyphens.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('[') {
            return Err(AddressError::Literal);
        }
        let ascii = idna::domain_to_ascii(text).map_err(|_| AddressError::Syntax)?;
        if ascii.len() > 255 {
            return Err(AddressError::TooLong);
        }
        let sound = ascii.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
        if !sound { Err(AddressError::Syntax) } else { Ok(Self(ascii)) }
    }

    /// The name, lower case, A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `other` or a name below it.
    pub fn is_within(&self, other: &Domain) -> bool {
        self.0.strip_suffix(&other.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl TryFrom<String> for Domain {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

/// An RFC 5321 Mailbox. Kept as written (the local part belongs to its domain's owner), compared
/// by [`Address::lookup_form`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: Domain,
}

impl Address {
    /// Reads `local-part@domain`, dot-string or quoted-string before the @; no angle brackets, no
    /// source route, no comment.
    ///
    /// # Errors
    /// [`AddressError`]: see its variants.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or(AddressError::Syntax)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        if !local.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        if local.len() > 64 || text.len() > 254 + usize::from(local.starts_with('"')) * 2 {
            return Err(AddressError::TooLong);
        }
        if !is_dot_string(local) && !is_quoted_string(local) {
            return Err(AddressError::Syntax);
        }
        Ok(Self { local: local.to_owned(), domain: Domain::parse(domain)? })
    }

    /// What stands before the @, as written, quotes included.
    pub fn local_part(&self) -> &str {
        &self.local
    }

    /// What stands behind the @.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form under which an address is found again: local part without needless quoting, in lower
    /// case; domain as A-labels. Keyed hashes are made of this, so it **never changes**: a change
    /// would lose every address stored before.
    pub fn lookup_form(&self) -> String {
        let plain = unquote(&self.local);
        let local = if is_dot_string(&plain) { plain } else { self.local.clone() };
        format!("{}@{}", local.to_ascii_lowercase(), self.domain)
    }

    /// Whether both name the same mailbox, as far as [`Address::lookup_form`] can tell.
    pub fn same_as(&self, other: &Address) -> bool {
        self.lookup_form() == other.lookup_form()
    }
}

fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

fn is_dot_string(local: &str) -> bool {
    !local.is_empty() && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_quoted_string(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut escaped = false;
    for b in inner.bytes() {
        match b {
            0..=31 | 127.. => return false,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return false,
            _ => {}
        }
    }
    local.len() >= 2 && !escaped
}

fn unquote(local: &str) -> String {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return local.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Shows no letter of the address: addresses of patients must not reach a log by way of `{:?}`.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_rfc_5321_allows_and_no_more() {
        for good in ["a@b.example", "a.b+c@b.example", "\"a b\"@b.example", "x@localhost", "j@bücher.example"] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a..b@c.example",
            ".a@c.example",
            "a b@c.example",
            "<a@c.example>",
            "@x:a@c.example",
            "a@c..example",
            "a@-c.example",
            "\"a@c.example",
            "a\r\nb@c.example",
            "a@[192.0.2.1]",
            "é@c.example",
            "\"a\\\"@c.example",
            "a@c.example ",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Address::parse(&format!("{}@b.example", "x".repeat(65))), Err(AddressError::TooLong));
    }

    #[test]
    fn lookup_form_is_fixed_for_ever() {
        for (written, form) in [
            ("Jane.Doe@Clinic.EXAMPLE", "jane.doe@clinic.example"),
            ("\"jane.doe\"@clinic.example", "jane.doe@clinic.example"),
            ("\"j\\ane\"@clinic.example", "jane@clinic.example"),
            ("\"Jane Doe\"@clinic.example", "\"jane doe\"@clinic.example"),
            ("j@BÜCHER.example", "j@xn--bcher-kva.example"),
        ] {
            assert_eq!(Address::parse(written).unwrap().lookup_form(), form);
        }
    }

    #[test]
    fn debug_hides_the_address() {
        assert_eq!(format!("{:?}", Address::parse("jane@x.example").unwrap()), "Address(…)");
    }

    #[test]
    fn within_counts_whole_labels() {
        let domain = |text: &str| Domain::parse(text).unwrap();
        assert!(domain("a.clinic.example").is_within(&domain("clinic.example")));
        assert!(!domain("myclinic.example").is_within(&domain("clinic.example")));
    }
}
