//! A gateway of made-up people, so that every page and state can be asked for without one. It notes every call that
//! changes something.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use postern::access::{About, AccessCheck, Means, Proved};
use postern::gateway::visits::{
    AccountView, BirthdateAnswer, CodeAnswer, CodeSent, Entered, FormAnswers, FormFault, GuestSignIn, LinkFacts,
    LinkView, NewPassword, NextStep, ParcelQuery, ParcelRow, ParcelView, PasswordView, Registered, RegistrationView,
    ReplyFault, ReplyRules, ShownDocument, ShownReply, Taking, Visit, VisitError,
};
use postern::gateway::{Policies, Snapshot};
use postern::id::{ContactId, DepositId, GrantId, Id, VisitId};
use postern::mail::Address;
use postern::policy::Role;
use postern::portal::{OctetSource, Pieces, Reception, ReplyInHand, Served};
use postern::secret::Secret;
use postern::time::Timestamp;

/// 2026-11-22T03:00:00Z
pub const NOW: Timestamp = Timestamp::from_secs(1_795_316_400);
pub const PRACTICE: &str = "example-clinic";
pub const ADDRESS: &str = "jane@citizen.example";
pub const PASSWORD: &str = "seven clover anvils hum";

pub fn days(days: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(days * 86_400))
}

pub fn grant(number: u8) -> GrantId {
    GrantId::from_octets([number; 16])
}

pub fn deposit(number: u8) -> DepositId {
    DepositId::from_octets([number; 16])
}

/// The shipped policies, read once.
pub fn policies() -> Arc<Snapshot> {
    static SNAPSHOT: OnceLock<Arc<Snapshot>> = OnceLock::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    Arc::clone(SNAPSHOT.get_or_init(|| Policies::open(&shipped).unwrap_or_else(|faults| panic!("{faults}")).snapshot()))
}

#[derive(Default)]
pub struct Clinic {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    visits: HashMap<String, Visit>,
    over: HashMap<String, Visit>,
    made: u32,
    changes: Vec<String>,
    draft: Option<String>,
    role: Option<Role>,
    answers: FormAnswers,
    /// What the next call of this name answers.
    failures: HashMap<&'static str, VisitError>,
    received: Vec<(String, u64)>,
}

impl Clinic {
    /// Everything that changed something so far.
    pub fn changes(&self) -> Vec<String> {
        self.state.lock().unwrap().changes.clone()
    }

    pub fn forget_changes(&self) {
        self.state.lock().unwrap().changes.clear();
    }

    pub fn answers(&self) -> FormAnswers {
        self.state.lock().unwrap().answers.clone()
    }

    pub fn received(&self) -> Vec<(String, u64)> {
        self.state.lock().unwrap().received.clone()
    }

    pub fn invites_as(&self, role: Option<Role>) {
        self.state.lock().unwrap().role = role;
    }

    pub fn fails(&self, call: &'static str, error: VisitError) {
        self.state.lock().unwrap().failures.insert(call, error);
    }

    /// All visits end, as by time.
    pub fn end_visits(&self) {
        let mut state = self.state.lock().unwrap();
        let visits = std::mem::take(&mut state.visits);
        state.over.extend(visits);
    }

    fn changed(&self, call: &'static str) -> Result<(), VisitError> {
        let mut state = self.state.lock().unwrap();
        state.changes.push(call.to_owned());
        state.failures.remove(call).map_or(Ok(()), Err)
    }

    fn failure(&self, call: &'static str) -> Result<(), VisitError> {
        self.state.lock().unwrap().failures.remove(call).map_or(Ok(()), Err)
    }

    /// A new visit; the cookie's token.
    pub fn begin(&self, proved: Proved, instead_of: Option<&str>) -> Secret<String> {
        let mut state = self.state.lock().unwrap();
        state.made += 1;
        let number = state.made;
        let visit = Visit {
            id: VisitId::from_octets([number as u8; 16]),
            contact: ContactId::from_octets([8; 16]),
            proved,
            by: Some(grant(1)),
            link: None,
            password_since: None,
            began: NOW,
            seen: NOW,
            form_secret: [number as u8; 16],
        };
        instead_of.and_then(|cookie| state.visits.remove(cookie));
        state.visits.insert(format!("visit-{number}"), visit);
        Secret::new(format!("visit-{number}"))
    }

