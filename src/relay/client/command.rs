//! The commands of a transaction, with the parameters that the server offered to take.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::Credentials;
use super::capabilities::Capabilities;
use crate::mail::{Delivery, DsnNotify, DsnReturn};

/// The longest command line (RFC 5321, section 4.5.3.1.4), which AUTH's first response must not exceed
/// (RFC 4954, section 4).
const LONGEST_COMMAND: usize = 512;

/// `MAIL FROM`. `BODY=8BITMIME` is said whenever it is offered: whether a message really has octets above
/// 127 is not known without reading it, and the declaration is allowed for one that has none.
pub fn mail(delivery: &Delivery, size: u64, offered: Capabilities) -> String {
    let mut line = match delivery.reverse_path.address() {
        Some(address) => format!("MAIL FROM:<{address}>"),
        None => "MAIL FROM:<>".into(),
    };
    if offered.size {
        line.push_str(&format!(" SIZE={size}"));
    }
    if offered.eight_bit {
        line.push_str(" BODY=8BITMIME");
    }
    if offered.dsn {
        match delivery.ret {
            Some(DsnReturn::Full) => line.push_str(" RET=FULL"),
            Some(DsnReturn::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(envid) = delivery.envid.as_deref().filter(|text| is_xtext(text)) {
            line.push_str(&format!(" ENVID={envid}"));
        }
    }
    line
}

/// `RCPT TO`.
pub fn recipient(delivery: &Delivery, offered: Capabilities) -> String {
    let recipient = &delivery.recipient;
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if offered.dsn {
        if let Some(notify) = recipient.notify {
            line.push_str(&format!(" NOTIFY={}", notify_words(notify)));
        }
        if let Some(original) = recipient.original.as_deref().filter(|text| is_xtext(text)) {
            line.push_str(&format!(" ORCPT={original}"));
        }
    }
    line
}

fn notify_words(notify: DsnNotify) -> String {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let said: Vec<&str> = words.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect();
    if said.is_empty() { "NEVER".into() } else { said.join(",") }
}

/// What may stand in a parameter: printable ASCII without space (RFC 3461, section 4).
fn is_xtext(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// `AUTH PLAIN`, with its response on the same line where it fits (else the response follows 334).
pub fn auth_plain(credentials: &Credentials) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
    let octets = Zeroizing::new(format!("\0{}\0{}", credentials.username, credentials.password.expose()).into_bytes());
    let response = Zeroizing::new(BASE64.encode(&octets));
    if "AUTH PLAIN \r\n".len() + response.len() > LONGEST_COMMAND {
        return (Zeroizing::new("AUTH PLAIN".into()), Some(response));
    }
    (Zeroizing::new(format!("AUTH PLAIN {}", *response)), None)
}

/// The two responses of `AUTH LOGIN`.
pub fn auth_login(credentials: &Credentials) -> [Zeroizing<String>; 2] {
    [credentials.username.as_bytes(), credentials.password.expose().as_bytes()]
        .map(|octets| Zeroizing::new(BASE64.encode(octets)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Recipient, ReversePath};
    use crate::secret::Secret;

    fn delivery() -> Delivery {
        Delivery {
            reverse_path: ReversePath::Address("a@clinic.example".parse().unwrap()),
            recipient: Recipient {
                address: "\"b c\"@there.example".parse().unwrap(),
                notify: Some(DsnNotify { success: true, failure: true, delay: false }),
                original: Some("rfc822;b+20c@there.example".into()),
            },
            ret: Some(DsnReturn::Headers),
            envid: Some("QQ314159".into()),
        }
    }

    #[test]
    fn parameters_are_said_only_where_they_are_offered() {
        let all = Capabilities { size: true, eight_bit: true, dsn: true, ..Capabilities::default() };
        assert_eq!(
            mail(&delivery(), 42, all),
            "MAIL FROM:<a@clinic.example> SIZE=42 BODY=8BITMIME RET=HDRS ENVID=QQ314159"
        );
        assert_eq!(
            recipient(&delivery(), all),
            "RCPT TO:<\"b c\"@there.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+20c@there.example"
        );
        let none = Capabilities::default();
        assert_eq!(mail(&delivery(), 42, none), "MAIL FROM:<a@clinic.example>");
        assert_eq!(recipient(&delivery(), none), "RCPT TO:<\"b c\"@there.example>");
        let mut silent = delivery();
        silent.reverse_path = ReversePath::Null;
        silent.recipient.notify = Some(DsnNotify::NEVER);
        silent.recipient.original = Some("rfc822;x\r\nDATA".into());
        assert_eq!(mail(&silent, 0, none), "MAIL FROM:<>");
        assert_eq!(recipient(&silent, all), "RCPT TO:<\"b c\"@there.example> NOTIFY=NEVER");
    }

    #[test]
    fn a_long_password_waits_for_its_turn() {
        let with = |password: String| Credentials { username: "u".into(), password: Secret::new(password) };
        let (line, later) = auth_plain(&with("p".into()));
        assert_eq!((line.as_str(), later.is_none()), ("AUTH PLAIN AHUAcA==", true));
        let (line, later) = auth_plain(&with("p".repeat(600)));
        assert_eq!((line.as_str(), later.is_some()), ("AUTH PLAIN", true));
    }
}
