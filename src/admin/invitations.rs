//! `postern invitation`: who was invited and has not come, and what an admin does about it.

use crate::admin::perform::{Desk, PAGE, Performed, done};
use crate::admin::request::{Answer, InvitationRow};
use crate::gateway::invitations::{InvitationError, state_word};
use crate::guests::InvitationRecord;
use crate::id::ContactId;
use crate::invitation::{Event, State};
use crate::mail::Address;
use crate::store;

pub(super) async fn list(desk: &Desk, after: Option<ContactId>) -> Performed {
    let guests = &desk.gateway.stations().guests;
    let page = guests.invitations(after, PAGE).await.map_err(|error| error.to_string())?;
    let mut rows = Vec::with_capacity(page.len());
    for (id, invitation) in page {
        let guest = guests.find(id).await.map_err(|error| error.to_string())?;
        rows.push(row(id, invitation, guest.is_some_and(|guest| guest.value.waits_for_admin)));
    }
    Ok(Answer::Invitations { rows })
}

fn row(id: ContactId, invitation: InvitationRecord, waits: bool) -> InvitationRow {
    let (word, reminded) = match invitation.life.state {
        State::Open { reminded, .. } if waits => ("waits for an admin", reminded),
        State::Open { reminded, .. } => (state_word(invitation.life.state), reminded),
        ended => (state_word(ended), 0),
    };
    InvitationRow {
        id,
        address: invitation.address,
        role: invitation.role,
        sender: invitation.sender,
        state: word.to_owned(),
        issued: invitation.life.issued,
        reminded,
        due: invitation.due,
    }
}

pub(super) async fn remind(desk: &Desk, address: &Address) -> Performed {
    change(desk, address, Event::Remind, None).await?;
    done(format!("{address} is reminded."))
}

pub(super) async fn cancel(desk: &Desk, address: &Address) -> Performed {
    change(desk, address, Event::Cancel, None).await?;
    done(format!(
        "Registration is closed for {address}, and they are told. `postern invitation resend {address}` opens it again."
    ))
}

pub(super) async fn resend(desk: &Desk, address: &Address, birthdate: Option<&str>) -> Performed {
    change(desk, address, Event::Resend, birthdate).await?;
    done(format!("{address} is invited again."))
}

pub(super) async fn approve(desk: &Desk, address: &Address) -> Performed {
    desk.gateway.approve_guest(address, store::now()).await.map_err(said)?;
    done(format!("{address} is let in; the mail that sets their password is on its way."))
}

async fn change(desk: &Desk, address: &Address, event: Event, birthdate: Option<&str>) -> Result<(), String> {
    let found = desk.gateway.stations().directory.find(address).await.map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| said(InvitationError::Missing))?;
    desk.gateway.change_invitation(found.id, event, birthdate, store::now()).await.map_err(said)
}

fn said(error: InvitationError) -> String {
    match error {
        InvitationError::Missing => {
            String::from("nobody of this address was invited; `postern invitation list` shows who was")
        }
        InvitationError::NobodyWaits => {
            String::from("nobody of this address waits to be let in; `postern invitation list` shows who does")
        }
        other => other.to_string(),
    }
}
