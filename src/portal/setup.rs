//! How a mail program is set up: what Thunderbird (autoconfig), Outlook (autodiscover) and Apple's devices (a profile) ask
//! for, so that address and password are enough. Public: it says where the servers are, and of no address whether it is
//! anybody's.

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use tokio::time::Instant;

use crate::gateway::Snapshot;
use crate::mail::{Address, Domain};
use crate::portal::app::App;
use crate::portal::body::{Incoming, Patience};
use crate::portal::fields::Fields;
use crate::portal::guide;
use crate::portal::refusal::Refusal;
use crate::portal::visitor::Visitor;

/// Octets of what Outlook asks, at most.
const MOST: u64 = 16 * 1024;
/// The form of answer that is given; others are for Exchange.
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// Where staff's mail programs find their servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailServers {
    /// The host of both.
    pub host: String,
    /// Mailboxes (IMAP).
    pub imap: Option<MailServer>,
    /// Sending (submission).
    pub submission: Option<MailServer>,
}

/// A port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailServer {
    /// Its number.
    pub port: u16,
    /// STARTTLS, instead of TLS from the first octet.
    pub starttls: bool,
}

/// The addresses that mail programs ask; they also ask them at hosts named after a practice's domain.
const PATHS: [&str; 5] = [
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/mail/config-v1.1.xml",
    "/autodiscover/autodiscover.xml",
    "/Autodiscover/Autodiscover.xml",
    "/mail/apple.mobileconfig",
];

/// The routes.
pub fn routes() -> Router<App> {
    let [well_known, at_mail, outlook, outlook_too, apple] = PATHS;
    Router::new()
        .route(well_known, get(autoconfig))
        .route(at_mail, get(autoconfig))
        .route(outlook, get(autodiscover).post(autodiscover))
        .route(outlook_too, get(autodiscover).post(autodiscover))
        .route(apple, get(mobileconfig))
        .route("/setup", get(guide::show))
}

/// Whether this host may be asked for this path, besides our own: a practice's domain, and `autoconfig.` or
/// `autodiscover.` before it.
pub fn is_asked_at(snapshot: &Snapshot, host: &str, path: &str) -> bool {
    let host = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host);
    let host = host.to_ascii_lowercase();
    let domain = ["autoconfig.", "autodiscover."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(&host);
    PATHS.contains(&path) && Domain::parse(domain).is_ok_and(|domain| snapshot.policy.practice_of(&domain).is_some())
}

#[derive(Template)]
#[template(path = "autoconfig.xml")]
struct Autoconfig<'a> {
    servers: &'a MailServers,
    domains: Vec<String>,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "autodiscover.xml")]
struct Autodiscover<'a> {
    servers: &'a MailServers,
    address: &'a Address,
    protocols: Vec<(&'static str, MailServer)>,
}

#[derive(Template)]
#[template(path = "mobileconfig.xml")]
struct Mobileconfig<'a> {
    servers: &'a MailServers,
    imap: MailServer,
    submission: MailServer,
    address: &'a Address,
    name: &'a str,
    account_uuid: String,
    profile_uuid: String,
}

/// The servers, where there are mailboxes to be read.
///
/// # Errors
/// [`Refusal::NotFound`] where there are none.
pub fn offered(app: &App) -> Result<&MailServers, Refusal> {
    Some(&app.settings().mail).filter(|servers| servers.imap.is_some()).ok_or(Refusal::NotFound)
}

/// The practice's name, as people of this domain know it.
fn name_for<'a>(snapshot: &'a Snapshot, domain: Option<&Domain>) -> &'a str {
    let practice = domain.and_then(|domain| snapshot.policy.practice_of(domain));
    &practice.unwrap_or_else(|| snapshot.policy.first_practice()).name
}

fn address_in(query: Option<String>) -> Option<Address> {
    Address::parse(Fields::read(query.unwrap_or_default().as_bytes()).get("emailaddress")).ok()
}

fn answered(page: &impl Template, media_type: &'static str) -> Result<Response, Refusal> {
    let text = page.render().map_err(|_| Refusal::Unavailable)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], text).into_response())
}

/// `GET /.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=…`: the address may be left out.
async fn autoconfig(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let servers = offered(&app)?;
    let address = address_in(query);
    let domain = address.as_ref().map(Address::domain);
    let all = || visitor.snapshot().policy.first_practice().domains.iter().map(ToString::to_string).collect();
    let domains = domain.map_or_else(all, |domain| vec![domain.to_string()]);
    let name = name_for(visitor.snapshot(), domain);
    answered(&Autoconfig { servers, domains, name }, "application/xml; charset=utf-8")
}

/// `POST /autodiscover/autodiscover.xml`, or `GET` with an address.
async fn autodiscover(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let servers = offered(&app)?;
    let patience = Patience::Whole(Instant::now() + app.settings().deadlines.form);
    let (mut incoming, mut asked) = (Incoming::new(&headers, body, MOST, patience), Vec::new());
    while let Some(piece) = incoming.next().await? {
        asked.extend_from_slice(&piece);
    }
    let asked = String::from_utf8_lossy(&asked);
    let schema = element(&asked, "AcceptableResponseSchema");
    if schema.is_some_and(|schema| schema != OUTLOOK) {
        return Err(Refusal::NotFound);
    }
    let named = element(&asked, "EMailAddress").and_then(|text| Address::parse(text).ok());
    let address = named.or_else(|| address_in(query)).ok_or(Refusal::Malformed)?;
    let protocols = [("IMAP", servers.imap), ("SMTP", servers.submission)];
    let protocols = protocols.into_iter().filter_map(|(kind, server)| Some((kind, server?))).collect();
    answered(&Autodiscover { servers, address: &address, protocols }, "application/xml; charset=utf-8")
}

/// The text of an element without children.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = xml.split_once(&format!("<{name}>"))?;
    Some(behind.split_once("</")?.0.trim())
}

/// `GET /mail/apple.mobileconfig?emailaddress=…`
async fn mobileconfig(
    State(app): State<App>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let servers = offered(&app)?;
    let (Some(imap), Some(submission)) = (servers.imap, servers.submission) else { return Err(Refusal::NotFound) };
    let address = address_in(query).ok_or(Refusal::Malformed)?;
    let page = Mobileconfig {
        servers,
        imap,
        submission,
        address: &address,
        name: name_for(visitor.snapshot(), Some(address.domain())),
        account_uuid: uuid("account", servers, &address),
        profile_uuid: uuid("profile", servers, &address),
    };
    let mut answer = answered(&page, "application/x-apple-aspen-config")?;
    let name = HeaderValue::from_static("attachment; filename=\"mail.mobileconfig\"");
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(answer)
}

/// The same for the same account, so that a profile that is installed again replaces itself (UUID version 8, RFC 9562).
fn uuid(what: &str, servers: &MailServers, address: &Address) -> String {
    let named = format!("{what}\n{}\n{}", servers.host, address.lookup_form());
    let mut octets = [0; 16];
    octets.copy_from_slice(&digest(&SHA256, named.as_bytes()).as_ref()[..16]);
    octets[6] = 0x80 | octets[6] & 0x0F;
    octets[8] = 0x80 | octets[8] & 0x3F;
    let hex = HEXLOWER.encode(&octets);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
