//! The whole decision about a message in memory, up to the octets that would leave: what `examples/survey.rs` counts and
//! what tests send past other readers.
#![allow(dead_code, reason = "the survey and the tests each ask for a part of it")]

use postern::access::AccessCheck;
use postern::gateway::Policies;
use postern::mail::Address;
use postern::mime::assess::Attachment;
use postern::mime::{Limits, as_written_octets, assess_octets};
use postern::pack::{NoticeParts, notice};
use postern::policy::{BodyPlace, RecipientFacts, Role, SenderFacts, Treatment};
use postern::time::Timestamp;

/// What became of a message.
pub enum Fate {
    /// Not taken, with a word from a closed list and the words that the sender reads.
    Refused { word: String, words: String },
    /// Handed on as it stands.
    Relayed,
    /// Built anew.
    Secured { octets: Vec<u8>, documents: Vec<Vec<u8>> },
}

const NOW: Timestamp = Timestamp::from_secs(1_795_266_300);

/// A message with CRLF line ends, from somebody at the clinic to a doctor elsewhere who has registered.
pub fn send(policies: &Policies, message: &[u8]) -> Fate {
    let refused = |word: &str, words: String| Fate::Refused { word: word.to_owned(), words };
    if message.contains(&0) {
        return refused("nul", "The message has a NUL octet; binary data must be encoded".to_owned());
    }
    if (0..message.len()).any(|at| message[at] == b'\r' && message.get(at + 1) != Some(&b'\n')) {
        return refused("bare-cr", "The message has a bare CR; lines must end in CR LF".to_owned());
    }
    let snapshot = policies.snapshot();
    let policy = &snapshot.policy;
    let (outline, facts) = match assess_octets(message, &Limits::default()) {
        Ok(understood) => understood,
        Err(defect) if policy.secures_whole() && defect.is_ambiguity() => match as_written_octets(message, defect) {
            Ok(written) => written,
            Err(defect) => return refused(defect.word, defect.words),
        },
        Err(defect) => return refused(defect.word, defect.words),
    };
    let sender = Address::parse("reception@clinic.example").unwrap();
    let facts_of_sender = SenderFacts { address: sender.clone(), groups: Vec::new(), practice: None, can_answer: true };
    let address = Address::parse("doctor@elsewhere.example").unwrap();
    let recipient = RecipientFacts {
        role: Some(Role::DoctorElsewhere),
        known: true,
        registered: true,
        ..RecipientFacts::unknown(address)
    };
    let plan = policy.decide(&facts, &facts_of_sender, &[recipient]);
    if let Some(words) = &plan.refusal {
        return refused("policy", words.clone());
    }
    let decision = &plan.decisions[0];
    if let Some(defect) = decision.unclear(&facts) {
        return refused(defect.word, defect.words.clone());
    }
    match decision.settings.treatment {
        Treatment::Relay => return Fate::Relayed,
        Treatment::Secure => {}
        Treatment::Refuse | Treatment::Ask => {
            return refused("recipient", "The recipient is refused or asked about".into());
        }
    }
    let link = (!facts.attachments.is_empty()).then_some("https://mail.clinic.example/p/token");
    let parts = NoticeParts {
        practice: policy.practice(&plan.practice).unwrap_or_else(|| policy.first_practice()),
        sender: &sender,
        speaks_as: None,
        message: &facts,
        outline: &outline,
        subject: &plan.subject,
        private: decision.settings.body == BodyPlace::Vault || facts.as_written,
        link,
        access: &[AccessCheck::Account],
        registers: false,
        role: decision.role,
        link_until: NOW.plus(decision.settings.link),
        keep_until: NOW.plus(decision.settings.keep),
        hostname: "mail.clinic.example",
        unique: "06eqz3p9s2x4n7k1v5t8w0y2m4",
        now: NOW,
    };
    match notice(&snapshot.templates, &parts) {
        Ok(octets) => {
            let documents = facts.attachments.iter().map(|document| deposited(message, document)).collect();
            Fate::Secured { octets, documents }
        }
        Err(error) => refused("pack", error.to_string()),
    }
}

/// The octets of a deposit.
fn deposited(message: &[u8], document: &Attachment) -> Vec<u8> {
    let place = |at: u64| usize::try_from(at).unwrap();
    let (mut decoder, mut body) = (document.decoder(), Vec::new());
    decoder.feed(&message[place(document.body.start)..place(document.body.end)], &mut body).unwrap();
    decoder.finish(&mut body).unwrap();
    let within = document.within.clone().map_or(0..body.len(), |it| place(it.start)..place(it.end));
    [&document.front, &body[within]].concat()
}

/// A saved message with the line ends that SMTP has; an mbox file's first line is no part of it.
pub fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for (at, octet) in octets.iter().enumerate() {
        if *octet == b'\n' && (at == 0 || octets[at - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}
