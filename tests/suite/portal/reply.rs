//! Writing back, with and without files.

use axum::body::Body;
use axum::http::Method;

use super::browser::{Answer, Browser, ORIGIN, multipart, settings};
use super::fake::{ADDRESS, PASSWORD, grant};

fn path() -> String {
    format!("/m/{}/reply", grant(1))
}

async fn send(browser: &mut Browser, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let token = browser.get(&path()).await.token();
    let (kind, body) = multipart(&[&[("form", token.as_str())], fields].concat(), files);
    browser.ask(Method::POST, &path(), &[("content-type", &kind), ("origin", ORIGIN)], Body::from(body)).await
}

#[tokio::test]
async fn a_reply_goes_with_its_files_and_to_nobody_else() {
    let mut browser = Browser::signed_in();
    browser.get(&path()).await.shows(200, &["Up to 3 files of at most 5 MB each", "enctype=\"multipart/form-data\""]);
    let fields =
        [("text", "Thank you.\r\nJane"), ("to", "everybody@evil.example"), ("subject", "x\r\nBcc: a@b.example")];
    let sent = send(&mut browser, &fields, &[("a.pdf", &[1; 3_000]), ("", b""), ("b \"c\".txt", b"b")]).await;
    assert_eq!(sent.location(), format!("/m/{}?replied", grant(1)));
    let expected =
        [("Thank you.\nJane", 0), ("a.pdf", 3_000), ("b \"c\".txt", 1)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(browser.clinic.received(), expected);
    let closed = browser.get(&format!("/m/{}/reply", grant(2))).await;
    assert_eq!(closed.location(), format!("/m/{}", grant(2)));
}

/// Row 31: refused by name, number and size, and nothing is sent then; what was typed stays.
#[tokio::test]
async fn what_is_not_accepted_is_refused_beside_its_field_and_nothing_is_lost() {
    let mut browser = Browser::signed_in();
    let large = vec![0; 5_000_001];
    let four: Vec<(&str, &[u8])> = ["a.pdf", "b.pdf", "c.pdf", "d.pdf"].map(|name| (name, &b"x"[..])).into();
    for (files, says) in [
        (vec![("setup.exe", &b"MZ"[..])], "setup.exe cannot be sent"),
        (vec![("large.pdf", large.as_slice())], "large.pdf is larger than 5 MB"),
        (four, "Choose at most 3 files"),
    ] {
        let refused = send(&mut browser, &[("text", "Kept <text>")], &files).await;
        refused.shows(422, &[says, "href=\"#files\"", "choose your files again", "Kept &#60;text&#62;</textarea>"]);
    }
    send(&mut browser, &[("text", " ")], &[])
        .await
        .shows(422, &["Write something, or choose a file", "href=\"#text\""]);
    assert!(!browser.clinic.changes().contains(&"send_reply".to_owned()));
}

#[tokio::test]
async fn what_was_typed_when_the_visit_ended_is_found_again() {
    let mut browser = Browser::signed_in();
    let token = browser.get(&path()).await.token();
    browser.clinic.end_visits();
    let (kind, body) = multipart(&[("form", &token), ("text", "A long letter")], &[("a.pdf", b"x")]);
    let late =
        browser.ask(Method::POST, &path(), &[("content-type", &kind), ("origin", ORIGIN)], Body::from(body)).await;
    let sign_in = late.location().to_owned();
    assert_eq!(sign_in, format!("/sign-in?to=m/{}/reply&after=draft", grant(1)));
    browser.get(&sign_in).await.shows(200, &["Your text is kept"]);
    let to = format!("m/{}/reply", grant(1));
    let form = [("address", ADDRESS), ("password", PASSWORD), ("to", to.as_str())];
    assert_eq!(browser.send(&sign_in, "/sign-in", &form).await.location(), path());
    browser.get(&path()).await.shows(200, &["A long letter</textarea>", "Nothing was lost"]);
    let mut stranger = browser.another();
    let (kind, body) = multipart(&[("text", "planted")], &[]);
    let answer =
        stranger.ask(Method::POST, &path(), &[("content-type", &kind), ("origin", ORIGIN)], Body::from(body)).await;
    assert_eq!(answer.location(), format!("/sign-in?to=m/{}/reply", grant(1)));
    assert_eq!(browser.clinic.changes().iter().filter(|call| *call == "keep_draft").count(), 1);
}

/// Row 34, as far as one request goes; what comes slowly is in `live`.
#[tokio::test]
async fn bodies_that_are_too_large_or_broken_are_refused_with_a_page() {
    let mut browser = Browser::with(postern::portal::Settings { max_upload: 100_000, ..settings() });
    browser.has_visit(super::fake::signed_in());
    send(&mut browser, &[("text", "x")], &[("a.pdf", &[0; 200_000])])
        .await
        .shows(413, &["This is too large", "class=\"button\""]);
    let token = browser.get(&path()).await.token();
    let (kind, body) = multipart(&[("form", &token), ("text", "x")], &[("a.pdf", &[0; 90_000])]);
    let ask = async |browser: &mut Browser, kind: &str, body: Vec<u8>| -> Answer {
        browser.ask(Method::POST, &path(), &[("content-type", kind), ("origin", ORIGIN)], Body::from(body)).await
    };
    ask(&mut browser, &kind, body[..body.len() - 30].to_vec()).await.shows(400, &["could not be read"]);
    ask(&mut browser, "multipart/form-data", body.clone()).await.shows(400, &[]);
    ask(&mut browser, "application/x-www-form-urlencoded", body).await.shows(400, &[]);
    let long = multipart(&[("form", &token), ("text", &"x".repeat(99_000))], &[]).1;
    assert_eq!(ask(&mut browser, &kind, long).await.status, 303, "a long text is the gateway's to judge");
    let declared = [("content-type", kind.as_str()), ("origin", ORIGIN), ("content-length", "99999999999")];
    browser.ask(Method::POST, &path(), &declared, Body::empty()).await.shows(413, &[]);
    let endless = Body::from(vec![b'a'; 70_000]);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", ORIGIN)];
    browser.ask(Method::POST, "/sign-in", &form, endless).await.shows(413, &[]);
    assert!(browser.clinic.received().len() <= 1);
}
