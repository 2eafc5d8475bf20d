//! Mailboxes over a real store.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::blob::BlobStore;
use crate::id::{Id, MailboxId, OwnerId};
use crate::keyring::{Keyring, MasterKey, MasterSource};
use crate::store::{Batch, StoreSettings, Table, now};

const JANE: [u8; 16] = [1; 16];

fn jane() -> OwnerId {
    OwnerId::from_octets(JANE)
}

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

async fn open(home: &Path, limits: MailLimits) -> Mailboxes {
    let (keys, data) = (home.join("keys"), home.join("data"));
    let file = keys.join("master.key");
    let keyring = if Keyring::exists(&keys) {
        Keyring::open(&keys, &MasterKey::read(&MasterSource::File(file)).unwrap(), now().day()).unwrap()
    } else {
        Keyring::create(&keys, &MasterKey::make_file(&file).unwrap(), now().day()).unwrap()
    };
    let settings = StoreSettings { folder: data.clone(), cache: 8 << 20, checkpoint_every: 64 << 20 };
    let store = Store::open(settings, keyring.clone()).await.unwrap();
    let objects = Objects::new(store.clone(), BlobStore::open(&data.join("blob")).unwrap());
    let mailboxes = Mailboxes::new(store, keyring, objects, limits);
    mailboxes.prepare(jane()).await.unwrap();
    mailboxes
}

async fn fresh() -> (tempfile::TempDir, Mailboxes, MailboxId) {
    let home = tempfile::tempdir().unwrap();
    let mailboxes = open(home.path(), MailLimits::default()).await;
    let inbox = mailboxes.find(jane(), &MailboxName::inbox()).await.unwrap();
    (home, mailboxes, inbox)
}

async fn append(mailboxes: &Mailboxes, to: MailboxId, octets: &[u8]) -> Appended {
    append_with(mailboxes, to, octets, &FlagSet::default()).await
}

async fn append_with(mailboxes: &Mailboxes, to: MailboxId, octets: &[u8], flags: &FlagSet) -> Appended {
    let mut mail = mailboxes.begin();
    mail.write(octets).await.unwrap();
    mailboxes.append(jane(), to, mail, flags, now()).await.unwrap()
}

async fn view(mailboxes: &Mailboxes, id: MailboxId) -> View {
    mailboxes.open(jane(), id).await.unwrap().view().await.unwrap()
}

fn uids(uids: impl IntoIterator<Item = Uid>) -> Uids {
    uids.into_iter().collect()
}

fn flags(texts: &[&str]) -> FlagSet {
    let mut set = FlagSet::default();
    texts.iter().for_each(|text| set.add(text).unwrap());
    set
}

async fn octets(mailboxes: &Mailboxes, row: &Row) -> Vec<u8> {
    let content = mailboxes.content(row).await.unwrap();
    mailboxes.octets(&content, 0..u64::MAX).await.unwrap().collect().await.unwrap()
}

#[tokio::test]
async fn a_message_is_there_as_it_came_and_after_a_restart() {
    let (home, mailboxes, inbox) = fresh().await;
    let small = b"Subject: a\r\nMessage-ID: <1@x>\r\n\r\nbody\0with\nodd ends";
    let large = [b"Subject: b\r\nReferences: <1@x>\r\n\r\n".as_slice(), &[b'.'; 200_000]].concat();
    let before = append(&mailboxes, inbox, small).await;
    let after = append(&mailboxes, inbox, &large).await;
    assert_eq!((before.uid, after.uid), (1, 2));
    mailboxes.store.clone().close().await.unwrap();
    drop(mailboxes);
    let mailboxes = open(home.path(), MailLimits::default()).await;
    let view = view(&mailboxes, inbox).await;
    assert_eq!((view.validity(), view.len(), view.uid_next()), (before.validity, 2, 3));
    assert_eq!(octets(&mailboxes, view.row(0).unwrap()).await, small);
    assert_eq!(octets(&mailboxes, view.row(1).unwrap()).await, large);
    let contents = [mailboxes.content(view.row(0).unwrap()).await, mailboxes.content(view.row(1).unwrap()).await];
    let [first, second] = contents.map(Result::unwrap);
    assert_eq!(first.thread(), second.thread());
    assert_eq!(first.header().unwrap(), &small[..small.len() - 18]);
    assert!(first.preview().starts_with("body"), "{}", first.preview());
    let part = mailboxes.octets(&second, 34..38).await.unwrap().collect().await.unwrap();
    assert_eq!(part, large[34..38]);
}

