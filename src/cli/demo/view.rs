//! What the outbox page shows of a mail.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use mail_parser::{Address, MimeHeaders};
use minijinja::{Environment, Value, context};

use super::outbox::{Mail, Outbox};
use super::page::Wanted;

const VIEWS: [(&str, &str); 3] = [("shown", "As shown"), ("text", "Plain text"), ("source", "Source")];

/// The page's templates.
pub fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_filter("query", query);
    environment.add_template("page.html", include_str!("web/page.html"))?;
    environment.add_template("list.html", include_str!("web/list.html"))?;
    Ok(environment)
}

/// A value for a query string (RFC 3986, section 2.1).
fn query(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    let encode = |octet: u8| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    text.bytes().map(encode).collect()
}

/// All that the page says.
pub fn values(outbox: &Outbox, wanted: &Wanted) -> Value {
    let all = outbox.mails();
    let people: BTreeMap<&str, String> = all.iter().rev().map(|mail| (mail.to.as_str(), recipient(mail))).collect();
    let people: Vec<Value> =
        people.iter().map(|(address, name)| context! { address => *address, name => name.as_str() }).collect();
    let listed: Vec<&Mail> = all.iter().filter(|mail| wanted.to.as_ref().is_none_or(|to| *to == mail.to)).collect();
    let chosen = wanted.mail.as_ref().and_then(|id| all.iter().find(|mail| mail.id == *id));
    let open = chosen.or(listed.first().copied());
    let view = VIEWS.iter().find(|(id, _)| wanted.view.as_deref() == Some(id)).unwrap_or(&VIEWS[0]).0;
    let views = VIEWS.map(|(id, name)| context! { id, name, chosen => id == view });
    let mails: Vec<Value> = listed.iter().map(|mail| row(mail, open.is_some_and(|open| open.id == mail.id))).collect();
    context! {
        portal => outbox.links(), to => wanted.to.as_deref(), people, mails, views, chosen => chosen.is_some(),
        open => open.map(|mail| opened(mail, view)),
    }
}

fn row(mail: &Mail, open: bool) -> Value {
    let (subject, from) = match mail.message() {
        Some(message) => (message.subject().map(str::to_owned), sender(message.from())),
        None => (None, None),
    };
    context! {
        id => mail.id.as_str(), open, to => recipient(mail), time => moment(mail, "%H:%M:%S"),
        subject => subject.unwrap_or_else(|| String::from("(no subject)")), from => from.unwrap_or_else(|| mail.from.clone()),
    }
}

fn opened(mail: &Mail, view: &str) -> Value {
    let message = mail.message();
    let message = message.as_ref();
    let files: Vec<Value> = message.iter().flat_map(|message| message.attachments().enumerate())
        .filter(|(_, part)| part.content_id().is_none())
        .map(|(number, part)| context! { number, name => part.attachment_name().unwrap_or("a file"), size => format!("{} KB", part.len().div_ceil(1000)) })
        .collect();
    let text = match view {
        "text" => message.and_then(|message| message.body_text(0)).unwrap_or_default().into_owned(),
        "source" => String::from_utf8_lossy(mail.octets()).into_owned(),
        _ => String::new(),
    };
    context! {
        id => mail.id.as_str(), view, files, pieces => pieces(&text),
        subject => message.and_then(|message| message.subject()).unwrap_or("(no subject)"),
        from => message.and_then(|message| written(message.from())).unwrap_or_else(|| mail.from.clone()),
        to => message.and_then(|message| written(message.to())).unwrap_or_else(|| mail.to.clone()),
        reply_to => message.and_then(|message| written(message.reply_to())),
        date => moment(mail, "%A %-d %B %Y, %H:%M:%S"),
    }
}

/// The text, cut so that its links can be pressed.
fn pieces(text: &str) -> Vec<Value> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("http://").into_iter().chain(rest.find("https://")).min() {
        let length = rest[at..].find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(rest.len() - at);
        let link = rest[at..at + length].trim_end_matches(['.', ',', ')', ';']);
        pieces.push(context! { text => &rest[..at] });
        pieces.push(context! { text => link, link => true });
        rest = &rest[at + link.len()..];
    }
    pieces.push(context! { text => rest });
    pieces
}

/// The mail's HTML, its pictures at our addresses, its links in a tab of their own; the plain text where it has none.
pub fn html(mail: &Mail) -> String {
    let Some(message) = mail.message() else { return String::new() };
    let mut html = message.body_html(0).unwrap_or_default().into_owned();
    for (number, part) in message.attachments().enumerate() {
        if let Some(id) = part.content_id() {
            html = html.replace(&format!("cid:{id}"), &format!("/mail/{}/part/{number}", mail.id));
        }
    }
    format!("<!doctype html><base target=\"_blank\">{html}")
}

/// The name of the recipient in To, else the address.
fn recipient(mail: &Mail) -> String {
    let message = mail.message();
    let named = message.as_ref().and_then(|message| message.to()).and_then(|to| {
        to.iter().find(|entry| entry.address().is_some_and(|address| address.eq_ignore_ascii_case(&mail.to)))?.name()
    });
    named.unwrap_or(&mail.to).to_owned()
}

fn sender(address: Option<&Address<'_>>) -> Option<String> {
    let first = address?.first()?;
    Some(first.name().or(first.address())?.to_owned())
}

/// Names and addresses, as they stand in the field.
fn written(address: Option<&Address<'_>>) -> Option<String> {
    let entries: Vec<String> = address?
        .iter()
        .filter_map(|entry| match (entry.name(), entry.address()) {
            (Some(name), Some(address)) if name != address => Some(format!("{name} <{address}>")),
            (_, address) => address.map(str::to_owned),
        })
        .collect();
    (!entries.is_empty()).then(|| entries.join(", "))
}

/// When it was delivered, in the time of this computer.
fn moment(mail: &Mail, format: &str) -> String {
    let moment = jiff::Timestamp::from_millisecond(mail.delivered).unwrap_or_default();
    moment.to_zoned(TimeZone::system()).strftime(format).to_string()
}
