//! Doing what an admin asks.

use std::sync::Arc;

use crate::admin::request::{Answer, GrantRow, PartyFacts, QueueDetail, Request};
use crate::admin::{invitations, staff};
use crate::agenda::Agenda;
use crate::agenda::clock::Reading;
use crate::gateway::{Gateway, Refusal};
use crate::id::{GrantId, QueueId};
use crate::mail::{Address, ReversePath};
use crate::queue::{QueueRow, TlsDemand};
use crate::store;
use crate::time::Timestamp;
use crate::vault::{Grant, VaultError};

/// Rows of one page of a listing.
pub(super) const PAGE: usize = 200;

/// What commands work with.
#[derive(Clone)]
pub struct Desk {
    /// The use cases and the state behind them.
    pub gateway: Gateway,
    /// Due work and the clock guard.
    pub agenda: Arc<Agenda>,
}

/// Does what was asked. `progress` is told how far long work has come.
pub async fn perform(desk: &Desk, request: Request, progress: &(dyn Fn(u64) + Sync)) -> Answer {
    let result = match request {
        Request::StaffAdd { .. } => staff::add(desk, request).await,
        Request::StaffList { after } => staff::list(desk, after).await,
        Request::StaffPasswd { address, password } => staff::passwd(desk, &address, password).await,
        Request::StaffDisable { address } => staff::disable(desk, &address).await,
        Request::AppPasswordAdd { address, name } => staff::add_app_password(desk, &address, &name).await,
        Request::AppPasswordList { address } => staff::app_passwords(desk, &address).await,
        Request::AppPasswordRemove { address, name } => staff::remove_app_password(desk, &address, &name).await,
        Request::QueueList { after } => queue_list(desk, after).await,
        Request::QueueShow { id } => queue_show(desk, id).await,
        Request::GrantList { after } => grant_list(desk, after).await,
        Request::GrantRevoke { id } => grant_revoke(desk, id).await,
        Request::InvitationList { after } => invitations::list(desk, after).await,
        Request::InvitationRemind { address } => invitations::remind(desk, &address).await,
        Request::InvitationCancel { address } => invitations::cancel(desk, &address).await,
        Request::InvitationResend { address, birthdate } => {
            invitations::resend(desk, &address, birthdate.as_deref()).await
        }
        Request::InvitationApprove { address } => invitations::approve(desk, &address).await,
        Request::VaultVerify => vault_verify(desk, progress).await,
        Request::ClockAccept => clock_accept(desk).await,
        Request::Facts { from, to } => facts(desk, from, &to).await,
    };
    result.unwrap_or_else(|sentence| Answer::Failed { sentence })
}

pub(super) type Performed = Result<Answer, String>;

pub(super) fn done(sentence: impl Into<String>) -> Performed {
    Ok(Answer::Done { sentence: sentence.into() })
}

async fn queue_list(desk: &Desk, after: Option<QueueId>) -> Performed {
    let rows = desk.gateway.stations().queue.list(after, PAGE).await.map_err(|error| error.to_string())?;
    Ok(Answer::Queue { rows })
}

async fn queue_show(desk: &Desk, id: QueueId) -> Performed {
    let found = desk.gateway.stations().queue.show(id).await.map_err(|error| error.to_string())?;
    let (entry, letter) = found.ok_or("there is no such entry: it was delivered, or given up, or never was")?;
    let from = match &letter.delivery.reverse_path {
        ReversePath::Null => String::new(),
        ReversePath::Address(address) => address.to_string(),
    };
    Ok(Answer::QueueEntry {
        entry: QueueDetail {
            row: QueueRow::of(id, &entry),
            from,
            to: letter.delivery.recipient.address.to_string(),
            octets: letter.payload.octets(),
            tls_required: entry.tls == TlsDemand::Required,
        },
    })
}

async fn grant_list(desk: &Desk, after: Option<GrantId>) -> Performed {
    let stations = desk.gateway.stations();
    let page = stations.vault.grants(after, PAGE).await.map_err(|error| error.to_string())?;
    let now = store::now();
    let mut rows = Vec::with_capacity(page.len());
    for (id, grant) in page {
        let person = stations.directory.person(grant.contact).await.map_err(|error| error.to_string())?;
        rows.push(grant_row(id, &grant, person.map(|person| person.address), now));
    }
    Ok(Answer::Grants { rows })
}

fn grant_row(id: GrantId, grant: &Grant, recipient: Option<Address>, now: Timestamp) -> GrantRow {
    let state = if grant.revoked.is_some() {
        "revoked"
    } else if grant.keep_until <= now {
        "ended"
    } else if grant.link_until <= now {
        "link expired"
    } else {
        "living"
    };
    GrantRow {
        id,
        transaction: grant.transaction.to_string(),
        recipient,
        state: state.to_owned(),
        created: grant.created,
        link_until: grant.link_until,
        keep_until: grant.keep_until,
    }
}

async fn grant_revoke(desk: &Desk, id: GrantId) -> Performed {
    match desk.gateway.stations().vault.revoke(id, store::now()).await {
        Ok(()) => done(format!("{id} is revoked: nobody opens these documents by it again.")),
        Err(VaultError::Missing) => Err(String::from("there is no such grant; `postern grant list` shows all")),
        Err(error) => Err(error.to_string()),
    }
}

async fn vault_verify(desk: &Desk, progress: &(dyn Fn(u64) + Sync)) -> Performed {
    let report = desk.gateway.stations().vault.verify(progress).await.map_err(|error| error.to_string())?;
    Ok(Answer::Verified { report })
}

async fn clock_accept(desk: &Desk) -> Performed {
    desk.agenda.accept(Reading::take()).await.map_err(|error| error.to_string())?;
    done("The clock is taken as it is; expiry and the destruction of keys go on.")
}

async fn facts(desk: &Desk, from: Address, to: &[Address]) -> Performed {
    let parties = desk.gateway.facts_about(from, to).await.map_err(|refusal| match refusal {
        Refusal::Unavailable => String::from("accounts or directory cannot be read; the log says why"),
        other => format!("{other:?}"),
    })?;
    Ok(Answer::Facts { facts: PartyFacts { sender: parties.sender, recipients: parties.recipients } })
}