#[tokio::test]
async fn what_is_asked_first_is_what_the_record_says() {
    let (_home, mailboxes, inbox) = fresh().await;
    let long = format!("Subject: c\r\n{}\r\nbody", "X-Long: x\r\n".repeat(2_000));
    for message in ["Subject: a\r\nReferences: <1@x>\r\n\r\nbody", "\r\nbody", "", &long] {
        append(&mailboxes, inbox, message.as_bytes()).await;
    }
    let before = view(&mailboxes, inbox).await;
    let gone = append(&mailboxes, inbox, b"gone").await;
    let with_gone = view(&mailboxes, inbox).await;
    mailboxes.set_flags(jane(), inbox, &uids([gone.uid]), &FlagChange::Add(flags(&["\\Deleted"])), None).await.unwrap();
    mailboxes.expunge(jane(), inbox, None).await.unwrap();
    let mails: Vec<_> = with_gone.rows().map(|row| row.mail).collect();
    let briefs =
        mailboxes.briefs(&mails, |at, brief| (at, brief.thread(), brief.header().map(<[u8]>::to_vec))).unwrap();
    assert!(briefs[4].is_none());
    for (at, (row, brief)) in before.rows().zip(briefs).enumerate() {
        let content = mailboxes.content(row).await.unwrap();
        let header = content.header().filter(|header| !header.is_empty()).map(|header| header.to_vec());
        assert_eq!(header.is_some(), at < 2);
        assert_eq!(brief, Some((at, content.thread(), header)));
    }
}

#[tokio::test]
async fn names_are_made_renamed_subscribed_and_deleted() {
    let (_home, mailboxes, inbox) = fresh().await;
    let listed = async || {
        let lines = mailboxes.list(jane()).await.unwrap();
        lines
            .into_iter()
            .map(|it| (it.name.as_str().to_owned(), it.id.is_some(), it.subscribed, it.has_children))
            .collect::<Vec<_>>()
    };
    let first: Vec<String> = listed().await.into_iter().map(|line| line.0).collect();
    assert_eq!(first, ["Drafts", "INBOX", "Junk", "Sent", "Trash"]);
    let old = mailboxes.create(jane(), &name("Work/2026/May"), None).await.unwrap();
    append(&mailboxes, old, b"a").await;
    assert!(matches!(mailboxes.create(jane(), &name("Work/2026/May"), None).await, Err(MailboxError::Exists)));
    assert!(matches!(mailboxes.create(jane(), &name("x"), Some(SpecialUse::Sent)).await, Err(MailboxError::UseTaken)));
    let work: Vec<_> = listed().await.into_iter().filter(|line| line.0.starts_with("Work")).collect();
    let line = |name: &str, there, children| (name.to_owned(), there, false, children);
    assert_eq!(work, [line("Work", false, true), line("Work/2026", false, true), line("Work/2026/May", true, false)]);
    assert!(matches!(mailboxes.delete(jane(), &name("Work")).await, Err(MailboxError::HasChildren)));
    mailboxes.rename(jane(), &name("Work"), &name("Old")).await.unwrap();
    assert_eq!(mailboxes.find(jane(), &name("Old/2026/May")).await.unwrap(), old);
    assert!(matches!(mailboxes.rename(jane(), &name("Sent"), &name("Trash")).await, Err(MailboxError::Exists)));
    mailboxes.subscribe(jane(), &name("Nowhere"), true).await.unwrap();
    assert!(listed().await.contains(&("Nowhere".to_owned(), false, true, false)));
    assert!(matches!(mailboxes.delete(jane(), &MailboxName::inbox()).await, Err(MailboxError::Kept)));
    let validity = mailboxes.status(jane(), old).await.unwrap().validity;
    mailboxes.delete(jane(), &name("Old/2026/May")).await.unwrap();
    assert!(matches!(mailboxes.status(jane(), old).await, Err(MailboxError::Missing)));
    let again = mailboxes.create(jane(), &name("Old/2026/May"), None).await.unwrap();
    assert!(mailboxes.status(jane(), again).await.unwrap().validity > validity);
    assert!(nothing_but(&mailboxes, 0).await, "deleted with its messages");

    append(&mailboxes, inbox, b"b").await;
    mailboxes.rename(jane(), &MailboxName::inbox(), &name("Before")).await.unwrap();
    let moved = mailboxes.find(jane(), &name("Before")).await.unwrap();
    assert_eq!((view(&mailboxes, inbox).await.len(), view(&mailboxes, moved).await.len()), (0, 1));
    let stranger = OwnerId::from_octets([2; 16]);
    mailboxes.prepare(stranger).await.unwrap();
    assert!(matches!(mailboxes.open(stranger, inbox).await, Err(MailboxError::Missing)));
    assert!(matches!(mailboxes.copy(jane(), inbox, &uids([1]), moved).await, Ok(copied) if copied.to.is_empty()));
}

