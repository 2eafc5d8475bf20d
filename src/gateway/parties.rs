//! Who a message is from and for, as far as accounts, directory and practices can tell.

use crate::access::About;
use crate::gateway::words::Answered;
use crate::gateway::{Gateway, ReceivedMessage, Refusal, Snapshot, speaks_as, unavailable};
use crate::id::ContactId;
use crate::mail::{Address, Origin};
use crate::mime::assess::{Assessment, PatientRef};
use crate::policy::{Practice, RecipientFacts, SenderFacts};
use crate::store::{Record, StoreError};

/// What matters of a message with documents for what is known of those it is written to.
#[derive(Clone, Copy)]
struct Written<'a> {
    /// The patient whom a tag names.
    named: Option<&'a PatientRef>,
    /// The practice that speaks.
    practice: &'a str,
}

/// The practice that speaks.
pub(super) fn practice_of<'a>(sender: &SenderFacts, snapshot: &'a Snapshot) -> &'a Practice {
    let own = sender.practice.as_deref().and_then(|id| snapshot.policy.practice(id));
    own.unwrap_or_else(|| snapshot.policy.first_practice())
}

/// The facts about people that policy decides by.
pub struct Parties {
    /// Who speaks.
    pub sender: SenderFacts,
    /// The speaker's name by their account, for a mail program that sends none.
    pub sender_name: Option<String>,
    /// In the order of the envelope.
    pub recipients: Vec<RecipientFacts>,
}

impl Parties {
    /// Takes the sender's answer for what is known of the recipient it is about.
    pub(super) fn learn(&mut self, answered: &Answered) {
        for recipient in &mut self.recipients {
            recipient.answered_role = answered.role;
            if answered.birthdate.is_some() {
                recipient.answered_birthdate.clone_from(&answered.birthdate);
                // It is of whom the sender means now.
                (recipient.birthdate, recipient.patient) = (None, None);
            }
            recipient.answered = true;
        }
    }
}

impl Gateway {
    /// Finds out who takes part.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`]: a failed look-up is neither yes nor no.
    pub async fn parties(
        &self,
        received: &ReceivedMessage,
        facts: &Assessment,
        snapshot: &Snapshot,
    ) -> Result<Parties, Refusal> {
        let speaker = self.speaker(received, facts);
        let (sender, sender_name) = self.sender_facts(&received.origin, speaker, snapshot).await?;
        let practice = &practice_of(&sender, snapshot).id;
        let mut recipients = Vec::with_capacity(received.envelope.recipients.len());
        // Who has registered, and what was asked before, matters where there is something to open.
        let documents = snapshot.policy.may_give_rights(facts);
        for recipient in &received.envelope.recipients {
            let named = facts.patient();
            let written = documents.then_some(Written { named, practice });
            recipients.push(self.recipient_facts(&recipient.address, snapshot, written).await?);
        }
        Ok(Parties { sender, sender_name, recipients })
    }

    /// From speaks; where there is none, whoever sent it; where nobody did (`<>`), the postmaster.
    fn speaker(&self, received: &ReceivedMessage, facts: &Assessment) -> Address {
        let from = facts.from.first().or_else(|| received.envelope.reverse_path.address());
        match (from, &received.origin) {
            (Some(address), _) | (None, Origin::Staff { address, .. }) => address.clone(),
            (None, Origin::Relay { .. }) => self.postmaster(),
        }
    }

