//! The attacks of docs/security.md that the edge itself closes, each by its name.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use postern::access::Proved;
use postern::portal::Origin;

use super::browser::{Answer, Browser, HOST, ORIGIN, settings};
use super::fake::{ADDRESS, PASSWORD, deposit, grant};

/// Every page that is asked for by GET.
fn pages() -> Vec<String> {
    let parcel = format!("/m/{}", grant(1));
    let mut pages: Vec<String> = [
        "/p/living",
        "/p/registers",
        "/p/over",
        "/p/over?mailed",
        "/p/withdrawn",
        "/p/nothing",
        "/register",
        "/register/sent",
        "/register/waiting",
        "/register/closed",
        "/register/over",
        "/password/first",
        "/password/used",
        "/forgot",
        "/forgot?mailed",
        "/sign-in",
        "/signed-out",
        "/code",
        "/code?sent",
        "/birthdate",
        "/magic",
        "/magic?sent",
        "/magic/magic",
        "/help",
        "/",
        "/account",
        "/account/password",
        "/account/close",
        "/nowhere",
    ]
    .map(str::to_owned)
    .into();
    pages.extend(["", "/body", "/reply", "/all.zip"].map(|rest| format!("{parcel}{rest}")));
    pages.push(format!("{parcel}/d/{}", deposit(1)));
    pages
}

/// Every address that takes a form.
fn forms() -> Vec<String> {
    let mut forms: Vec<String> = [
        "/p/living",
        "/p/over/fresh",
        "/register",
        "/password/first",
        "/forgot",
        "/sign-in",
        "/sign-out",
        "/code",
        "/code/mail",
        "/birthdate",
        "/magic",
        "/magic/magic",
        "/language",
        "/account/password",
        "/account/visits",
        "/account/close",
        "/",
    ]
    .map(str::to_owned)
    .into();
    forms.push(format!("/m/{}/reply", grant(1)));
    forms
}

async fn form(browser: &mut Browser, path: &str, fields: &[(&str, &str)], body: String) -> Answer {
    let kind = match path.ends_with("/reply") {
        true => "multipart/form-data; boundary=xyz",
        false => "application/x-www-form-urlencoded",
    };
    browser.ask(Method::POST, path, &[&[("content-type", kind)], fields].concat(), Body::from(body)).await
}

fn body(path: &str, token: &str) -> String {
    if path.ends_with("/reply") {
        let part = |name, value| format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        return format!("{}{}--xyz--\r\n", part("form", token), part("text", "Hello"));
    }
    let fields =
        [("form", token), ("address", ADDRESS), ("password", PASSWORD), ("present", PASSWORD), ("code", "123456")];
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Row 10.
#[tokio::test]
async fn a_scanner_that_opens_links_changes_nothing() {
    let mut scanner = Browser::new();
    for (round, method) in [Method::GET, Method::HEAD, Method::GET, Method::HEAD, Method::GET].into_iter().enumerate() {
        for from in ["192.0.2.1", "198.51.100.2", "2001:db8::3"] {
            scanner.from = from.parse().unwrap();
            for path in ["/p/living", "/p/registers", "/p/code", "/p/over", "/password/first", "/magic/magic"] {
                let answer = scanner.ask(method.clone(), path, &[], Body::empty()).await;
                assert_eq!(answer.status, 200, "{path} {round}");
                assert_eq!(answer.octets.is_empty(), method == Method::HEAD, "{path}");
            }
        }
    }
    assert_eq!(scanner.clinic.changes(), [""; 0]);
    assert!(scanner.cookie("__Host-visit").is_none(), "no session is given");
    let mut person = scanner.another();
    assert_eq!(person.send("/p/living", "/p/living", &[]).await.location(), "/sign-in", "the link still works");
}

/// Row 17.
#[tokio::test]
async fn a_form_from_elsewhere_or_without_its_token_does_nothing() {
    for path in forms() {
        let mut browser = Browser::signed_in();
        let token = browser.get("/sign-in").await.token();
        let own = body(&path, &token);
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://mail.clinic.example")],
            &[("origin", "https://mail.clinic.example.evil.example")],
            &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")],
            &[("origin", "null"), ("sec-fetch-site", "same-site")],
        ] {
            form(&mut browser, &path, foreign, own.clone()).await.shows(403, &["Another website", "class=\"button\""]);
        }
        let mut other = browser.another();
        let foreign_token = other.get("/sign-in").await.token();
        for wrong in ["", "x", foreign_token.as_str()] {
            let answer = form(&mut browser, &path, &[("origin", ORIGIN)], body(&path, wrong)).await;
            answer.shows(403, &["open for too long", "class=\"button\""]);
        }
        assert_eq!(browser.clinic.changes(), [""; 0], "{path}");
        for own_origin in [&[("origin", ORIGIN)][..], &[("origin", "null"), ("sec-fetch-site", "same-origin")], &[]] {
            let answer = form(&mut browser, &path, own_origin, own.clone()).await;
            assert_ne!(answer.status, 403, "{path} {own_origin:?}");
        }
    }
}