/// Whether there are so many messages in the store, with their objects, and nothing else of messages.
async fn nothing_but(mailboxes: &Mailboxes, messages: usize) -> bool {
    let count = async |table| mailboxes.store.scan_keys(table, &[], &[], usize::MAX).await.unwrap().len();
    let counts = [count(Table::MailContent).await, count(Table::Object).await, count(Table::ObjectOctets).await];
    counts == [messages; 3]
}

#[tokio::test]
async fn who_waits_is_told_and_recent_is_told_once() {
    let (_home, mailboxes, inbox) = fresh().await;
    let open = mailboxes.open(jane(), inbox).await.unwrap();
    let mut changes = open.changes();
    let before = open.view().await.unwrap();
    assert_eq!(open.claim_recent(&before), 1..1);
    changes.mark_unchanged();
    append(&mailboxes, inbox, b"a").await;
    tokio::time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
    let view = open.view().await.unwrap();
    assert_eq!(view.difference(&before).arrived, 1);
    assert_eq!(mailboxes.status(jane(), inbox).await.unwrap().recent, 1);
    assert_eq!((open.claim_recent(&view), open.claim_recent(&view)), (1..2, 2..2));
    assert_eq!(mailboxes.status(jane(), inbox).await.unwrap().recent, 0);
    // A mailbox that is deleted while it is open says so.
    let id = mailboxes.create(jane(), &name("x"), None).await.unwrap();
    let open = mailboxes.open(jane(), id).await.unwrap();
    let mut changes = open.changes();
    mailboxes.delete(jane(), &name("x")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
    assert!(matches!(open.view().await, Err(MailboxError::Missing)));
}

#[tokio::test]
async fn limits_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let limits = MailLimits { message: 100, account: 150, mailboxes: 6, ..MailLimits::default() };
    let mailboxes = open(home.path(), limits).await;
    let inbox = mailboxes.find(jane(), &MailboxName::inbox()).await.unwrap();
    assert!(matches!(mailboxes.begin().write(&[0; 101]).await, Err(MailboxError::TooLarge)));
    append(&mailboxes, inbox, &[b'a'; 80]).await;
    let mut mail = mailboxes.begin();
    mail.write(&[b'b'; 80]).await.unwrap();
    let refused = mailboxes.append(jane(), inbox, mail, &FlagSet::default(), now()).await;
    assert!(matches!(refused, Err(MailboxError::OverQuota)));
    assert!(matches!(mailboxes.copy(jane(), inbox, &uids([1]), inbox).await, Err(MailboxError::OverQuota)));
    assert_eq!(mailboxes.usage(jane()).await.unwrap(), Usage { octets: 80, messages: 1, most_octets: 150 });
    mailboxes.create(jane(), &name("six"), None).await.unwrap();
    assert!(matches!(mailboxes.create(jane(), &name("seven"), None).await, Err(MailboxError::TooMany)));
    let many = (0..65).map(|n| format!("k{n}")).collect::<Vec<_>>();
    let many = flags(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let refused = mailboxes.set_flags(jane(), inbox, &uids([1]), &FlagChange::Add(many), None).await;
    assert!(matches!(refused, Err(MailboxError::TooMany)));
    assert!(nothing_but(&mailboxes, 1).await);
}

/// A message that somebody expunged while another session downloaded it ended that connection: its literal had begun.
#[tokio::test]
async fn what_is_downloaded_is_read_to_its_end_though_it_is_expunged() {
    let (_home, mailboxes, inbox) = fresh().await;
    let large = [b"Subject: b\r\n\r\n".as_slice(), &[b'.'; 500_000]].concat();
    append_with(&mailboxes, inbox, &large, &flags(&["\\Deleted"])).await;
    let row = view(&mailboxes, inbox).await.row(0).unwrap().clone();
    let content = mailboxes.content(&row).await.unwrap();
    let mut stream = mailboxes.octets(&content, 0..u64::MAX).await.unwrap();
    let mut read = stream.next().await.unwrap().unwrap().to_vec();
    mailboxes.expunge(jane(), inbox, None).await.unwrap();
    assert!(matches!(mailboxes.content(&row).await, Err(MailboxError::Expunged)));
    while let Some(piece) = stream.next().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert!(read == large);
    drop(stream);
    assert!(nothing_but(&mailboxes, 0).await, "then it goes");
    assert!(matches!(mailboxes.octets(&content, 0..1).await, Err(MailboxError::Expunged)));
}

/// A mailbox with more messages than one commit takes could not be deleted, and messages had no limit but their octets.
#[tokio::test]
async fn a_mailbox_beyond_one_commit_is_emptied_and_deleted() {
    let home = tempfile::tempdir().unwrap();
    let limits = MailLimits { messages: 10, together: 3, ..MailLimits::default() };
    let mailboxes = open(home.path(), limits).await;
    let id = mailboxes.create(jane(), &name("x"), None).await.unwrap();
    for _ in 0..10 {
        append(&mailboxes, id, b"a").await;
    }
    let mut mail = mailboxes.begin();
    mail.write(b"b").await.unwrap();
    let refused = mailboxes.append(jane(), id, mail, &FlagSet::default(), now()).await;
    assert!(matches!(refused, Err(MailboxError::OverQuota)));
    assert!(matches!(mailboxes.copy(jane(), id, &uids([1]), id).await, Err(MailboxError::OverQuota)));
    let deleted = FlagChange::Add(flags(&["\\Deleted"]));
    mailboxes.set_flags(jane(), id, &uids([1, 2, 3, 4, 5]), &deleted, None).await.unwrap();
    assert_eq!(mailboxes.expunge(jane(), id, Some(&uids([2, 3, 4, 5, 6]))).await.unwrap(), uids([2, 3, 4, 5]));
    mailboxes.delete(jane(), &name("x")).await.unwrap();
    assert!(nothing_but(&mailboxes, 0).await);
    let inbox = mailboxes.find(jane(), &MailboxName::inbox()).await.unwrap();
    for _ in 0..7 {
        append(&mailboxes, inbox, b"a").await;
    }
    mailboxes.rename(jane(), &MailboxName::inbox(), &name("old")).await.unwrap();
    let old = mailboxes.find(jane(), &name("old")).await.unwrap();
    assert_eq!((view(&mailboxes, inbox).await.len(), view(&mailboxes, old).await.len()), (0, 7));
}

#[tokio::test]
async fn what_waits_for_the_same_turn_shares_a_commit() {
    let (_home, mailboxes, inbox) = fresh().await;
    append(&mailboxes, inbox, b"first").await;
    let before = mailboxes.head(jane(), inbox).await.unwrap().version;
    let mut turn = Batch::default();
    mailboxes.take_turn(&mut turn, jane()).await;
    let waiting = (0..12_usize).map(|number| {
        let mailboxes = mailboxes.clone();
        tokio::spawn(async move {
            match number % 3 {
                0 => {
                    let many = (0..65).map(|n| format!("k{n}")).collect::<Vec<_>>();
                    let change = FlagChange::Add(flags(&many.iter().map(String::as_str).collect::<Vec<_>>()));
                    let refused = mailboxes.set_flags(jane(), inbox, &uids([1]), &change, None).await;
                    assert!(matches!(refused, Err(MailboxError::TooMany)), "one that fails leaves the others alone");
                    None
                }
                1 => {
                    let keyword = FlagChange::Add(flags(&[&format!("k{number}")]));
                    mailboxes.set_flags(jane(), inbox, &uids([1]), &keyword, None).await.unwrap().modseq
                }
                _ => Some(u64::from(append(&mailboxes, inbox, b"more").await.uid)),
            }
        })
    });
    let waiting: Vec<_> = waiting.collect();
    while mailboxes.queues.waiting(jane()) < waiting.len() {
        tokio::task::yield_now().await;
    }
    drop(turn);
    let mut told = BTreeSet::new();
    for (number, waits) in waiting.into_iter().enumerate() {
        assert!(waits.await.unwrap().is_none_or(|one| told.insert((number % 3, one))), "each UID and change once");
    }
    assert_eq!(told.len(), 8);
    assert_eq!(mailboxes.head(jane(), inbox).await.unwrap().version, before + 1, "all of them in one commit");
    let view = view(&mailboxes, inbox).await;
    assert_eq!(view.rows().map(|row| row.uid).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(view.flags(view.find(1).unwrap()).collect::<BTreeSet<_>>(), ["k1", "k4", "k7", "k10"].into());
}

#[tokio::test]
async fn the_quota_counts_what_waits_beside() {
    let home = tempfile::tempdir().unwrap();
    let mailboxes = open(home.path(), MailLimits { account: 150, ..MailLimits::default() }).await;
    let inbox = mailboxes.find(jane(), &MailboxName::inbox()).await.unwrap();
    let mut turn = Batch::default();
    mailboxes.take_turn(&mut turn, jane()).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let mailboxes = mailboxes.clone();
            tokio::spawn(async move {
                let mut mail = mailboxes.begin();
                mail.write(&[b'a'; 60]).await.unwrap();
                mailboxes.append(jane(), inbox, mail, &FlagSet::default(), now()).await
            })
        })
        .collect();
    while mailboxes.queues.waiting(jane()) < waiting.len() {
        tokio::task::yield_now().await;
    }
    drop(turn);
    let mut refused = 0;
    for waits in waiting {
        refused += usize::from(matches!(waits.await.unwrap(), Err(MailboxError::OverQuota)));
    }
    assert_eq!(refused, 1, "two fit");
    assert!(nothing_but(&mailboxes, 2).await);
}

