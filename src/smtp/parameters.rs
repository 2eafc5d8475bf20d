//! The arguments of MAIL and RCPT: path and parameters (RFC 5321, section 4.1.2; RFC 1870; RFC 6152;
//! RFC 3461, section 4).
//!
//! Strict but for two things that harm nobody: a space after the colon (`MAIL FROM: <a@b>`, which
//! scanners and scripts send), and white space at the line's end.

use crate::mail::{Address, BodyType, Domain, DsnNotify, DsnReturn, Recipient, ReversePath};
use crate::smtp::reply::{Limit, Misuse, Reply};

/// What MAIL said.
pub struct MailArguments {
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// `SIZE=`; [`u64::MAX`] where the number is beyond that.
    pub size: Option<u64>,
    /// `BODY=`
    pub body: BodyType,
    /// `RET=`
    pub ret: Option<DsnReturn>,
    /// `ENVID=`
    pub envid: Option<String>,
}

/// Reads what follows `MAIL`.
///
/// # Errors
/// The reply that says what is wrong.
pub fn mail(arguments: &str) -> Result<MailArguments, Reply> {
    const FORM: &str = "MAIL FROM:<address> expected";
    let (path, parameters) = path_and_parameters(arguments, "FROM:", FORM)?;
    let reverse_path = match path {
        "" => ReversePath::Null,
        _ => ReversePath::Address(parse_address(path).map_err(|error| error.reply(Misuse::Sender))?),
    };
    let mut said = MailArguments { reverse_path, size: None, body: BodyType::SevenBit, ret: None, envid: None };
    for (keyword, value) in split(parameters)? {
        match keyword.as_str() {
            "SIZE" => said.size = Some(size(value)?),
            "BODY" => said.body = body(value)?,
            "RET" => said.ret = Some(ret(value)?),
            "ENVID" => said.envid = Some(envid(value)?),
            // RFC 4954, section 5: who vouches for a message is known here already.
            "AUTH" => required(value, "AUTH= needs an address in xtext or <>").map(drop)?,
            "SMTPUTF8" => return Err(Misuse::SmtpUtf8.into()),
            _ => return Err(Misuse::ParameterUnknown.into()),
        }
    }
    Ok(said)
}

/// Reads what follows `RCPT`. `<postmaster>` without a domain (RFC 5321, section 4.5.1) is the one of `home`.
///
/// # Errors
/// The reply that says what is wrong.
pub fn rcpt(arguments: &str, home: &Domain) -> Result<Recipient, Reply> {
    const FORM: &str = "RCPT TO:<address> expected";
    let (path, parameters) = path_and_parameters(arguments, "TO:", FORM)?;
    let address = if path.eq_ignore_ascii_case("postmaster") {
        parse_address(&format!("{path}@{home}"))
    } else {
        parse_address(path)
    };
    let mut recipient = Recipient::plain(address.map_err(|error| error.reply(Misuse::Recipient))?);
    for (keyword, value) in split(parameters)? {
        match keyword.as_str() {
            "NOTIFY" => recipient.notify = Some(notify(value)?),
            "ORCPT" => recipient.original = Some(original(value)?),
            _ => return Err(Misuse::ParameterUnknown.into()),
        }
    }
    Ok(recipient)
}

enum PathError {
    Address(crate::mail::AddressError),
    SourceRoute,
}

impl PathError {
    fn reply(self, field: fn(crate::mail::AddressError) -> Misuse) -> Reply {
        match self {
            Self::Address(error) => field(error).into(),
            Self::SourceRoute => Misuse::SourceRoute.into(),
        }
    }
}

fn parse_address(path: &str) -> Result<Address, PathError> {
    if path.starts_with('@') {
        return Err(PathError::SourceRoute);
    }
    Address::parse(path).map_err(PathError::Address)
}

/// What stands between `<` and `>`, and what follows.
fn path_and_parameters<'a>(arguments: &'a str, keyword: &str, form: &'static str) -> Result<(&'a str, &'a str), Reply> {
    let wrong = || Reply::from(Misuse::Arguments(form));
    let (head, rest) = arguments.split_at_checked(keyword.len()).ok_or_else(wrong)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(wrong());
    }
    let rest = rest.trim_start_matches(' ').strip_prefix('<').ok_or_else(wrong)?;
    let end = path_end(rest).ok_or_else(wrong)?;
    let (path, parameters) = (&rest[..end], &rest[end + 1..]);
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(wrong());
    }
    Ok((path, parameters))
}

