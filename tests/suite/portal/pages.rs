//! Every page in every state: its status, what it says, where it leads.

use axum::body::Body;
use axum::http::Method;
use postern::access::Proved;
use postern::gateway::visits::VisitError;
use postern::policy::Role;

use super::browser::{Browser, ORIGIN};
use super::fake::{ADDRESS, PASSWORD, days, grant, signed_in};

#[tokio::test]
async fn a_link_says_who_sent_what_and_until_when_and_what_comes_next() {
    let mut browser = Browser::new();
    let page = browser.get("/p/living").await;
    page.shows(
        200,
        &["Example Clinic has sent you 2 documents", "Dr Maria Nowak", "22 November 2026", "29 November 2026"],
    );
    page.shows(200, &["You will be asked to sign in", "+61 2 5550 1234", "mail.clinic.example", "<html lang=\"en\">"]);
    for (token, says) in [
        ("registers", "It takes about two minutes"),
        ("code", "We will e-mail you a code"),
        ("birthdate", "date of birth"),
        ("magic", "a link that works once"),
        ("open", "has sent you a message"),
    ] {
        browser.get(&format!("/p/{token}")).await.shows(200, &[says]);
    }
}

#[tokio::test]
async fn a_link_that_does_not_work_says_why_and_what_to_do() {
    let mut browser = Browser::new();
    browser.get("/p/over").await.shows(200, &["This link has expired", "E-mail me a new link", "/p/over/fresh"]);
    let sent = browser.send("/p/over", "/p/over/fresh", &[]).await;
    assert_eq!(sent.location(), "/p/over?mailed");
    browser.get("/p/over?mailed").await.shows(200, &["A new link is on its way"]);
    assert_eq!(browser.clinic.changes(), ["mail_fresh_link"]);
    browser.get("/p/withdrawn").await.shows(410, &["taken this message back", "+61 2 5550 1234"]);
    browser.get("/p/nothing").await.shows(404, &["This link leads to nothing", "/sign-in"]);
    browser.clinic.fails("mail_fresh_link", VisitError::LockedUntil(days(1)));
    browser.send("/p/over", "/p/over/fresh", &[]).await.shows(429, &["Too many tries", "23 November 2026"]);
}

#[tokio::test]
async fn a_press_begins_a_visit_and_leads_to_the_next_step() {
    for (token, leads) in [
        ("living", "/sign-in".to_owned()),
        ("registers", "/register".to_owned()),
        ("code", "/code?sent".to_owned()),
        ("birthdate", "/birthdate".to_owned()),
        ("magic", "/magic".to_owned()),
        ("open", format!("/m/{}", grant(1))),
    ] {
        let mut browser = Browser::new();
        let page = format!("/p/{token}");
        let entered = browser.send(&page, &page, &[]).await;
        assert_eq!(entered.location(), leads, "{token}");
        assert!(browser.cookie("__Host-visit").is_some(), "{token}");
        assert_eq!(browser.cookie("__Host-face"), Some("example-clinic"));
    }
}

#[tokio::test]
async fn signing_in_leads_where_one_was_going_and_out_again() {
    let mut browser = Browser::new();
    let there = format!("/m/{}/reply", grant(1));
    let asked = browser.get(&there).await;
    let sign_in = asked.location().to_owned();
    assert_eq!(sign_in, format!("/sign-in?to=m/{}/reply", grant(1)));
    let to = sign_in.split_once("to=").unwrap().1.to_owned();
    let form = [("address", ADDRESS), ("password", PASSWORD), ("to", to.as_str())];
    assert_eq!(browser.send(&sign_in, "/sign-in", &form).await.location(), there);
    browser.get(&there).await.shows(200, &["Sign out", "Your message"]);
    assert_eq!(browser.send("/", "/sign-out", &[]).await.location(), "/signed-out");
    browser.get("/signed-out").await.shows(200, &["You are signed out"]);
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    let elsewhere = [("address", ADDRESS), ("password", PASSWORD), ("to", "//evil.example")];
    assert_eq!(browser.send("/sign-in", "/sign-in", &elsewhere).await.location(), format!("/m/{}", grant(1)));
}

