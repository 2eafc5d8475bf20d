//! Staff accounts and their app passwords.

use crate::accounts::{AccountError, AppPassword, INITIAL_PASSWORD_LIVES, NewStaff, StaffAccount};
use crate::admin::perform::{Desk, PAGE, Performed, done};
use crate::admin::request::{Answer, AppPasswordRow, Request, StaffRow};
use crate::id::StaffId;
use crate::mail::Address;
use crate::secret::Secret;
use crate::store;
use crate::time::Timestamp;

pub(super) async fn add(desk: &Desk, request: Request) -> Performed {
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

pub(super) async fn list(desk: &Desk, after: Option<StaffId>) -> Performed {
    let accounts = &desk.gateway.stations().accounts;
    let page = accounts.list(after, PAGE).await.map_err(|error| error.to_string())?;
    let now = store::now();
    let row = |(id, account)| {
        let workgroups = desk.gateway.workgroups_of(&account);
        row_of(id, account, workgroups, now)
    };
    Ok(Answer::Staff { rows: page.into_iter().map(row).collect() })
}

fn row_of(id: StaffId, account: StaffAccount, workgroups: Vec<String>, now: Timestamp) -> StaffRow {
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

pub(super) async fn passwd(desk: &Desk, address: &Address, password: String) -> Performed {
    let accounts = &desk.gateway.stations().accounts;
    accounts.set_password(address, &Secret::new(password)).await.map_err(said)?;
    let devices = accounts.app_passwords(address).await.map_err(said)?.len();
    let also = match devices {
        0 => String::new(),
        1 => format!(" One app password opens it, too: `postern staff app-password list {address}`."),
        many => format!(" {many} app passwords open it, too: `postern staff app-password list {address}`."),
    };
    done(format!("{address} has a new password.{also}"))
}

pub(super) async fn disable(desk: &Desk, address: &Address) -> Performed {
    desk.gateway.stations().accounts.disable(address).await.map_err(said)?;
    done(format!(
        "{address} can no longer sign in, and its app passwords are gone. `postern staff passwd {address}` enables it again."
    ))
}

pub(super) async fn add_app_password(desk: &Desk, address: &Address, name: &str) -> Performed {
    let accounts = &desk.gateway.stations().accounts;
    let password = accounts.add_app_password(address, name, store::now()).await.map_err(said)?;
    Ok(Answer::AppPassword { password: password.expose().clone() })
}

pub(super) async fn app_passwords(desk: &Desk, address: &Address) -> Performed {
    let known = desk.gateway.stations().accounts.app_passwords(address).await.map_err(said)?;
    let row = |known: AppPassword| AppPasswordRow { name: known.name, created: known.created };
    Ok(Answer::AppPasswords { rows: known.into_iter().map(row).collect() })
}

pub(super) async fn remove_app_password(desk: &Desk, address: &Address, name: &str) -> Performed {
    desk.gateway.stations().accounts.remove_app_password(address, name).await.map_err(said)?;
    done(format!("{name} of {address} can no longer sign in."))
}