/// Row 9.
#[tokio::test]
async fn a_token_leaves_the_address_by_a_press_and_no_page_loads_from_elsewhere_or_tells_where_one_was() {
    let mut browser = Browser::new();
    let entered = browser.send("/p/living", "/p/living", &[]).await;
    assert!(!entered.location().contains("living"), "the token is out of the address");
    let mut browser = Browser::signed_in();
    for path in pages() {
        let answer = browser.get(&path).await;
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let text = answer.text();
        for attribute in ["src=\"", "href=\"", "action=\""] {
            for piece in text.split(attribute).skip(1) {
                let address = piece.split('"').next().unwrap();
                let own = address.starts_with(['/', '#', '?']) && !address.starts_with("//");
                let dialled = address.starts_with("tel:");
                let practice = address == "https://www.clinic.example" && path == "/help";
                assert!(own || dialled || practice, "{path}: {address}");
            }
        }
        for inline in ["<style", " style=", " onclick", " onload", "javascript:"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
        assert_eq!(text.matches("<script").count(), usize::from(!path.ends_with("/body")), "{path}");
    }
}

/// Row 18, and the headers of row 8.
#[tokio::test]
async fn pages_are_neither_framed_nor_kept_nor_sniffed() {
    let mut browser = Browser::signed_in();
    for path in pages() {
        let answer = browser.get(&path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("base-uri 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe"), "{path}");
        let framed = path.ends_with("/body");
        assert!(policy.contains(if framed { "frame-ancestors 'self'" } else { "frame-ancestors 'none'" }), "{path}");
        assert_eq!(answer.header("x-frame-options"), if framed { "SAMEORIGIN" } else { "DENY" }, "{path}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
    }
    assert!(browser.send("/", "/sign-out", &[]).await.header("clear-site-data").contains("cache"));
    let back = browser.get(&format!("/m/{}", grant(1))).await;
    assert!(back.location().starts_with("/sign-in"), "Back after sign-out shows nothing");
}

/// Row 19.
#[tokio::test]
async fn another_host_is_misdirected_and_forwarded_hosts_are_not_believed() {
    let mut browser = Browser::new();
    for host in ["evil.example", "mail.clinic.example.evil.example", "mail.clinic.example:80", "", "192.0.2.1"] {
        let answer = browser.ask(Method::GET, "/p/living", &[("host", host)], Body::empty()).await;
        answer.shows(421, &["Our pages are at https://mail.clinic.example"]);
        assert!(host.is_empty() || host.starts_with(HOST) || !answer.text().contains(host), "{host}");
    }
    let absolute = browser.ask(Method::GET, "https://evil.example/p/living", &[], Body::empty()).await;
    assert_eq!(absolute.status, StatusCode::MISDIRECTED_REQUEST);
    for own in ["mail.clinic.example", "MAIL.clinic.example:443"] {
        assert_eq!(browser.ask(Method::GET, "/help", &[("host", own)], Body::empty()).await.status, 200);
    }
    let forwarded =
        [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example"), ("x-forwarded-proto", "http")];
    for path in ["/p/living", "/help", "/sign-in"] {
        let answer = browser.ask(Method::GET, path, &forwarded, Body::empty()).await;
        assert!(answer.status == 200 && !answer.text().contains("evil.example"), "{path}");
    }
}

/// Row 13, as far as the edge answers.
#[tokio::test]
async fn known_and_unknown_names_get_the_same_answer() {
    let mut browser = Browser::new();
    let known = [("address", ADDRESS), ("password", "wrong password here")];
    let unknown = [("address", "none@citizen.example"), ("password", "wrong password here")];
    let told = |answer: Answer, address: &str| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        (answer.status, format!("{headers:?}"), answer.text().replace(address, "?"))
    };
    let first = told(browser.send("/sign-in", "/sign-in", &known).await, ADDRESS);
    let second = told(browser.send("/sign-in", "/sign-in", &unknown).await, "none@citizen.example");
    assert_eq!(first, second);
    let first = told(browser.send("/forgot", "/forgot", &known[..1]).await, ADDRESS);
    let second = told(browser.send("/forgot", "/forgot", &unknown[..1]).await, "none@citizen.example");
    assert_eq!(first, second);
}

/// Row 15, as far as the edge answers: the gateway's own matrix is beside the gateway.
#[tokio::test]
async fn what_is_foreign_is_not_found_whatever_is_asked_of_it() {
    let mut browser = Browser::signed_in();
    let own = browser.get("/m/nonsense").await;
    for rest in ["", "/body", "/reply", "/all.zip", "/d/x"] {
        let foreign = browser.get(&format!("/m/{}{rest}", grant(9))).await;
        assert_eq!(
            (foreign.status, foreign.octets.len()),
            (own.status, own.octets.len() + here(&foreign, &own)),
            "{rest}"
        );
    }
    let foreign_document = format!("/m/{}/d/{}", grant(1), deposit(99));
    assert_eq!(browser.get(&foreign_document).await.status, 404);
    let token = browser.get("/").await.token();
    let path = format!("/m/{}/reply", grant(9));
    form(&mut browser, &path, &[("origin", ORIGIN)], body(&path, &token)).await.shows(404, &[]);
    assert_eq!(browser.clinic.changes(), [""; 0]);
}

/// The address of a page stands in it twice at most, for the language switch; how much longer that makes it.
fn here(page: &Answer, other: &Answer) -> usize {
    let back = |answer: &Answer| {
        let text = answer.text();
        let found = text.split("name=\"back\" value=\"").skip(1).map(|rest| rest.find('"').unwrap());
        found.sum::<usize>()
    };
    back(page) - back(other)
}

/// Row 16, as far as the edge goes.
#[tokio::test]
async fn the_cookie_changes_at_each_step_up_and_is_dead_after_signing_out() {
    let mut browser = Browser::new();
    let set = browser.send("/p/living", "/p/living", &[]).await;
    let cookie =
        set.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).find(|set| set.contains("visit"));
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert!(cookie.unwrap().starts_with("__Host-visit=") && cookie.unwrap().ends_with(attributes), "{cookie:?}");
    let by_link = browser.cookie("__Host-visit").unwrap().to_owned();
    browser.send("/sign-in", "/sign-in", &[("address", ADDRESS), ("password", PASSWORD)]).await;
    let signed_in = browser.cookie("__Host-visit").unwrap().to_owned();
    assert_ne!(by_link, signed_in);
    browser.get("/").await.shows(200, &["Your messages"]);
    browser.send("/", "/sign-out", &[]).await;
    for dead in [by_link, signed_in] {
        let mut thief = browser.another();
        thief.cookies.push(("__Host-visit".into(), dead));
        assert_eq!(thief.get("/").await.location(), "/sign-in");
    }
    let mut fixed = browser.another();
    fixed.cookies.push(("visit".into(), "visit-1".into()));
    assert_eq!(fixed.get("/").await.location(), "/sign-in", "a cookie without the prefix is none");
}

/// Row 38.
#[tokio::test]
async fn used_and_unknown_single_use_links_are_one_answer() {
    let mut browser = Browser::new();
    let pages = [browser.get("/password/used").await.text(), browser.get("/password/none").await.text()];
    let plain = |text: &String| {
        let (before, rest) = text.split_once("<code>").unwrap();
        format!("{before}{}", rest.split_once("</code>").unwrap().1)
            .replace("/password/used", "")
            .replace("/password/none", "")
    };
    assert_eq!(plain(&pages[0]), plain(&pages[1]));
    let used = browser.send("/magic/used", "/magic/used", &[]).await;
    let none = browser.send("/magic/none", "/magic/none", &[]).await;
    assert_eq!((used.status, none.status), (StatusCode::GONE, StatusCode::GONE));
}

/// On a loopback without TLS cookies have neither prefix nor `Secure`; browsers would not send them back else.
#[tokio::test]
async fn without_tls_on_this_machine_the_portal_works_too() {
    let mut browser =
        Browser::with(postern::portal::Settings { origin: Origin::of("http://localhost:8080"), ..settings() });
    let at = [("host", "localhost:8080"), ("origin", "http://localhost:8080")];
    let page = browser.ask(Method::GET, "/p/living", &at, Body::empty()).await;
    page.shows(200, &[]);
    assert_eq!(page.header("strict-transport-security"), "");
    let token = page.token();
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let entered =
        browser.ask(Method::POST, "/p/living", &[at[0], at[1], kind], Body::from(format!("form={token}"))).await;
    assert_eq!(entered.location(), "/sign-in");
    assert!(browser.cookie("visit").is_some());
}

/// A visit that cannot be looked up is not "no visit": nobody is sent to sign in because the store is down.
#[tokio::test]
async fn what_cannot_be_told_is_neither_yes_nor_no() {
    let mut browser = Browser::new();
    browser.has_visit(Proved::default());
    browser.clinic.fails("visit", postern::gateway::visits::VisitError::Unavailable);
    browser.get("/").await.shows(503, &["The fault is ours"]);
}