/// Where the `>` is that ends a path: one within a quoted local part does not.
fn path_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// `KEYWORD=value` and `KEYWORD`, keywords in upper case, none twice.
fn split(parameters: &str) -> Result<Vec<(String, Option<&str>)>, Reply> {
    let wrong =
        || Reply::from(Misuse::ParameterValue("Parameters are KEYWORD=value, each once, with one space between"));
    let mut found: Vec<(String, Option<&str>)> = Vec::new();
    for parameter in parameters.split(' ').filter(|piece| !piece.is_empty()) {
        let (keyword, value) = match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        };
        let keyword = keyword.to_ascii_uppercase();
        let sound = keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && value.is_none_or(|value| !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'='));
        if !sound || found.iter().any(|(other, _)| *other == keyword) {
            return Err(wrong());
        }
        found.push((keyword, value));
    }
    Ok(found)
}

fn required<'a>(value: Option<&'a str>, form: &'static str) -> Result<&'a str, Reply> {
    value.ok_or_else(|| Misuse::ParameterValue(form).into())
}

fn size(value: Option<&str>) -> Result<u64, Reply> {
    const FORM: &str = "SIZE= needs a number of octets";
    let digits = required(value, FORM)?;
    if digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Misuse::ParameterValue(FORM).into());
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

fn body(value: Option<&str>) -> Result<BodyType, Reply> {
    const FORM: &str = "BODY= is 7BIT or 8BITMIME";
    match required(value, FORM)?.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBitMime),
        _ => Err(Misuse::ParameterValue(FORM).into()),
    }
}

fn ret(value: Option<&str>) -> Result<DsnReturn, Reply> {
    const FORM: &str = "RET= is FULL or HDRS";
    match required(value, FORM)?.to_ascii_uppercase().as_str() {
        "FULL" => Ok(DsnReturn::Full),
        "HDRS" => Ok(DsnReturn::Headers),
        _ => Err(Misuse::ParameterValue(FORM).into()),
    }
}

fn envid(value: Option<&str>) -> Result<String, Reply> {
    const FORM: &str = "ENVID= is up to 100 octets of xtext (RFC 3461)";
    let text = required(value, FORM)?;
    if text.len() > 100 || !is_xtext(text) {
        return Err(Misuse::ParameterValue(FORM).into());
    }
    Ok(text.to_owned())
}

fn notify(value: Option<&str>) -> Result<DsnNotify, Reply> {
    const FORM: &str = "NOTIFY= is NEVER, or one or more of SUCCESS,FAILURE,DELAY";
    let text = required(value, FORM)?.to_ascii_uppercase();
    let mut notify = DsnNotify::NEVER;
    if text == "NEVER" {
        return Ok(notify);
    }
    for word in text.split(',') {
        let wish = match word {
            "SUCCESS" => &mut notify.success,
            "FAILURE" => &mut notify.failure,
            "DELAY" => &mut notify.delay,
            _ => return Err(Misuse::ParameterValue(FORM).into()),
        };
        *wish = true;
    }
    Ok(notify)
}

fn original(value: Option<&str>) -> Result<String, Reply> {
    const FORM: &str = "ORCPT= is rfc822;address in up to 500 octets of xtext (RFC 3461)";
    let text = required(value, FORM)?;
    let sound = text.len() <= 500
        && text.split_once(';').is_some_and(|(kind, address)| {
            !kind.is_empty()
                && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !address.is_empty()
                && is_xtext(address)
        });
    if sound { Ok(text.to_owned()) } else { Err(Misuse::ParameterValue(FORM).into()) }
}

/// RFC 3461, section 4: printable ASCII but `+` and `=`, and `+` with two upper-case hexadecimal digits.
/// What decodes to a control character is refused too: it would be one in the report that quotes it.
fn is_xtext(text: &str) -> bool {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let sound = match octet {
            b'+' => {
                let digits = [octets.next(), octets.next()];
                let upper = |digit: &Option<u8>| matches!(digit, Some(b'0'..=b'9' | b'A'..=b'F'));
                digits.iter().all(upper) && !matches!(digits, [Some(b'0' | b'1'), _] | [Some(b'7'), Some(b'F')])
            }
            b'=' => false,
            _ => octet.is_ascii_graphic(),
        };
        if !sound {
            return false;
        }
    }
    true
}

