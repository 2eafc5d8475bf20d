//! What leaves of a message's header section, whatever its sender's programs and servers put there.

use super::{Clinic, JANE};

/// Names of fields, and whether each stays inside also where a message is relayed to somebody outside.
fn inner_fields() -> Vec<(&'static str, bool)> {
    let lines = include_str!("../../pack/inner-fields.txt").lines();
    let fields: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.strip_prefix('*').map_or((line, false), |name| (name, true)))
        .collect();
    assert!(fields.len() > 200, "{}", fields.len());
    fields
}

/// A value that a reader of the field would take for one, with a mark in it.
fn value(name: &str) -> String {
    match name {
        "Received" => {
            "from LEAK-pc-17.clinic.local ([10.0.0.17]) by LEAK-exch01.clinic.local;\n Sat, 21 Nov 2026 10:00:00 +0000"
        }
        "Bcc" | "Resent-Bcc" | "Resent-From" | "Resent-To" | "Resent-Sender" => "LEAK <leak@LEAK.clinic.local>",
        "Disposition-Notification-To" | "Return-Receipt-To" | "Errors-To" => "<leak@LEAK.clinic.local>",
        "Sensitivity" => "Normal (LEAK)",
        _ => "LEAK exch01.clinic.local 10.0.0.17",
    }
    .to_owned()
}

/// A message with all of them around what may leave.
fn leaking() -> String {
    let inner: String = inner_fields().iter().map(|(name, _)| format!("{name}: {}\n", value(name))).collect();
    format!(
        "Received: from LEAK (LEAK [10.0.0.17]) by LEAK; Sat, 21 Nov 2026 10:00:00 +0000\n{inner}\
         From: Jane Roe <{JANE}>\nTo: pat@home.example\nSubject: Your letter\nDate: Sat, 21 Nov 2026 10:00:00 +0000\n\
         Message-ID: <kept.1@clinic.example>\nIn-Reply-To: <asked.0@home.example>\n\
         References: <root@home.example> <asked.0@home.example>\nImportance: high (LEAK)\nX-Priority: 1 (LEAK)\n\
         Precedence: bulk\nList-Id: LEAK <news.clinic.example>\n\
         List-Unsubscribe: <https://LEAK.clinic.local/u>, <https://news.example/u>\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\nAuto-Submitted: no; LEAK\nX-Auto-Response-Suppress: OOF, LEAK\n\
         Content-Language: LEAK\nMIME-Version: 1.0 (LEAK)\nContent-Type: text/plain\n\nWords.\n"
    )
}

/// The header section: names in order, and the whole.
fn header(letter: &str) -> (Vec<String>, &str) {
    let header = letter.split("\r\n\r\n").next().unwrap();
    let fields = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    (fields.map(|line| line.split(':').next().unwrap().to_owned()).collect(), header)
}

#[tokio::test]
async fn nothing_of_the_house_is_in_a_message_built_anew() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&["pat@home.example"], &leaking()).await.unwrap();
    let letters = clinic.letters().await;
    let (names, header) = header(&letters[0].1);
    let expected = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Importance",
        "X-Priority",
        "Precedence",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "X-Auto-Response-Suppress",
        "Auto-Submitted",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, expected);
    for told in ["LEAK", "leak@", "clinic.local", "10.0.0.17"] {
        assert!(!letters[0].1.contains(told), "{told} in {header}");
    }
    assert!(header.contains("Message-ID: <kept.1@clinic.example>\r\n"), "a reply finds its thread");
    assert!(header.contains("List-Unsubscribe: <https://news.example/u>\r\n"), "{header}");
    assert!(
        header.contains("Importance: high\r\n") && header.contains("X-Auto-Response-Suppress: OOF\r\n"),
        "{header}"
    );
}

#[tokio::test]
async fn a_relayed_message_keeps_its_fields_but_those_that_tell_outsiders_of_the_inner_machines() {
    let rule = "[[rule]]\nname = \"friends\"\n[rule.when]\nrecipient_domain = \"friend.example\"\n[rule.set]\ntreatment = \"relay\"\n";
    let clinic = Clinic::with(&[("90-friends.toml", rule)]).await;
    clinic.send(&["bob@clinic.example", "kim@friend.example"], &leaking()).await.unwrap();
    let letters = clinic.letters().await;
    let of = |to: &str| header(&letters.iter().find(|(address, _)| address == to).unwrap().1);
    let (bobs, (kims, whole)) = (of("bob@clinic.example").0, of("kim@friend.example"));
    for (name, inner) in inner_fields() {
        let (bob, kim) = (bobs.iter().any(|it| it == name), kims.iter().any(|it| it == name));
        let hidden = ["Bcc", "Resent-Bcc"].contains(&name);
        assert_eq!((bob, kim), (!hidden, !hidden && !inner), "{name}");
    }
    assert!(whole.contains("\r\nMessage-ID: <kept.1@clinic.example>\r\n"), "{whole}");
}