#[tokio::test]
async fn unchanged_since_leaves_alone_what_has_changed() {
    let (_home, mailboxes, inbox) = fresh().await;
    for _ in 0..3 {
        append(&mailboxes, inbox, b"a").await;
    }
    let since = view(&mailboxes, inbox).await.modseq();
    let seen = FlagChange::Add(flags(&["\\Seen", "$Work"]));
    let stored = mailboxes.set_flags(jane(), inbox, &uids([2]), &seen, None).await.unwrap();
    assert_eq!(stored, Stored { modified: Uids::default(), modseq: Some(since + 1) });
    let stored = mailboxes.set_flags(jane(), inbox, &uids([1, 2, 9]), &seen, Some(since)).await.unwrap();
    assert_eq!(stored, Stored { modified: uids([2]), modseq: Some(since + 2) });
    let stored = mailboxes.set_flags(jane(), inbox, &uids([1, 2]), &seen, None).await.unwrap();
    assert_eq!(stored.modseq, None, "nothing to change");
    let view = view(&mailboxes, inbox).await;
    assert_eq!(view.flags(view.find(1).unwrap()).collect::<Vec<_>>(), ["\\Seen", "$Work"]);
    assert_eq!((view.unseen(), view.first_unseen(), view.modseq()), (1, Some(2), since + 2));
}

