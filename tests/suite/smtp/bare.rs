//! Dialogs on a session without sockets.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use postern::gateway::Refusal;
use postern::id::{Id, SessionId, TransactionId};
use postern::mail::ReceivedTrace;
use postern::smtp::reply::Limit;
use postern::smtp::session::{Answer, Question, Step};
use postern::smtp::{Incoming, Mailroom, Purpose, Session, Settings, Spool};
use postern::time::Timestamp;

use super::dialog::Dialog;
use super::fake::{Fake, FakeSpool};
use crate::wire::Wire;

pub struct Bare {
    session: Session,
    pub fake: Fake,
    spool: Option<Result<FakeSpool, Refusal>>,
    pub out: Vec<u8>,
    closed: bool,
    handshake: bool,
}

pub async fn run(dialog: &Dialog) -> Result<(), String> {
    let mut bare = Bare::new(Arc::clone(&dialog.settings), dialog.purpose.clone());
    let fake = bare.fake.clone();
    dialog.play(&mut bare, &fake).await
}

impl Bare {
    pub fn new(settings: Arc<Settings>, purpose: Purpose) -> Self {
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        let id = SessionId::from_octets([1; 16]);
        let session = if purpose.admits(peer) {
            Session::open(id, settings, purpose, true)
        } else {
            Session::turned_away(id, settings, purpose, Limit::Untrusted)
        };
        let mut bare =
            Self { session, fake: Fake::default(), spool: None, out: Vec::new(), closed: false, handshake: false };
        bare.pump();
        bare
    }

    pub fn receive(&mut self, octets: &[u8]) {
        self.session.receive(octets);
        self.pump();
    }

    fn pump(&mut self) {
        loop {
            match self.session.next() {
                Step::Send(reply) => self.out.extend(reply.octets()),
                Step::Ask(question) => {
                    let answer = self.answer(question);
                    self.session.answer(answer);
                }
                Step::Begin => self.spool = Some(Ok(self.fake.spool())),
                Step::Discard => self.spool = None,
                Step::Store(octets) => {
                    if let Some(Ok(spool)) = &mut self.spool
                        && let Err(refusal) = spool.write(&octets).now_or_never().unwrap()
                    {
                        self.spool = Some(Err(refusal));
                    }
                }
                Step::EndOfMessage(submitted) => {
                    let transaction = TransactionId::from_octets([2; 16]);
                    let trace = ReceivedTrace {
                        helo: submitted.helo,
                        peer: "127.0.0.1".parse().unwrap(),
                        protocol: submitted.protocol.into(),
                        at: Timestamp::default(),
                    };
                    let session = SessionId::from_octets([1; 16]);
                    let (origin, envelope) = (submitted.origin, submitted.envelope);
                    let incoming = Incoming { transaction, session, origin, envelope, trace };
                    let spool = self.spool.take().expect("Begin comes before EndOfMessage");
                    let result = spool.and_then(|spool| self.fake.accept(incoming, spool).now_or_never().unwrap());
                    self.session.answer(Answer::Message(result));
                }
                Step::StartTls => self.handshake = true,
                Step::NeedInput(_) => return,
                Step::Close(_) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn answer(&self, question: Question) -> Answer {
        let fake = &self.fake;
        match question {
            Question::SignIn { name, password } => {
                let result = fake.sign_in(&name, &password).now_or_never().unwrap();
                Answer::SignIn(result.map(|(origin, ())| origin))
            }
            Question::MaySendAs { origin, address } => {
                Answer::MaySendAs(fake.may_send_as(&origin, &address).now_or_never().unwrap())
            }
            Question::CheckRecipient { origin, address } => {
                Answer::CheckRecipient(fake.check_recipient(&origin, &address).now_or_never().unwrap())
            }
        }
    }
}

impl Wire for Bare {
    async fn send(&mut self, octets: &[u8]) {
        self.receive(octets);
    }

    async fn more(&mut self) -> Result<Option<Vec<u8>>, String> {
        match std::mem::take(&mut self.out) {
            out if !out.is_empty() => Ok(Some(out)),
            _ if self.closed => Ok(None),
            _ => Err("nothing came".into()),
        }
    }

    async fn tls(&mut self) -> Result<(), String> {
        if !std::mem::take(&mut self.handshake) {
            return Err("the session did not ask for TLS".into());
        }
        self.session.secured();
        self.pump();
        Ok(())
    }
}
