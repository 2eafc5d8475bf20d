//! Documents: what a browser is told of them, ranges, and what is never shown.

use axum::body::Body;
use axum::http::Method;

use super::browser::{Answer, Browser};
use super::fake::{deposit, grant, octets};

fn path(number: u8) -> String {
    format!("/m/{}/d/{}", grant(1), deposit(number))
}

/// Row 8: HTML and SVG are never shown, whatever is asked; what is shown has its exact type.
#[tokio::test]
async fn no_document_runs_in_the_portals_name() {
    let mut browser = Browser::signed_in();
    for (number, saved, shown) in [
        (1, "application/pdf", Some("application/pdf")),
        (2, "application/octet-stream", None),
        (3, "application/octet-stream", None),
        (4, "application/octet-stream", None),
        (5, "image/png", Some("image/png")),
        (6, "text/plain", Some("text/plain; charset=utf-8")),
    ] {
        let answer = browser.get(&path(number)).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-disposition").starts_with("attachment;"), "{number}");
        assert_eq!(answer.header("content-type"), saved, "{number}");
        assert!(answer.header("content-security-policy").ends_with("sandbox"), "{number}");
        let answer = browser.get(&format!("{}?open", path(number))).await;
        let inline = answer.header("content-disposition").starts_with("inline;");
        assert_eq!((inline, answer.header("content-type")), (shown.is_some(), shown.unwrap_or(saved)), "{number}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{number}");
        assert_eq!(policy.ends_with("sandbox"), number != 1, "only a PDF's viewer is no sandboxed page");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let name = browser.get(&path(2)).await;
    assert!(name.header("content-disposition").contains("filename*=UTF-8''%C3%9Cberweisung%20%E2%80%93"));
    let body = browser.get(&format!("/m/{}/body", grant(1))).await;
    let policy = body.header("content-security-policy");
    assert!(policy.contains("sandbox allow-same-origin") && !policy.contains("allow-scripts"), "{policy}");
    assert!(!policy.contains("img-src") && !policy.contains("script-src"), "default-src 'none' holds: {policy}");
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was() {
    let mut browser = Browser::signed_in();
    let whole = browser.get(&path(1)).await;
    assert_eq!((whole.octets.len(), whole.header("accept-ranges")), (octets().len(), "bytes"));
    let tag = whole.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", deposit(1)));
    let ask = async |browser: &mut Browser, fields: &[(&str, &str)]| -> Answer {
        browser.ask(Method::GET, &path(1), fields, Body::empty()).await
    };
    let part = ask(&mut browser, &[("range", "bytes=700000-"), ("if-range", &tag)]).await;
    assert_eq!((part.status.as_u16(), part.header("content-range")), (206, "bytes 700000-1399999/1400000"));
    assert_eq!(part.octets, octets().slice(700_000..));
    let other = ask(&mut browser, &[("range", "bytes=700000-"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status.as_u16(), other.octets.len()), (200, 1_400_000));
    let outside = ask(&mut browser, &[("range", "bytes=1400000-")]).await;
    assert_eq!((outside.status.as_u16(), outside.header("content-range")), (416, "bytes */1400000"));
    outside.shows(416, &["class=\"button\""]);
    assert_eq!(ask(&mut browser, &[("if-none-match", &tag)]).await.status, 304);
    let head = browser.ask(Method::HEAD, &path(1), &[], Body::empty()).await;
    assert_eq!((head.header("content-length"), head.octets.len()), ("1400000", 0));
    let many = format!("bytes={}", (0..200).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(","));
    assert_eq!(ask(&mut browser, &[("range", &many)]).await.status, 200, "many ranges are all of it, once");
}

/// A further range of a download is not a further download; the gateway itself knows what was counted.
#[tokio::test]
async fn ranges_from_the_middle_are_not_counted_and_all_as_a_zip_comes_whole() {
    let mut browser = Browser::signed_in();
    let counted = |browser: &Browser| browser.clinic.changes().iter().filter(|call| *call == "count_download").count();
    for (range, count) in [("bytes=0-99", 1), ("bytes=100-199", 1), ("bytes=200-", 1), ("bytes=0-", 2), ("bytes=-5", 2)]
    {
        browser.ask(Method::GET, &path(1), &[("range", range)], Body::empty()).await;
        assert_eq!(counted(&browser), count, "{range}");
    }
    let zip = browser.get(&format!("/m/{}/all.zip", grant(1))).await;
    assert_eq!((zip.status.as_u16(), zip.header("content-length"), zip.octets.len()), (200, "1400000", 1_400_000));
    assert!(zip.header("content-disposition").starts_with("attachment;"));
}

/// A HEAD, which asks only what a document is, was counted as a download and began the time after which it is removed; and
/// one with a range was answered in part.
#[tokio::test]
async fn to_ask_what_a_document_is_takes_nothing() {
    let mut browser = Browser::signed_in();
    let zip = format!("/m/{}/all.zip", grant(1));
    for (path, counted) in [(path(1), "count_download"), (zip, "count_archive")] {
        let head = browser.ask(Method::HEAD, &path, &[("range", "bytes=5-9")], Body::empty()).await;
        assert_eq!(browser.clinic.changes(), [""; 0], "{path}");
        let whole = browser.get(&path).await;
        assert_eq!(browser.clinic.changes(), [counted], "{path}");
        browser.clinic.forget_changes();
        let said = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            format!("{} {headers:?}", answer.status)
        };
        assert_eq!(said(&head), said(&whole), "{path}: the header section is that of GET (RFC 9110, section 9.3.2)");
        assert!(head.octets.is_empty() && !whole.octets.is_empty());
        if !whole.header("etag").is_empty() {
            let tag = whole.header("etag");
            let current = browser.ask(Method::GET, &path, &[("if-none-match", tag)], Body::empty()).await;
            assert_eq!((current.status.as_u16(), browser.clinic.changes().len()), (304, 0), "nothing was taken");
        }
    }
}

/// What takes no such method says which it takes (RFC 9110, section 15.5.6).
#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let mut browser = Browser::signed_in();
    for (method, path, allowed) in [
        (Method::DELETE, path(1), "GET,HEAD"),
        (Method::PUT, "/".into(), "GET,HEAD,POST"),
        (Method::TRACE, "/help".into(), "GET,HEAD"),
        (Method::OPTIONS, "/sign-in".into(), "GET,HEAD,POST"),
        (Method::from_bytes(b"PROPFIND").unwrap(), "/account".into(), "GET,HEAD"),
    ] {
        let answer = browser.ask(method.clone(), &path, &[("origin", super::browser::ORIGIN)], Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(browser.clinic.changes(), [""; 0]);
}