/// Who was away for longer than changes are remembered is told all that is not there.
#[tokio::test]
async fn a_long_absence_is_made_good() {
    let (_home, mailboxes, inbox) = fresh().await;
    for _ in 0..4 {
        append(&mailboxes, inbox, b"a").await;
    }
    let flip = [FlagChange::Add(flags(&["\\Deleted"])), FlagChange::Remove(flags(&["\\Deleted"]))];
    mailboxes.set_flags(jane(), inbox, &uids([2, 3]), &flip[0], None).await.unwrap();
    let open = mailboxes.open(jane(), inbox).await.unwrap();
    let known = open.view().await.unwrap();
    assert_eq!(mailboxes.expunge(jane(), inbox, Some(&uids([2]))).await.unwrap(), uids([2]));
    let view = open.view().await.unwrap();
    assert_eq!(open.past(&view, known.modseq()).await.unwrap(), Past { vanished: uids([2]), changed: vec![] });
    for round in 0..1010 {
        mailboxes.set_flags(jane(), inbox, &uids([4]), &flip[round % 2], None).await.unwrap();
    }
    let view = open.view().await.unwrap();
    assert_eq!(open.past(&view, known.modseq()).await.unwrap(), Past { vanished: uids([2]), changed: vec![4] });
    assert_eq!(view.difference(&known).vanished, [(1, 2)]);
    let marks = mailboxes.store.scan_keys(Table::MailMark, &[], &[], usize::MAX).await.unwrap();
    assert_eq!(marks.len(), 1000);
}