    async fn sender_facts(
        &self,
        origin: &Origin,
        speaker: Address,
        snapshot: &Snapshot,
    ) -> Result<(SenderFacts, Option<String>), Refusal> {
        let accounts = &self.stations.accounts;
        let account = match origin {
            Origin::Staff { id, .. } => accounts.get(*id).await.map(|found| found.map(|record| record.value)),
            Origin::Relay { .. } => accounts.find(&speaker).await.map(|found| found.map(|(_, record)| record.value)),
        }
        .map_err(|error| unavailable("accounts", &error))?;
        let of_domain = snapshot.policy.practice_of(speaker.domain()).map(|practice| practice.id.clone());
        let group = snapshot.policy.workgroup_at(&speaker);
        let own = account.filter(|account| speaks_as(snapshot, account, &speaker));
        // A server that may name any sender says nothing about who reads an answer.
        let can_answer = (own.is_some() || of_domain.is_some()) && *origin != Origin::Relay { any_sender: true };
        let name = own.as_ref().filter(|own| own.address.same_as(&speaker)).and_then(|own| own.name.clone());
        let name = group.map(|(_, group)| group.name.clone()).or(name);
        let (groups, of_account) = own.map(|account| (account.groups, account.practice)).unwrap_or_default();
        let practice = group.map(|(practice, _)| practice.id.clone()).or(of_account).or(of_domain);
        Ok((SenderFacts { address: speaker, groups, practice, can_answer }, name))
    }

    async fn recipient_facts(
        &self,
        address: &Address,
        snapshot: &Snapshot,
        written: Option<Written<'_>>,
    ) -> Result<RecipientFacts, Refusal> {
        let contact = self.stations.directory.find(address).await.map_err(|error| unavailable("directory", &error))?;
        let account = self.stations.accounts.find(address).await.map_err(|error| unavailable("accounts", &error))?;
        let active = account.filter(|(_, account)| !account.value.disabled);
        let of_account = active.and_then(|(_, account)| account.value.practice);
        let of_domain = snapshot.policy.practice_of(address.domain()).map(|practice| practice.id.clone());
        let mut facts = RecipientFacts {
            role: contact.as_ref().and_then(|contact| contact.person.role),
            known: contact.is_some(),
            practice: of_domain.or(of_account),
            ..RecipientFacts::unknown(address.clone())
        };
        if let Some((contact, written)) = contact.zip(written) {
            let adding = self.add_guest_facts(&mut facts, contact.id, written, snapshot);
            adding.await.map_err(|error| unavailable("guests", &error))?;
        }
        Ok(facts)
    }

    async fn add_guest_facts(
        &self,
        facts: &mut RecipientFacts,
        contact: ContactId,
        written: Written<'_>,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        if let Some(guest) = self.stations.guests.find(contact).await?.filter(|guest| guest.value.is_enrolled()) {
            let named = written.named.cloned().or_else(|| snapshot.policy.patient_at(&facts.address));
            let mark = named.map(|patient| self.stations.vault.patient_mark(&patient));
            facts.registered = true;
            let is_meant = |about: &About| {
                about.practice == written.practice && mark.is_none_or(|mark| about.patient == Some(mark))
            };
            facts.proved = guest.value.patients.iter().any(is_meant);
        }
        if let Some(Record { value: invitation, .. }) = self.stations.guests.invitation(contact).await? {
            let schedule = snapshot.policy.schedule(invitation.role);
            facts.invited_until = invitation.life.is_open().then(|| invitation.life.until(&schedule));
            // What one practice said of somebody is not another's to use.
            if invitation.practice == written.practice {
                (facts.birthdate, facts.patient) = (invitation.birthdate, invitation.patient);
            }
        }
        Ok(())
    }

    /// What policy would know of these people if they wrote to one another now, for `explain`.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub async fn facts_about(&self, from: Address, to: &[Address]) -> Result<Parties, Refusal> {
        let snapshot = self.stations.policies.snapshot();
        let (sender, sender_name) = self.sender_facts(&Origin::Relay { any_sender: false }, from, &snapshot).await?;
        let mut recipients = Vec::with_capacity(to.len());
        for address in to {
            let written = Written { named: None, practice: &practice_of(&sender, &snapshot).id };
            recipients.push(self.recipient_facts(address, &snapshot, Some(written)).await?);
        }
        Ok(Parties { sender, sender_name, recipients })
    }

    fn postmaster(&self) -> Address {
        let own = || Address::parse(&format!("postmaster@{}", self.settings.hostname));
        #[allow(clippy::expect_used, reason = "the host name is a Domain, and postmaster is a dot-string")]
        self.settings.postmaster.clone().unwrap_or_else(|| own().expect("postmaster at a domain is an address"))
    }
}
