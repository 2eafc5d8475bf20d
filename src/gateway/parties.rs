//! Who a message is from and for, as far as accounts, directory and practices can tell.

use crate::gateway::words::Answered;
use crate::gateway::{Gateway, ReceivedMessage, Refusal, Snapshot, unavailable};
use crate::id::ContactId;
use crate::mail::{Address, Origin};
use crate::mime::assess::Assessment;
use crate::policy::{RecipientFacts, SenderFacts};
use crate::store::StoreError;

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
            recipient.role = Some(answered.role);
            if answered.birthdate.is_some() {
                recipient.birthdate.clone_from(&answered.birthdate);
                recipient.patient = None;
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
        let mut recipients = Vec::with_capacity(received.envelope.recipients.len());
        // Who has registered, and what was asked before, matters where there is something to open.
        let documents = !facts.attachments.is_empty();
        for recipient in &received.envelope.recipients {
            recipients.push(self.recipient_facts(&recipient.address, snapshot, documents).await?);
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
        let own = account.filter(|account| account.may_send_as(&speaker));
        let can_answer = own.is_some() || of_domain.is_some();
        let name = own.as_ref().filter(|own| own.address.same_as(&speaker)).and_then(|own| own.name.clone());
        let (groups, of_account) = own.map(|account| (account.groups, account.practice)).unwrap_or_default();
        Ok((SenderFacts { address: speaker, groups, practice: of_account.or(of_domain), can_answer }, name))
    }

    async fn recipient_facts(
        &self,
        address: &Address,
        snapshot: &Snapshot,
        documents: bool,
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
        if let Some(contact) = contact.filter(|_| documents) {
            self.add_guest_facts(&mut facts, contact.id).await.map_err(|error| unavailable("guests", &error))?;
        }
        Ok(facts)
    }

    async fn add_guest_facts(&self, facts: &mut RecipientFacts, contact: ContactId) -> Result<(), StoreError> {
        facts.registered = !self.must_register(contact).await?;
        if let Some(invitation) = self.stations.guests.invitation(contact).await? {
            facts.birthdate = invitation.value.birthdate;
            facts.patient = invitation.value.patient;
        }
        Ok(())
    }

    /// What policy would know of these people if they wrote to one another now, for `explain`.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub async fn facts_about(&self, from: Address, to: &[Address]) -> Result<Parties, Refusal> {
        let snapshot = self.stations.policies.snapshot();
        let (sender, sender_name) = self.sender_facts(&Origin::Relay { any_sender: true }, from, &snapshot).await?;
        let mut recipients = Vec::with_capacity(to.len());
        for address in to {
            recipients.push(self.recipient_facts(address, &snapshot, true).await?);
        }
        Ok(Parties { sender, sender_name, recipients })
    }

    fn postmaster(&self) -> Address {
        let own = || Address::parse(&format!("postmaster@{}", self.settings.hostname));
        #[allow(clippy::expect_used, reason = "the host name is a Domain, and postmaster is a dot-string")]
        self.settings.postmaster.clone().unwrap_or_else(|| own().expect("postmaster at a domain is an address"))
    }
}
