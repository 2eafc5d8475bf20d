//! Doing what an admin asks.

use std::sync::Arc;

use crate::accounts::{AccountError, INITIAL_PASSWORD_LIVES, NewStaff, StaffAccount};
use crate::admin::invitations;
use crate::admin::request::{Answer, GrantRow, PartyFacts, QueueDetail, Request, StaffRow};
use crate::agenda::Agenda;
use crate::agenda::clock::Reading;
use crate::gateway::{Gateway, Refusal};
use crate::id::{GrantId, QueueId, StaffId};
use crate::mail::{Address, ReversePath};
use crate::queue::{QueueRow, TlsDemand};
use crate::secret::Secret;
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
        Request::StaffAdd { .. } => staff_add(desk, request).await,
        Request::StaffList { after } => staff_list(desk, after).await,
        Request::StaffPasswd { address, password } => staff_passwd(desk, &address, password).await,
        Request::StaffDisable { address } => staff_disable(desk, &address).await,
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

async fn staff_add(desk: &Desk, request: Request) -> Performed {
    let Request::StaffAdd { address, name, practice, groups, delegated, admin, password } = request else {
        return Err(String::from("not a request to add staff"));
    };
    let policy = desk.gateway.stations().policies.snapshot();
    if let Some(unknown) = practice.as_ref().filter(|id| policy.policy.practice(id).is_none()) {
        return Err(format!("there is no practice {unknown:?}; its file would be policies/practices/{unknown}.toml"));
    }
    let sentence = format!("{address} can sign in on the submission ports now.");
    let new = NewStaff { address, name, practice, groups, delegated, admin, initial: false };
    let accounts = &desk.gateway.stations().accounts;
    accounts.add(new, &Secret::new(password), store::now()).await.map_err(said)?;
    done(sentence)
}

fn said(error: AccountError) -> String {
    error.to_string()
}

async fn staff_list(desk: &Desk, after: Option<StaffId>) -> Performed {
    let accounts = &desk.gateway.stations().accounts;
    let page = accounts.list(after, PAGE).await.map_err(|error| error.to_string())?;
    let now = store::now();
    let row = |(id, account)| {
        let workgroups = desk.gateway.workgroups_of(&account);
        staff_row(id, account, workgroups, now)
    };
    Ok(Answer::Staff { rows: page.into_iter().map(row).collect() })
}

fn staff_row(id: StaffId, account: StaffAccount, workgroups: Vec<String>, now: Timestamp) -> StaffRow {
    let state = match account.initial_since {
        _ if account.disabled => "disabled",
        Some(since) if now.since(since) >= INITIAL_PASSWORD_LIVES => "initial password lapsed",
        Some(_) => "initial password",
        None => "active",
    };
    StaffRow {
        id,
        address: account.address,
        name: account.name,
        practice: account.practice,
        groups: account.groups,
        delegated: account.delegated,
        workgroups,
        state: state.to_owned(),
        admin: account.admin,
        created: account.created,
    }
}

async fn staff_passwd(desk: &Desk, address: &Address, password: String) -> Performed {
    let accounts = &desk.gateway.stations().accounts;
    accounts.set_password(address, &Secret::new(password)).await.map_err(said)?;
    done(format!("{address} has a new password."))
}

async fn staff_disable(desk: &Desk, address: &Address) -> Performed {
    desk.gateway.stations().accounts.disable(address).await.map_err(said)?;
    done(format!("{address} can no longer sign in. `postern staff passwd {address}` enables it again."))
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