/// A thousand messages cost what a hundred cost, each: head, page, mark, content.
#[tokio::test]
async fn what_an_append_writes_does_not_grow() {
    let (_home, mailboxes, inbox) = fresh().await;
    for _ in 0..200 {
        append(&mailboxes, inbox, b"a").await;
    }
    let arrival = mailboxes.arrival(b"a").await.unwrap();
    let mut batch = crate::store::Batch::default();
    let with = (&FlagSet::default(), now());
    mailboxes.put(&mut batch, (jane(), inbox), &arrival, with).await.unwrap();
    assert_eq!(
        batch.keys().map(|key| key.table).collect::<Vec<_>>(),
        [Table::Object, Table::ObjectOctets, Table::MailHead, Table::MailPage, Table::MailMark, Table::MailContent,]
    );
}

#[derive(Debug, Clone)]
enum Act {
    Append(bool, bool, bool),
    Flags(bool, u16, u8, u8),
    Expunge(bool, Option<u16>),
    Copy(bool, bool, u16),
    Move(bool, bool, u16),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(at, seen, large)| Act::Append(at, seen, large)),
        3 => (any::<bool>(), any::<u16>(), 0..3u8, 0..4u8).prop_map(|(at, which, how, what)| Act::Flags(at, which, how, what)),
        2 => (any::<bool>(), prop::option::of(any::<u16>())).prop_map(|(at, which)| Act::Expunge(at, which)),
        2 => (any::<bool>(), any::<bool>(), any::<u16>()).prop_map(|(from, to, which)| Act::Copy(from, to, which)),
        2 => (any::<bool>(), any::<bool>(), any::<u16>()).prop_map(|(from, to, which)| Act::Move(from, to, which)),
    ];
    prop::collection::vec(act, 1..30)
}

/// What stands in a mailbox, in the plainest form: UID, flags, text.
type Plain = Vec<(Uid, BTreeSet<String>, Vec<u8>)>;

#[derive(Default)]
struct Model {
    rows: Plain,
    next: Uid,
}

impl Model {
    fn add(&mut self, flags: BTreeSet<String>, text: Vec<u8>) {
        self.next += 1;
        self.rows.push((self.next, flags, text));
    }

    fn chosen(&self, which: u16) -> Vec<Uid> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(at, _)| which >> (at % 16) & 1 == 1).map(|(_, row)| row.0).collect()
    }
}

const WHAT: [&[&str]; 4] = [&["\\Deleted"], &["\\Seen", "\\Deleted"], &["$A"], &["$B", "\\Flagged"]];

