//! What mail programs ask to be set up by address and password.

use axum::body::Body;
use axum::http::Method;
use postern::portal::{MailServer, MailServers, Settings};

use super::browser::{Answer, Browser, settings};

const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
const OUTLOOK: &str = "/autodiscover/autodiscover.xml";

fn with_mail() -> Browser {
    let server = |port, starttls| Some(MailServer { port, starttls });
    let mail =
        MailServers { host: "mail.clinic.example".into(), imap: server(993, false), submission: server(587, true) };
    Browser::with(Settings { mail, ..settings() })
}

async fn asks(browser: &mut Browser, address: &str, schema: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Autodiscover xmlns=\"x\"><Request><EMailAddress>{address}</EMailAddress>\
        <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    );
    let kind = [("content-type", "text/xml")];
    browser.ask(Method::POST, OUTLOOK, &kind, Body::from(body)).await
}

#[tokio::test]
async fn thunderbird_finds_its_servers() {
    let mut browser = with_mail();
    for path in [WELL_KNOWN, "/mail/config-v1.1.xml"] {
        let answer = browser.get(&format!("{path}?emailaddress=jane%40clinic.example")).await;
        assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
        let text: String = answer.shows(200, &[]).text().split_whitespace().collect();
        for piece in [
            "<domain>clinic.example</domain><displayName>ExampleClinic</displayName>",
            "<incomingServertype=\"imap\"><hostname>mail.clinic.example</hostname><port>993</port>\
            <socketType>SSL</socketType><authentication>password-cleartext</authentication>\
            <username>%EMAILADDRESS%</username></incomingServer>",
            "<outgoingServertype=\"smtp\"><hostname>mail.clinic.example</hostname><port>587</port>\
            <socketType>STARTTLS</socketType>",
        ] {
            assert!(text.contains(piece), "{piece}\n{text}");
        }
    }
    browser.get(WELL_KNOWN).await.shows(200, &["<domain>clinic.example</domain>"]);
}

#[tokio::test]
async fn outlook_finds_its_servers() {
    let mut browser = with_mail();
    let schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    let text: String =
        asks(&mut browser, "jane@clinic.example", schema).await.shows(200, &[]).text().split_whitespace().collect();
    for piece in [
        "<Type>IMAP</Type><Server>mail.clinic.example</Server><Port>993</Port>",
        "<LoginName>jane@clinic.example</LoginName>",
        "<Encryption>SSL</Encryption>",
        "<Type>SMTP</Type><Server>mail.clinic.example</Server><Port>587</Port>",
        "<Encryption>TLS</Encryption>",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
    let exchange = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
    asks(&mut browser, "jane@clinic.example", exchange).await.shows(404, &[]);
    asks(&mut browser, "&lt;jane", schema).await.shows(400, &[]);
    let long = Body::from("x".repeat(20_000));
    browser.ask(Method::POST, OUTLOOK, &[("content-length", "20000")], long).await.shows(413, &[]);
}

#[tokio::test]
async fn apple_is_given_a_profile() {
    let mut browser = with_mail();
    let path = "/mail/apple.mobileconfig?emailaddress=jane%2Bpost%40clinic.example";
    let answer = browser.get(path).await;
    assert_eq!(answer.header("content-type"), "application/x-apple-aspen-config");
    answer.shows(
        200,
        &[
            "<key>IncomingMailServerHostName</key><string>mail.clinic.example</string>",
            "<key>IncomingMailServerPortNumber</key><integer>993</integer>",
            "<key>OutgoingMailServerPortNumber</key><integer>587</integer>",
            "<key>EmailAddress</key><string>jane+post@clinic.example</string>",
        ],
    );
    assert_eq!(browser.get(path).await.text(), answer.text(), "installed again, it replaces itself");
    browser.get("/mail/apple.mobileconfig").await.shows(400, &[]);
}

#[tokio::test]
async fn markup_in_an_address_stays_text() {
    let mut browser = with_mail();
    let path = "/mail/apple.mobileconfig?emailaddress=a%26b%27c%40clinic.example";
    let text = browser.get(path).await.shows(200, &[]).text();
    assert!(!text.contains("a&b'c"), "{text}");
}

/// Mail programs ask at hosts named after the address's domain; nothing else of the portal is there.
#[tokio::test]
async fn set_up_is_also_asked_at_the_practices_own_hosts() {
    let mut browser = with_mail();
    for (host, path, status) in [
        ("autoconfig.clinic.example", "/mail/config-v1.1.xml", 200),
        ("clinic.example:443", WELL_KNOWN, 200),
        ("Autodiscover.Clinic.example", "/mail/config-v1.1.xml", 200),
        ("autoconfig.clinic.example", "/sign-in", 421),
        ("clinic.example", "/", 421),
        ("autoconfig.evil.example", "/mail/config-v1.1.xml", 421),
        ("clinic.example.evil.example", WELL_KNOWN, 421),
    ] {
        let answer = browser.ask(Method::GET, path, &[("host", host)], Body::empty()).await;
        assert_eq!(answer.status.as_u16(), status, "{host}{path}");
    }
}

/// A nurse with an address, a password and two minutes.
#[tokio::test]
async fn people_read_how_to_set_up_their_mail_program() {
    let mut browser = with_mail();
    browser.get("/help").await.shows(200, &["<a href=\"/setup\">Set up your mail program</a>"]);
    let answer = browser.get("/setup").await;
    let text: String =
        answer.shows(200, &["Outlook", "Thunderbird", "iPhone", "Android"]).text().split_whitespace().collect();
    for (title, port, security) in [("Forreading(IMAP)", 993, "SSL/TLS"), ("Forsending(SMTP)", 587, "STARTTLS")] {
        let server = format!(
            "<h3>{title}</h3><dlclass=\"facts\"><div><dt>Server</dt><ddclass=\"address\">mail.clinic.example</dd></div>\
             <div><dt>Port</dt><dd>{port}</dd></div><div><dt>Security</dt><dd>{security}</dd></div></dl>"
        );
        assert!(text.contains(&server), "{server}\n{text}");
    }
    assert!(text.contains("<formmethod=\"get\"action=\"/mail/apple.mobileconfig\">"), "{text}");
    assert!(answer.octets.len() < 20_000, "{} octets", answer.octets.len());
    browser.language = "fr";
    browser.get("/setup").await.shows(200, &["Configurer votre messagerie", "Obtenir le profil", "Pour lire (IMAP)"]);
}

/// Only reading is done here, sending elsewhere: no profile, which needs both.
#[tokio::test]
async fn without_submission_there_is_no_profile() {
    let imap = Some(MailServer { port: 993, starttls: false });
    let mail = MailServers { host: "mail.clinic.example".into(), imap, submission: None };
    let mut browser = Browser::with(Settings { mail, ..settings() });
    let text = browser.get("/setup").await.shows(200, &["For reading (IMAP)", "choose Add Account"]).text();
    assert!(!text.contains("apple.mobileconfig") && !text.contains("For sending"), "{text}");
}

#[tokio::test]
async fn without_mailboxes_there_is_nothing_to_set_up() {
    let mut browser = Browser::new();
    let help = browser.get("/help").await.text();
    assert!(!help.contains("/setup"), "{help}");
    for path in
        ["/setup", WELL_KNOWN, "/mail/config-v1.1.xml", OUTLOOK, "/mail/apple.mobileconfig?emailaddress=a%40b.example"]
    {
        browser.get(path).await.shows(404, &[]);
    }
}