#[tokio::test]
async fn what_hinders_signing_in_has_its_page() {
    let mut browser = Browser::new();
    let wrong = [("address", "j@x.example"), ("password", "no")];
    let page = browser.send("/sign-in", "/sign-in", &wrong).await;
    page.shows(
        422,
        &["There is a problem", "href=\"#address\"", "aria-describedby=\"address-fault\"", "value=\"j@x.example\""],
    );
    assert!(!page.text().contains("value=\"no\""), "a password never comes back");
    browser.clinic.fails("guest_sign_in", VisitError::LockedUntil(days(1)));
    let locked = browser.send("/sign-in", "/sign-in", &wrong).await;
    locked.shows(429, &["Too many tries", "works again by itself"]);
    assert!(locked.header("retry-after").parse::<u64>().is_ok());
    browser.clinic.fails("guest_sign_in", VisitError::Busy);
    browser.send("/sign-in", "/sign-in", &wrong).await.shows(503, &["try again in a moment"]);
    for (after, says) in [("password", "Your password is set"), ("draft", "Your text is kept"), ("closed", "is closed")]
    {
        browser.get(&format!("/sign-in?after={after}")).await.shows(200, &[says]);
    }
}

#[tokio::test]
async fn a_patient_registers_with_a_birthdate_and_wrong_ones_say_what_is_left() {
    let mut browser = Browser::new();
    browser.clinic.invites_as(Some(Role::Patient));
    browser.has_visit(Proved::default());
    let form = browser.get("/register").await;
    form.shows(
        200,
        &["Dr Maria Nowak", ADDRESS, "Full name", "Date of birth", "You have 3 tries", "autocomplete=\"bday-day\""],
    );
    let typed = |day| {
        [
            ("name", "Jane Citizen"),
            ("phone", "+61 2 5550 9999"),
            ("birthdate-day", day),
            ("birthdate-month", "3"),
            ("birthdate-year", "1980"),
        ]
    };
    let wrong = browser.send("/register", "/register", &typed("5")).await;
    wrong.shows(422, &["You have one more try", "value=\"Jane Citizen\"", "name=\"birthdate-day\"", "value=\"5\""]);
    let faulty = browser.send("/register", "/register", &[("phone", "x")]).await;
    faulty.shows(
        422,
        &[
            "Full name: Fill this in",
            "Enter a phone number",
            "href=\"#name\"",
            "id=\"phone-fault\"",
            "phone-hint phone-fault",
        ],
    );
    assert_eq!(browser.send("/register", "/register", &typed("4")).await.location(), "/register/sent");
    let answers = browser.clinic.answers();
    let expected =
        [("email", ADDRESS), ("phone", "+61 2 5550 9999"), ("name", "Jane Citizen"), ("birthdate", "1980-03-04")];
    assert_eq!(answers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    browser.get("/register/sent").await.shows(200, &["j•••@citizen.example", "choose your password"]);
    let last = [("name", "Jane"), ("birthdate-day", "1"), ("birthdate-month", "1"), ("birthdate-year", "1900")];
    assert_eq!(browser.send("/register", "/register", &last).await.location(), "/register/closed");
    browser.get("/register/closed").await.shows(200, &["Registration is closed", "+61 2 5550 1234"]);
    browser.get("/register/over").await.shows(200, &["This invitation has expired"]);
}

#[tokio::test]
async fn a_doctor_refines_the_procedures_of_the_specialty() {
    let mut browser = Browser::new();
    browser.clinic.invites_as(Some(Role::Doctor));
    browser.has_visit(Proved::default());
    browser.get("/register").await.shows(200, &["<option>Cardiology</option>", "Yes, I work at Example Clinic"]);
    let typed = [("mobile", "+61 491 570 006"), ("name", "Dr Who"), ("specialty", "Cardiology"), ("practice", "yes")];
    let page = browser.send("/register", "/register", &typed).await;
    page.shows(
        200,
        &["What do you do?", "value=\"Echocardiography\" checked", "name=\"name\" value=\"Dr Who\"", "Dermoscopy"],
    );
    assert!(browser.clinic.answers().is_empty(), "nothing is registered yet");
    let token = page.token();
    let ticked = [
        ("form", token.as_str()),
        ("procedures-of", "Cardiology"),
        ("procedures", "Holter monitoring"),
        ("procedures", "Dermoscopy"),
    ];
    let done = browser.post("/register", &[&ticked[..], &typed[..]].concat()).await;
    assert_eq!(done.location(), "/register/sent");
    let answers = browser.clinic.answers();
    let procedures: Vec<_> =
        answers.iter().filter(|(name, _)| name == "procedures").map(|(_, value)| value.as_str()).collect();
    assert_eq!(procedures, ["Holter monitoring", "Dermoscopy"]);
    let changed =
        [&ticked[..3], &[("specialty", "Dermatology"), ("name", "Dr Who"), ("mobile", "1"), ("practice", "yes")]]
            .concat();
    browser.post("/register", &changed).await.shows(200, &["What do you do?", "value=\"Dermoscopy\" checked"]);
}

#[tokio::test]
async fn every_role_has_its_form_and_staff_may_have_to_wait() {
    for role in Role::ALL.map(Some).into_iter().chain([None]) {
        let mut browser = Browser::new();
        browser.clinic.invites_as(role);
        browser.has_visit(Proved::default());
        browser.get("/register").await.shows(200, &["Full name", "Continue"]);
    }
    let mut browser = Browser::new();
    browser.clinic.invites_as(Some(Role::Staff));
    browser.has_visit(Proved::default());
    let typed = [("name", "Waits"), ("mobile", "+61 491 570 006"), ("practice", "yes")];
    assert_eq!(browser.send("/register", "/register", &typed).await.location(), "/register/waiting");
    browser.get("/register/waiting").await.shows(200, &["An administrator of Example Clinic"]);
    browser.clinic.fails("registration", VisitError::NotFound);
    assert_eq!(browser.get("/register").await.location(), "/sign-in", "who has registered signs in");
}

#[tokio::test]
async fn a_password_is_set_by_its_link_and_a_used_one_leads_to_another() {
    let mut browser = Browser::new();
    browser
        .get("/password/first")
        .await
        .shows(200, &["Choose a password", ADDRESS, "autocomplete=\"new-password\"", "At least 15"]);
    browser.get("/password/again").await.shows(200, &["Choose a new password"]);
    let short = browser.send("/password/first", "/password/first", &[("password", "short")]).await;
    short.shows(422, &["needs at least 15 characters"]);
    let set = browser.send("/password/first", "/password/first", &[("password", PASSWORD)]).await;
    assert_eq!(set.location(), "/sign-in?after=password");
    browser
        .send("/password/again", "/password/again", &[("password", PASSWORD)])
        .await
        .shows(410, &["was used, or has expired"]);
    browser.get("/password/used").await.shows(410, &["E-mail me a new link", "href=\"/forgot\""]);
    let empty = browser.send("/forgot", "/forgot", &[("address", " ")]).await;
    empty.shows(422, &["Fill this in"]);
    assert_eq!(browser.send("/forgot", "/forgot", &[("address", "a@b.example")]).await.location(), "/forgot?mailed");
    browser.get("/forgot?mailed").await.shows(200, &["If there is an account with this address"]);
}

#[tokio::test]
async fn codes_birthdates_and_single_use_links_are_asked_for_and_say_what_is_left() {
    let mut browser = Browser::new();
    browser.has_visit(Proved::default());
    browser.get("/code").await.shows(200, &["We will e-mail you a code", "j•••@citizen.example"]);
    let mailed = browser.send("/code", "/code/mail", &[]).await.location().to_owned();
    assert_eq!(mailed, format!("/code?sent&for={}", grant(1)));
    browser
        .get(&mailed)
        .await
        .shows(200, &["Enter the code", "autocomplete=\"one-time-code\"", "inputmode=\"numeric\""]);
    browser.send(&mailed, "/code", &[("code", "000000")]).await.shows(422, &["You have 4 more tries", "aria-invalid"]);
    let before = browser.cookie("__Host-visit").unwrap().to_owned();
    assert_eq!(browser.send(&mailed, "/code", &[("code", "123 456")]).await.location(), format!("/m/{}", grant(1)));
    assert_ne!(browser.cookie("__Host-visit").unwrap(), before, "the id changes");

    let birthdate = |day| [("birthdate-day", day), ("birthdate-month", "3"), ("birthdate-year", "1980")];
    browser
        .send("/birthdate", "/birthdate", &birthdate("5"))
        .await
        .shows(422, &["You have 2 more tries", "value=\"5\""]);
    browser.send("/birthdate", "/birthdate", &birthdate("x")).await.shows(422, &["Enter a date of birth"]);
    assert_eq!(browser.send("/birthdate", "/birthdate", &birthdate("4")).await.location(), format!("/m/{}", grant(1)));

    browser.get("/magic").await.shows(200, &["It works once"]);
    let mailed = browser.send("/magic", "/magic", &[]).await.location().to_owned();
    browser.get(&mailed).await.shows(200, &["Check your e-mail", "E-mail another link"]);
    let mut other = browser.another();
    let answer = other.send("/magic/magic", "/magic/magic", &[]).await;
    assert_eq!(answer.location(), format!("/m/{}", grant(1)));
    other.send("/magic/used", "/magic/used", &[]).await.shows(410, &["was used, or has expired"]);
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_ordered() {
    let mut browser = Browser::signed_in();
    let list = browser.get("/").await;
    list.shows(
        200,
        &[
            "Your blood test of 20 November",
            "Management plan",
            "Message for another check",
            "New",
            "Kept until 29 November 2026",
        ],
    );
    let asked = [("q", "management"), ("kind", "pdf"), ("sort", "sender")];
    let found = browser.send("/", "/", &asked).await.location().to_owned();
    let found = browser.get(&found).await;
    found.shows(
        200,
        &[
            "1 message found",
            "Management plan",
            "value=\"management\"",
            "value=\"pdf\" selected",
            "value=\"sender\" selected",
        ],
    );
    assert!(!found.text().contains("blood test"));
    let nothing = browser.send("/", "/", &[("q", "<script>"), ("kind", "nonsense")]).await.location().to_owned();
    browser.get(&nothing).await.shows(200, &["Nothing found", "&#60;script&#62;"]);
    for (asked, address) in
        [(&[("q", " "), ("sort", "newest")][..], "/"), (&[("kind", "pdf"), ("sort", "kind")], "/?kind=pdf&sort=kind")]
    {
        assert_eq!(browser.send("/", "/", asked).await.location(), address, "without words nothing is held");
    }
    let mut fresh = Browser::new();
    fresh.has_visit(Proved::default());
    assert_eq!(fresh.get("/").await.location(), format!("/sign-in?to=m/{}", grant(1)));
}

/// What was searched for, the name of a patient as a rule, stood in the address: so in the browser's history and in the logs
/// of proxies.
#[tokio::test]
async fn no_address_says_what_was_searched_for() {
    let mut browser = Browser::signed_in();
    let address = browser.send("/", "/", &[("q", "management"), ("sort", "sender")]).await.location().to_owned();
    assert!(address.starts_with("/?found=") && address.ends_with("&sort=sender"), "{address}");
    let page = browser.get(&address).await;
    page.shows(200, &["1 message found", "value=\"management\"", "method=\"post\" action=\"/\""]);
    for attribute in ["href=\"", "action=\"", "src=\"", "name=\"back\" value=\""] {
        for piece in page.text().split(attribute).skip(1) {
            assert!(!piece.split('"').next().unwrap().contains("management"), "{piece:.80}");
        }
    }
    let second = browser.send("/", "/", &[("q", "blood")]).await.location().to_owned();
    browser.get(&second).await.shows(200, &["value=\"blood\""]);
    browser.get(&address).await.shows(200, &["value=\"management\""]);
    browser.get(&address).await.shows(200, &["value=\"management\""]);
    browser.get("/?q=management").await.shows(200, &["blood test", "value=\"\""]);
    let mut other = browser.another();
    other.has_visit(signed_in());
    let foreign = other.get(&address).await;
    foreign.shows(200, &["blood test"]);
    assert!(!foreign.text().contains("value=\"management\""), "another visit finds nothing by it");
    assert!(!browser.cookies.iter().any(|(_, value)| value.contains("management")));
}

/// The logo of a sender's signature counted as a document: the notice said two and a picture, the pages three.
#[tokio::test]
async fn a_message_shows_its_documents_its_text_and_what_was_replied() {
    let mut browser = Browser::signed_in();
    let message = browser.get(&format!("/m/{}", grant(1))).await;
    message.shows(
        200,
        &["Your blood test", "About Jane Citizen", "JaneCitizenBloodTest.pdf", "1.4 MB", "all.zip", "<iframe"],
    );
    message.shows(200, &["Thank you.\nJane", "form.pdf", "/reply\">Reply", "5 documents", "1 picture from the text"]);
    browser.get("/p/living").await.shows(200, &["sent you 2 documents", "With 1 picture from the text."]);
    let body = browser.get(&format!("/m/{}/body", grant(1))).await;
    body.shows(200, &["your results are <b>attached</b>"]);
    let plain = browser.get(&format!("/m/{}", grant(2))).await;
    plain.shows(200, &["plain &#60;b&#62;text", "This message takes no replies", "+61 2 5550 1234"]);
    browser.get(&format!("/m/{}?replied", grant(1))).await.shows(200, &["Your reply was sent to Dr Maria Nowak"]);
    browser.get(&format!("/m/{}", grant(9))).await.shows(404, &["There is nothing here", "If you call, this number"]);
    browser.get("/m/nonsense").await.shows(404, &["There is nothing here"]);
    let mut shown = Browser::new();
    shown.has_visit(Proved::default());
    assert_eq!(shown.get(&format!("/m/{}", grant(1))).await.location(), format!("/sign-in?to=m/{}", grant(1)));
}

#[tokio::test]
async fn the_account_changes_its_password_ends_visits_and_closes() {
    let mut browser = Browser::signed_in();
    browser.get("/account").await.shows(200, &["Jane Citizen", ADDRESS, "Patient", "Sign out everywhere else"]);
    browser.get("/account/password").await.shows(200, &["Present password", "autocomplete=\"current-password\""]);
    let form = |present, new| [("present", present), ("password", new)];
    let change = "/account/password";
    browser
        .send(change, change, &form("no", PASSWORD))
        .await
        .shows(422, &["present password is not right", "#present"]);
    browser
        .send(change, change, &form(PASSWORD, "password12345678"))
        .await
        .shows(422, &["known to people", "#password"]);
    let before = browser.cookie("__Host-visit").unwrap().to_owned();
    assert_eq!(
        browser.send(change, change, &form(PASSWORD, "another good one 77")).await.location(),
        "/account?password"
    );
    assert_ne!(browser.cookie("__Host-visit").unwrap(), before);
    browser.get("/account?password").await.shows(200, &["Your password is changed"]);
    assert_eq!(browser.send("/account", "/account/visits", &[]).await.location(), "/account?visits");
    browser.get("/account?visits").await.shows(200, &["signed out everywhere else"]);
    let close = "/account/close";
    browser.send(close, close, &[("password", "no")]).await.shows(422, &["present password is not right"]);
    assert_eq!(browser.send(close, close, &[("password", PASSWORD)]).await.location(), "/sign-in?after=closed");
    assert!(browser.cookie("__Host-visit").is_none());
    let mut shown = Browser::new();
    shown.has_visit(Proved::default());
    assert_eq!(shown.get("/account").await.location(), "/sign-in?to=account");
}

#[tokio::test]
async fn help_names_the_practice_and_the_language_can_be_changed() {
    let mut browser = Browser::new();
    browser.get("/help").await.shows(200, &["How to check", "12 Harbour Street", "mail.clinic.example", "Français"]);
    let changed = browser.send("/help", "/language", &[("language", "fr"), ("back", "/help")]).await;
    assert_eq!(changed.location(), "/help");
    browser.get("/help").await.shows(200, &["<html lang=\"fr\">", "English"]);
    browser.send("/help", "/language", &[("language", "xx")]).await.shows(400, &[]);
    let mut french = Browser::new();
    french.language = "de;q=0.9, fr-CA, en;q=0.5";
    french.get("/p/living").await.shows(200, &["<html lang=\"fr\">", "22 novembre 2026"]);
}

#[tokio::test]
async fn errors_have_a_page_with_a_next_step_and_the_number_that_the_log_has() {
    let mut browser = Browser::signed_in();
    let parcel = format!("/m/{}", grant(1));
    for (error, status, says) in [
        (VisitError::Unavailable, 503, "The fault is ours"),
        (VisitError::Full, 507, "cannot be stored"),
        (VisitError::Busy, 503, "in a moment"),
        (VisitError::LockedUntil(days(1)), 429, "23 November 2026"),
        (VisitError::NotFound, 404, "There is nothing here"),
    ] {
        browser.clinic.fails("parcel", error);
        let page = browser.get(&parcel).await;
        page.shows(status, &[says, "class=\"button\"", "+61 2 5550 1234", "<code>"]);
    }
    browser.get("/nowhere").await.shows(404, &["There is nothing here"]);
    browser.get("/code/mail").await.shows(303, &[]);
    let form = [("origin", ORIGIN), ("content-type", "application/x-www-form-urlencoded")];
    browser.ask(Method::POST, "/help", &form, Body::empty()).await.shows(405, &["only takes forms"]);
    browser.ask(Method::DELETE, "/account", &form, Body::empty()).await.shows(405, &[]);
    browser
        .ask(Method::POST, "/forgot", &[("origin", ORIGIN)], Body::from("a=b"))
        .await
        .shows(400, &["could not be read"]);
}

#[tokio::test]
async fn what_never_changes_may_be_kept_and_has_a_name_of_its_content() {
    let mut browser = Browser::new();
    let page = browser.get("/p/living").await.text();
    let assets: Vec<_> = page.split('"').filter(|piece| piece.starts_with("/static/")).map(str::to_owned).collect();
    assert_eq!(assets.len(), 4, "{assets:?}");
    let mut octets = page.len();
    for asset in &assets {
        let answer = browser.get(asset).await;
        answer.shows(200, &[]);
        assert!(answer.header("cache-control").contains("immutable"), "{asset}");
        octets += answer.octets.len();
    }
    assert!(octets < 50_000, "{octets} octets for one page");
    browser.get("/static/portal-000000000000.css").await.shows(404, &[]);
    let paint = browser.get("/static/paint-1f5c7a.css").await;
    paint.shows(200, &["--brand:#1f5c7a", "--on-brand:#ffffff"]);
    for none in ["paint-zzzzzz.css", "paint-1F5C7A.css", "paint-.css", "..%2f..%2fCargo.toml"] {
        browser.get(&format!("/static/{none}")).await.shows(404, &[]);
    }
    browser.get("/logo/nobody").await.shows(404, &[]);
}