async fn act(mailboxes: &Mailboxes, ids: [MailboxId; 2], models: &mut [Model; 2], act: &Act, number: usize) {
    match act {
        Act::Append(at, seen, large) => {
            let text =
                format!("Subject: {number}\r\n\r\n{}", "x".repeat(if *large { 20_000 } else { 10 })).into_bytes();
            let set = if *seen { flags(&["\\Seen", "$A"]) } else { FlagSet::default() };
            append_with(mailboxes, ids[usize::from(*at)], &text, &set).await;
            let set = if *seen { ["\\Seen", "$A"].map(str::to_owned).into() } else { BTreeSet::new() };
            models[usize::from(*at)].add(set, text);
        }
        Act::Flags(at, which, how, what) => {
            let (at, what) = (usize::from(*at), WHAT[usize::from(*what)]);
            let chosen = models[at].chosen(*which);
            let set = flags(what);
            let change = [FlagChange::Add(set.clone()), FlagChange::Remove(set.clone()), FlagChange::Replace(set)];
            mailboxes
                .set_flags(jane(), ids[at], &uids(chosen.clone()), &change[usize::from(*how)], None)
                .await
                .unwrap();
            for row in models[at].rows.iter_mut().filter(|row| chosen.contains(&row.0)) {
                match how {
                    0 => row.1.extend(what.iter().map(|text| (*text).to_owned())),
                    1 => row.1.retain(|text| !what.contains(&text.as_str())),
                    _ => row.1 = what.iter().map(|text| (*text).to_owned()).collect(),
                }
            }
        }
        Act::Expunge(at, which) => {
            let at = usize::from(*at);
            let among = which.map(|which| models[at].chosen(which));
            let goes = |row: &(Uid, BTreeSet<String>, Vec<u8>)| {
                row.1.contains("\\Deleted") && among.as_ref().is_none_or(|among| among.contains(&row.0))
            };
            let gone: Vec<Uid> = models[at].rows.iter().filter(|row| goes(row)).map(|row| row.0).collect();
            let told = mailboxes.expunge(jane(), ids[at], among.clone().map(uids).as_ref()).await.unwrap();
            assert_eq!(told, uids(gone));
            models[at].rows.retain(|row| !goes(row));
        }
        Act::Copy(from, to, which) | Act::Move(from, to, which) => {
            let (from, to, moves) = (usize::from(*from), usize::from(*to), matches!(act, Act::Move(..)));
            let chosen = models[from].chosen(*which);
            let set = uids(chosen.clone());
            let copied = if moves {
                mailboxes.mv(jane(), ids[from], &set, ids[to]).await
            } else {
                mailboxes.copy(jane(), ids[from], &set, ids[to]).await
            };
            let copied = copied.unwrap();
            assert_eq!(copied.from, chosen);
            let rows: Plain = models[from].rows.iter().filter(|row| chosen.contains(&row.0)).cloned().collect();
            if moves {
                models[from].rows.retain(|row| !chosen.contains(&row.0));
            }
            let before = models[to].next;
            rows.into_iter().for_each(|(_, flags, text)| models[to].add(flags, text));
            assert_eq!(copied.to, (before + 1..=models[to].next).collect::<Vec<_>>());
        }
    }
}

/// The view says what the model says.
async fn check(mailboxes: &Mailboxes, view: &View, model: &Model) {
    let mut plain = Plain::new();
    for row in view.rows() {
        let flags = view.flags(row).map(str::to_owned).collect();
        plain.push((row.uid, flags, octets(mailboxes, row).await));
    }
    assert_eq!(plain, model.rows);
    assert_eq!((view.len(), view.uid_next()), (model.rows.len(), model.next + 1));
    for (at, row) in model.rows.iter().enumerate() {
        assert_eq!((view.row(at).unwrap().uid, view.position(row.0)), (row.0, Some(at)));
    }
    let status = mailboxes.status(jane(), view.id()).await.unwrap();
    let unseen = model.rows.iter().filter(|row| !row.1.contains("\\Seen")).count();
    let deleted = model.rows.iter().filter(|row| row.1.contains("\\Deleted")).count();
    let size: usize = model.rows.iter().map(|row| row.2.len()).sum();
    let counts = (status.messages as usize, status.unseen as usize, status.deleted as usize, status.octets as usize);
    assert_eq!(counts, (model.rows.len(), unseen, deleted, size));
}