/// SIZE= against the limit.
///
/// # Errors
/// 552 5.3.4.
pub fn check_size(said: &MailArguments, limit: u64) -> Result<(), Reply> {
    if said.size.is_some_and(|size| size > limit) { Err(Limit::Message.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<impl Sized, Reply>) -> String {
        result.map_or_else(|reply| format!("{} {}", reply.code(), reply.enhanced()), |_| "ok".into())
    }

    #[test]
    fn mail_arguments_by_the_book() {
        let table = [
            ("FROM:<>", "ok"),
            ("from:<a@b.example>", "ok"),
            ("FROM: <a@b.example>", "ok"),
            ("FROM:<\"a>b\"@b.example>", "ok"),
            ("FROM:<a@b.example> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=QQ+2B31", "ok"),
            ("FROM:<a@b.example> AUTH=<>", "ok"),
            ("FROM:<a@b.example> size=99999999999999999999", "ok"),
            ("FROM:a@b.example", "501 5.5.4"),
            ("FROM:<a@b.example", "501 5.5.4"),
            ("FROM:<a@b.example>SIZE=1", "501 5.5.4"),
            ("TO:<a@b.example>", "501 5.5.4"),
            ("FROM", "501 5.5.4"),
            ("", "501 5.5.4"),
            ("FROM:<a>", "501 5.1.7"),
            ("FROM:<a@[192.0.2.1]>", "501 5.1.7"),
            ("FROM:<@x.example:a@b.example>", "501 5.1.3"),
            ("FROM:<ä@b.example>", "553 5.6.7"),
            ("FROM:<a@b.example> SIZE=", "501 5.5.4"),
            ("FROM:<a@b.example> SIZE", "501 5.5.4"),
            ("FROM:<a@b.example> SIZE=-1", "501 5.5.4"),
            ("FROM:<a@b.example> SIZE=1 SIZE=2", "501 5.5.4"),
            ("FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
            ("FROM:<a@b.example> RET=ALL", "501 5.5.4"),
            ("FROM:<a@b.example> ENVID=a+0D+0Ab", "501 5.5.4"),
            ("FROM:<a@b.example> ENVID=a+2b", "501 5.5.4"),
            ("FROM:<a@b.example> ENVID=a=b", "501 5.5.4"),
            ("FROM:<a@b.example> SMTPUTF8", "555 5.6.7"),
            ("FROM:<a@b.example> XYZZY=1", "555 5.5.4"),
        ];
        for (arguments, expected) in table {
            assert_eq!(code(mail(arguments)), expected, "{arguments}");
        }
        assert_eq!(code(mail(&format!("FROM:<a@b.example> ENVID={}", "x".repeat(101)))), "501 5.5.4");
    }

    #[test]
    fn rcpt_arguments_by_the_book() {
        let home = Domain::parse("mail.clinic.example").unwrap();
        let table = [
            ("TO:<a@b.example>", "ok"),
            ("TO:<Postmaster>", "ok"),
            ("TO:<a@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bc@b.example", "ok"),
            ("TO:<a@b.example> notify=never", "ok"),
            ("TO:<>", "501 5.1.3"),
            ("TO:<@x.example,@y.example:a@b.example>", "501 5.1.3"),
            ("TO:<a@b.example> NOTIFY=NEVER,DELAY", "501 5.5.4"),
            ("TO:<a@b.example> NOTIFY=", "501 5.5.4"),
            ("TO:<a@b.example> ORCPT=a@b.example", "501 5.5.4"),
            ("TO:<a@b.example> ORCPT=rfc822;", "501 5.5.4"),
            ("TO:<a@b.example> SIZE=1", "555 5.5.4"),
        ];
        for (arguments, expected) in table {
            assert_eq!(code(rcpt(arguments, &home)), expected, "{arguments}");
        }
        assert_eq!(rcpt("TO:<postmaster>", &home).unwrap().address.to_string(), "postmaster@mail.clinic.example");
    }
}
