//! Types of documents: in whose name a mail leaves, and what stands beside a document in the portal.

use postern::gateway::visits::ParcelQuery;

use super::{Clinic, JANE};

const PAT: &str = "pat@home.example";

/// Jane may send as reception, and not as the accounts.
const TYPES: &str = "from = \"Example Clinic <reception@clinic.example>\"\n\
    [[type]]\nname = \"invoice\"\ntitle = \"Invoice\"\nfrom = \"The Accounts <reception@clinic.example>\"\n\
    [[type.when]]\nfile_name = \"*invoice*\"\n\
    [[type]]\nname = \"letter\"\ntitle = \"Letter\"\nfrom = \"accounts@clinic.example\"\n[[type.when]]\nfile_name = \"*letter*\"\n";

fn with_documents(names: &[&str]) -> String {
    let documents =
        names.iter().map(|name| format!("--b\nContent-Type: application/pdf; name=\"{name}\"\n\n%PDF-1.4\n"));
    format!(
        "From: Dr Jane Roe <{JANE}>\nSender: {JANE}\nSubject: For you\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\n\nPlease see.\n{}--b--\n",
        documents.collect::<String>()
    )
}

#[tokio::test]
async fn documents_of_a_type_leave_in_its_name_where_the_sender_may_use_it() {
    const JANES: &str = "\"Dr Jane Roe\" <jane@clinic.example>";
    const ACCOUNTS: &str = "\"The Accounts\" <reception@clinic.example>";
    const GENERAL: &str = "\"Example Clinic\" <reception@clinic.example>";
    for (names, from) in [
        (&["invoice 1.pdf", "invoice 2.pdf"][..], ACCOUNTS),
        (&["invoice.pdf", "letter.pdf"], GENERAL),
        (&["notes.pdf"], GENERAL),
        (&["letter.pdf"], JANES),
        (&[], JANES),
    ] {
        let clinic = Clinic::with(&[("types.toml", TYPES)]).await;
        clinic.send(&[PAT, "bob@clinic.example"], &with_documents(names)).await.unwrap();
        let letters = clinic.letters().await;
        let of = |who: &str| &letters.iter().find(|(to, _)| to == who).expect("a letter").1;
        assert!(of(PAT).contains(&format!("From: {from}\r\n")), "{names:?}: {}", of(PAT));
        assert_eq!(of(PAT).contains("\r\nSender:"), from == JANES, "{names:?}");
        assert!(of("bob@clinic.example").contains("From: Dr Jane Roe <jane@clinic.example>\r\n"), "relayed as it is");
    }
}

#[tokio::test]
async fn the_type_stands_beside_each_document_and_its_message() {
    let clinic = Clinic::with(&[("types.toml", TYPES)]).await;
    let names = ["notes.pdf", "letter b.pdf", "invoice 1.pdf", "invoice 2.pdf"];
    let (grant, visit) = clinic.give(PAT, &with_documents(&names)).await;
    let view = clinic.gateway.parcel(&visit, grant).await.unwrap();
    let shown: Vec<_> = view.documents.iter().map(|it| (it.name.as_str(), it.title.as_str())).collect();
    let expected =
        [("invoice 1.pdf", "Invoice"), ("invoice 2.pdf", "Invoice"), ("letter b.pdf", "Letter"), ("notes.pdf", "")];
    assert_eq!(shown, expected);
    let found = |search: &str| ParcelQuery { search: search.into(), ..ParcelQuery::default() };
    let rows = clinic.gateway.parcels(&visit, &found("invoice")).await.unwrap();
    assert_eq!(rows[0].titles, ["Invoice", "Letter"]);
    assert!(clinic.gateway.parcels(&visit, &found("radiology")).await.unwrap().is_empty());
}