    fn entered(&self, proved: Proved, next: NextStep, instead_of: Option<&str>) -> Entered {
        Entered { cookie: self.begin(proved, instead_of), next }
    }
}

pub fn signed_in() -> Proved {
    Proved { account: true, ..Proved::default() }
}

fn shown(means: Means) -> Proved {
    let mut proved = Proved::default();
    proved.show(means, About { practice: PRACTICE.into(), patient: None });
    proved
}

pub fn facts(checks: &[AccessCheck], registers: bool) -> LinkFacts {
    LinkFacts {
        practice: PRACTICE.into(),
        sender_name: "Dr Maria Nowak".into(),
        sent: NOW,
        link_until: days(7),
        keep_until: (!registers).then(|| days(7)),
        checks: checks.to_vec(),
        documents: 2,
        pictures: 1,
        registers,
    }
}

pub fn row(number: u8, subject: &str) -> ParcelRow {
    ParcelRow {
        grant: grant(number),
        practice: PRACTICE.into(),
        subject: subject.into(),
        sender_name: "Dr Maria Nowak".into(),
        sent: NOW,
        keep_until: days(7),
        kinds: vec!["pdf", "word"],
        titles: vec!["Pathology results".into()],
        documents: 3,
        opened: number > 1,
        locked: false,
    }
}

fn document(number: u8, name: &str, media_type: &str, kind: &'static str, opens: bool) -> ShownDocument {
    ShownDocument {
        id: deposit(number),
        name: name.into(),
        media_type: media_type.into(),
        kind,
        title: if number == 1 { "Pathology results".into() } else { String::new() },
        octets: 1_400_000,
        opens,
        in_text: number == 5,
    }
}

pub fn documents() -> Vec<ShownDocument> {
    vec![
        document(1, "JaneCitizenBloodTest.pdf", "application/pdf", "pdf", true),
        document(
            2,
            "Überweisung – Dr. Müller, Kardiologie und noch ein sehr langer Name.docx",
            "application/msword",
            "word",
            false,
        ),
        document(3, "note.html", "text/html", "text", true),
        document(4, "drawing.svg", "image/svg+xml", "image", true),
        document(5, "photo.png", "image/png", "image", true),
        document(6, "plain.txt", "text/plain", "text", true),
    ]
}

pub const HTML: &str = "<p>Dear Jane,</p><p>your results are <b>attached</b>. Everything is as it should be; please read \
    them and write back if you have a question.</p><p>Kind regards<br>Maria Nowak</p>";

/// The octets of every document.
pub fn octets() -> Bytes {
    (0..1_400_000_u32).map(|at| (at % 251) as u8).collect()
}

struct Octets;

#[async_trait]
impl OctetSource for Octets {
    async fn read(&self, range: Range<u64>) -> Result<Pieces, VisitError> {
        let all = octets().slice(range.start as usize..range.end as usize);
        let pieces: Vec<_> = all.chunks(65_536).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Ok(Box::pin(futures_util::stream::iter(pieces)))
    }
}

struct Reply {
    clinic: Arc<Clinic>,
    files: Vec<(String, u64)>,
}

#[async_trait]
impl ReplyInHand for Reply {
    async fn begin(&mut self, name: &str, _media_type: &str) -> Result<Result<(), ReplyFault>, VisitError> {
        if name.ends_with(".exe") {
            return Ok(Err(ReplyFault::Restricted(name.into(), "programs".into())));
        }
        if self.files.len() == 3 {
            return Ok(Err(ReplyFault::TooMany));
        }
        self.files.push((name.to_owned(), 0));
        Ok(Ok(()))
    }

    async fn write(&mut self, octets: &[u8]) -> Result<Result<(), ReplyFault>, VisitError> {
        let (name, count) = self.files.last_mut().unwrap();
        *count += octets.len() as u64;
        if *count > 5_000_000 {
            return Ok(Err(ReplyFault::TooLarge(name.clone())));
        }
        Ok(Ok(()))
    }