/// What a client that knows `before` is told brings it to `after`.
async fn check_difference(open: &OpenMailbox, before: &View, after: &View) {
    let told = after.difference(before);
    let mut known: Vec<Uid> = before.rows().map(|row| row.uid).collect();
    for (at, uid) in &told.vanished {
        assert_eq!(known.remove(*at), *uid);
    }
    let all: Vec<Uid> = after.rows().map(|row| row.uid).collect();
    assert_eq!(known, all[..all.len() - told.arrived]);
    let shown = |view: &View, uid| view.find(uid).map(|row| view.flag_set(row));
    let modseq = |view: &View, uid| view.find(uid).map_or(0, |row| row.modseq);
    let differs: Vec<Uid> = known.iter().copied().filter(|uid| shown(before, *uid) != shown(after, *uid)).collect();
    // Also what is as it was by now: who looked in between has seen something else.
    let changed: Vec<Uid> = known.iter().copied().filter(|uid| modseq(after, *uid) > before.modseq()).collect();
    assert_eq!(told.changed, changed);
    assert!(differs.iter().all(|uid| changed.contains(uid)));
    let past = open.past(after, before.modseq()).await.unwrap();
    let gone = before.rows().map(|row| row.uid).filter(|uid| after.find(*uid).is_none());
    let gone: BTreeSet<Uid> = gone.collect();
    assert!(past.vanished.iter().all(|uid| after.find(uid).is_none() && uid < after.uid_next()));
    assert!(gone.iter().all(|uid| past.vanished.contains(*uid)));
    let touched: BTreeSet<Uid> = past.changed.into_iter().collect();
    assert!(differs.iter().chain(&all[all.len() - told.arrived..]).all(|uid| touched.contains(uid)));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// UIDs are never used again, change numbers grow with each change and with nothing else, what differs between two
    /// moments is what is told, and nothing is left of what is gone, whatever is done in whatever order.
    #[test]
    fn mailboxes_do_what_a_list_would(acts in acts()) {
        runtime().block_on(async {
            let (home, mailboxes, inbox) = fresh().await;
            let work = mailboxes.create(jane(), &name("Work"), None).await.unwrap();
            let ids = [inbox, work];
            let open_both = [mailboxes.open(jane(), inbox).await.unwrap(), mailboxes.open(jane(), work).await.unwrap()];
            let mut models: [Model; 2] = Default::default();
            let mut known = [open_both[0].view().await.unwrap(), open_both[1].view().await.unwrap()];
            let first = known.clone();
            for (number, one) in acts.iter().enumerate() {
                act(&mailboxes, ids, &mut models, one, number).await;
                for at in 0..2 {
                    let after = open_both[at].view().await.unwrap();
                    check(&mailboxes, &after, &models[at]).await;
                    check_difference(&open_both[at], &known[at], &after).await;
                    let changed = !after.difference(&known[at]).is_empty();
                    assert!(after.modseq() >= known[at].modseq() && (!changed || after.modseq() > known[at].modseq()));
                    assert!(after.uid_next() >= known[at].uid_next());
                    assert!(after.rows().all(|row| row.modseq <= after.modseq()));
                    known[at] = after;
                }
            }
            for at in 0..2 {
                check_difference(&open_both[at], &first[at], &known[at]).await;
            }
            // What was read bit by bit is what a fresh start reads whole.
            drop(open_both);
            mailboxes.store.clone().close().await.unwrap();
            drop(mailboxes);
            let mailboxes = open(home.path(), MailLimits::default()).await;
            for at in 0..2 {
                check(&mailboxes, &view(&mailboxes, ids[at]).await, &models[at]).await;
                let all = FlagChange::Add(flags(&["\\Deleted"]));
                let every = Uids::of_ranges([(1, Uid::MAX)]);
                mailboxes.set_flags(jane(), ids[at], &every, &all, None).await.unwrap();
                mailboxes.expunge(jane(), ids[at], None).await.unwrap();
            }
            assert!(nothing_but(&mailboxes, 0).await);
            assert!(mailboxes.store.scan_keys(Table::MailHolders, &[], &[], 1).await.unwrap().is_empty());
            assert!(mailboxes.store.scan_keys(Table::MailPage, &[], &[], 1).await.unwrap().is_empty());
        });
    }
}

/// Twenty at once in one account: each gets what it asked for, and no commit fails because another came first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_agree() {
    let (_home, mailboxes, inbox) = fresh().await;
    for _ in 0..20 {
        append(&mailboxes, inbox, b"a").await;
    }
    let work = (1..=20).map(|uid| {
        let mailboxes = mailboxes.clone();
        tokio::spawn(async move {
            let mine = FlagChange::Add(flags(&["\\Seen", &format!("k{uid}")]));
            mailboxes.set_flags(jane(), inbox, &uids([uid]), &mine, None).await.unwrap();
            append(&mailboxes, inbox, b"b").await.uid
        })
    });
    let mut given = BTreeSet::new();
    for task in work.collect::<Vec<_>>() {
        assert!(given.insert(task.await.unwrap()));
    }
    let view = view(&mailboxes, inbox).await;
    assert_eq!((view.len(), view.unseen(), view.keywords().len()), (40, 20, 20));
    assert_eq!(given, (21..=40).collect());
    for uid in 1..=20 {
        let row = view.find(uid).unwrap();
        assert!(view.has_keyword(row, &Keyword::parse(&format!("K{uid}")).unwrap()));
    }
}