    async fn send(self: Box<Self>, text: String) -> Result<Result<(), ReplyFault>, VisitError> {
        if text.trim().is_empty() && self.files.is_empty() {
            return Ok(Err(ReplyFault::Empty));
        }
        self.clinic.changed("send_reply")?;
        let mut state = self.clinic.state.lock().unwrap();
        state.received.push((text, 0));
        state.received.extend(self.files);
        Ok(Ok(()))
    }
}

/// The clinic behind a pointer, which replies hold on to.
pub struct Desk(pub Arc<Clinic>);

#[async_trait]
impl Reception for Desk {
    fn policies(&self) -> Arc<Snapshot> {
        policies()
    }

    async fn link(&self, token: &str) -> Result<LinkView, VisitError> {
        self.0.failure("link")?;
        Ok(match token {
            "living" => LinkView::Living(facts(&[AccessCheck::Account], false)),
            "registers" => LinkView::Living(facts(&[AccessCheck::Account], true)),
            "code" => LinkView::Living(facts(&[AccessCheck::Code], false)),
            "birthdate" => LinkView::Living(facts(&[AccessCheck::Birthdate], false)),
            "magic" => LinkView::Living(facts(&[AccessCheck::Magic], false)),
            "open" => LinkView::Living(LinkFacts { documents: 0, ..facts(&[], false) }),
            "over" => LinkView::LinkOver(facts(&[AccessCheck::Code], false)),
            "withdrawn" => LinkView::Withdrawn(facts(&[AccessCheck::Code], false)),
            _ => LinkView::Unknown,
        })
    }

    async fn enter(&self, token: &str, cookie: Option<&str>, _from: IpAddr) -> Result<Entered, VisitError> {
        self.0.changed("enter")?;
        let next = match token {
            "living" => NextStep::SignIn,
            "registers" => NextStep::Register,
            "code" => NextStep::Code,
            "birthdate" => NextStep::Birthdate,
            "magic" => NextStep::Magic,
            "open" => NextStep::Parcel(grant(1)),
            _ => return Err(VisitError::NotFound),
        };
        Ok(self.0.entered(Proved::default(), next, cookie))
    }

    async fn mail_fresh_link(&self, token: &str) -> Result<(), VisitError> {
        self.0.changed("mail_fresh_link")?;
        if token == "over" { Ok(()) } else { Err(VisitError::NotFound) }
    }

    async fn visit(&self, cookie: &str) -> Result<Option<Visit>, VisitError> {
        self.0.failure("visit")?;
        Ok(self.0.state.lock().unwrap().visits.get(cookie).cloned())
    }

    async fn next_step(&self, visit: &Visit, id: GrantId) -> Result<NextStep, VisitError> {
        Ok(if visit.proved.account { NextStep::Parcel(id) } else { NextStep::SignIn })
    }

    async fn masked_address(&self, _visit: &Visit) -> Result<String, VisitError> {
        Ok("j•••@citizen.example".into())
    }

    async fn registration(&self, _visit: &Visit) -> Result<RegistrationView, VisitError> {
        self.0.failure("registration")?;
        let role = self.0.state.lock().unwrap().role;
        Ok(RegistrationView {
            practice: PRACTICE.into(),
            sender_name: "Dr Maria Nowak".into(),
            role,
            address: ADDRESS.parse().unwrap(),
            asks_birthdate: role == Some(Role::Patient),
            tries_left: 3,
        })
    }

    async fn register(&self, _visit: &Visit, answers: FormAnswers, _from: IpAddr) -> Result<Registered, VisitError> {
        let get = |name: &str| answers.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str());
        if get("name").is_empty() {
            return Ok(Registered::Faults(vec![
                FormFault { field: "name".into(), word: "missing" },
                FormFault { field: "phone".into(), word: "not-a-phone" },
            ]));
        }
        let birthdate = get("birthdate").to_owned();
        match birthdate.as_str() {
            "" | "1980-03-04" => {}
            "1900-01-01" => return Ok(Registered::Cancelled),
            _ => return Ok(Registered::WrongBirthdate { left: 1 }),
        }
        self.0.changed("register")?;
        let waits = get("name") == "Waits";
        self.0.state.lock().unwrap().answers = answers;
        Ok(if waits { Registered::WaitsForAdmin } else { Registered::PasswordMailed })
    }

    async fn password_link(&self, token: &str) -> Result<Option<PasswordView>, VisitError> {
        let view =
            PasswordView { address: ADDRESS.parse().unwrap(), practice: PRACTICE.into(), first: token == "first" };
        Ok(["first", "again"].contains(&token).then_some(view))
    }

    async fn set_password(
        &self,
        token: &str,
        password: &Secret<String>,
    ) -> Result<Result<NextStep, NewPassword>, VisitError> {
        if password.expose().len() < 15 {
            return Ok(Err(NewPassword::TooShort));
        }
        self.0.changed("set_password")?;
        if token == "first" { Ok(Ok(NextStep::SignIn)) } else { Err(VisitError::NotFound) }
    }

    async fn forgot_password(&self, _address: &str, _from: IpAddr) -> Result<(), VisitError> {
        self.0.changed("forgot_password")
    }

    async fn guest_sign_in(
        &self,
        name: &str,
        password: &Secret<String>,
        _from: IpAddr,
        cookie: Option<&str>,
    ) -> Result<GuestSignIn, VisitError> {
        self.0.failure("guest_sign_in")?;
        if name != ADDRESS || password.expose() != PASSWORD {
            return Ok(GuestSignIn::Rejected);
        }
        self.0.changed("sign_in")?;
        Ok(GuestSignIn::Welcome(self.0.entered(signed_in(), NextStep::Parcel(grant(1)), cookie)))
    }

    async fn sign_out(&self, cookie: &str) -> Result<(), VisitError> {
        self.0.changed("sign_out")?;
        self.0.state.lock().unwrap().visits.remove(cookie);
        Ok(())
    }

    async fn account(&self, visit: &Visit) -> Result<AccountView, VisitError> {
        if !visit.proved.account {
            return Err(VisitError::Show(AccessCheck::Account));
        }
        Ok(AccountView {
            practice: PRACTICE.into(),
            address: ADDRESS.parse::<Address>().unwrap(),
            name: "Jane Citizen".into(),
            role: Some(Role::Patient),
            registered: NOW,
            visits: vec![(NOW, days(0)), (NOW, days(1))],
        })
    }

    async fn change_password(
        &self,
        (_, cookie): (&Visit, &str),
        present: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<Result<Entered, NewPassword>, VisitError> {
        if present.expose() != PASSWORD {
            return Ok(Err(NewPassword::WrongPresent));
        }
        if new.expose() == "password12345678" {
            return Ok(Err(NewPassword::Known));
        }
        self.0.changed("change_password")?;
        Ok(Ok(self.0.entered(signed_in(), NextStep::SignIn, Some(cookie))))
    }

    async fn end_other_visits(&self, _visit: &Visit) -> Result<usize, VisitError> {
        self.0.changed("end_other_visits").map(|()| 2)
    }

    async fn close_account(
        &self,
        _visit: &Visit,
        password: &Secret<String>,
    ) -> Result<Result<(), NewPassword>, VisitError> {
        if password.expose() != PASSWORD {
            return Ok(Err(NewPassword::WrongPresent));
        }
        self.0.changed("close_account").map(Ok)
    }

    async fn mail_code(&self, _visit: &Visit, _grant: GrantId, _from: IpAddr) -> Result<CodeSent, VisitError> {
        self.0.changed("mail_code")?;
        Ok(CodeSent { until: NOW, again: NOW })
    }

    async fn check_code(&self, (_, cookie): (&Visit, &str), id: GrantId, code: &str) -> Result<CodeAnswer, VisitError> {
        self.0.changed("check_code")?;
        Ok(match code.replace(' ', "").as_str() {
            "123456" => CodeAnswer::Right(self.0.entered(shown(Means::Code), NextStep::Parcel(id), Some(cookie))),
            _ => CodeAnswer::Wrong { left: 4 },
        })
    }

    async fn check_birthdate(
        &self,
        (_, cookie): (&Visit, &str),
        id: GrantId,
        birthdate: &str,
        _from: IpAddr,
    ) -> Result<BirthdateAnswer, VisitError> {
        self.0.changed("check_birthdate")?;
        Ok(match birthdate {
            "1980-03-04" => {
                BirthdateAnswer::Right(self.0.entered(Proved::default(), NextStep::Parcel(id), Some(cookie)))
            }
            "1980-03-05" => BirthdateAnswer::Wrong { left: 2 },
            _ => BirthdateAnswer::NoDate,
        })
    }

    async fn mail_magic(&self, _visit: &Visit, _grant: GrantId) -> Result<(), VisitError> {
        self.0.changed("mail_magic")
    }

    async fn use_magic(&self, token: &str, cookie: Option<&str>) -> Result<Option<Entered>, VisitError> {
        self.0.changed("use_magic")?;
        let next = NextStep::Parcel(grant(1));
        Ok((token == "magic").then(|| self.0.entered(shown(Means::Magic), next, cookie)))
    }

    async fn parcels(&self, visit: &Visit, query: &ParcelQuery) -> Result<Vec<ParcelRow>, VisitError> {
        if visit.proved == Proved::default() {
            return Err(VisitError::Show(AccessCheck::Account));
        }
        let mut rows = vec![
            row(1, "Your blood test of 20 November"),
            row(2, "Management plan"),
            ParcelRow { locked: true, ..row(3, "") },
        ];
        rows.retain(|row| row.subject.to_lowercase().contains(&query.search.to_lowercase()));
        Ok(rows)
    }

    async fn parcel(&self, visit: &Visit, id: GrantId) -> Result<ParcelView, VisitError> {
        self.0.failure("parcel")?;
        if id != grant(1) && id != grant(2) {
            return Err(VisitError::NotFound);
        }
        if visit.proved == Proved::default() {
            return Err(VisitError::Show(AccessCheck::Account));
        }
        let most = if id == grant(1) { 3 } else { 0 };
        let rules = ReplyRules {
            open: id == grant(1),
            most_attachments: most,
            most_octets: 5_000_000,
            most_together: 8_000_000,
            most_text: 20_000,
        };
        Ok(ParcelView {
            row: row(1, "Your blood test of 20 November"),
            patient: Some("Jane Citizen".into()),
            documents: documents(),
            text: (id == grant(2)).then(|| "Dear Jane,\n\nplain <b>text</b>.".into()),
            html: (id == grant(1)).then(|| HTML.into()),
            replies: vec![ShownReply {
                sent: NOW,
                text: "Thank you.\nJane".into(),
                attachments: vec!["form.pdf".into()],
            }],
            reply: rules,
            draft: self.0.state.lock().unwrap().draft.clone(),
        })
    }

    async fn document(
        &self,
        visit: &Visit,
        id: GrantId,
        wanted: DepositId,
        taking: Taking,
    ) -> Result<Served, VisitError> {
        self.parcel(visit, id).await?;
        let found = documents().into_iter().find(|document| document.id == wanted).ok_or(VisitError::NotFound)?;
        if taking == Taking::Beginning {
            self.0.changed("count_download")?;
        }
        let ShownDocument { name, media_type, octets, opens, .. } = found;
        Ok(Served { name, media_type, octets, opens, source: Arc::new(Octets) })
    }

    async fn archive(&self, visit: &Visit, id: GrantId, taking: Taking) -> Result<(u64, Pieces), VisitError> {
        self.parcel(visit, id).await?;
        if taking == Taking::Beginning {
            self.0.changed("count_archive")?;
        }
        Ok((1_400_000, Octets.read(0..1_400_000).await?))
    }

    async fn begin_reply(&self, visit: &Visit, id: GrantId) -> Result<Box<dyn ReplyInHand>, VisitError> {
        self.parcel(visit, id).await?;
        Ok(Box::new(Reply { clinic: Arc::clone(&self.0), files: Vec::new() }))
    }

    async fn keep_draft(&self, cookie: &str, _grant: GrantId, text: &str) -> Result<(), VisitError> {
        let mut state = self.0.state.lock().unwrap();
        if !state.over.contains_key(cookie) {
            return Err(VisitError::NotFound);
        }
        state.changes.push("keep_draft".into());
        state.draft = Some(text.to_owned());
        Ok(())
    }
}
