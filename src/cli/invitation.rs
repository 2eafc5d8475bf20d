//! `postern invitation`: who was invited and has not come.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use crate::admin::{Answer, InvitationRow, Request};
use crate::cli::{Done, ask, print};
use crate::mail::Address;
use crate::time::parse_date;

#[derive(Subcommand)]
pub enum InvitationCommand {
    /// List all invitations: who has registered, who has not, when the next reminder goes.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Mail a reminder now.
    Remind {
        /// Who is invited.
        address: Address,
    },
    /// Take an invitation back: registration is closed until it is sent again.
    Cancel {
        /// Who is invited.
        address: Address,
    },
    /// Invite again: after wrong birthdates, after it has expired, or from the first day on.
    Resend {
        /// Who is invited.
        address: Address,
        /// The birthdate that must be entered from now on, as 1980-03-04.
        #[arg(long, value_name = "DATE", value_parser = birthdate)]
        birthdate: Option<String>,
    },
    /// Let somebody in who registered as staff of your practice with an address outside its domains.
    Approve {
        /// Who waits.
        address: Address,
    },
}

fn birthdate(text: &str) -> Result<String, String> {
    parse_date(text).map(|_| text.to_owned()).ok_or_else(|| String::from("a date is written as 1980-03-04"))
}

pub async fn invitation(config: &Path, command: InvitationCommand) -> Done {
    let request = match command {
        InvitationCommand::List { json } => return list(config, json).await,
        InvitationCommand::Remind { address } => Request::InvitationRemind { address },
        InvitationCommand::Cancel { address } => Request::InvitationCancel { address },
        InvitationCommand::Resend { address, birthdate } => Request::InvitationResend { address, birthdate },
        InvitationCommand::Approve { address } => Request::InvitationApprove { address },
    };
    ask::ask_done(config, request).await
}

async fn list(config: &Path, json: bool) -> Done {
    let mut rows: Vec<InvitationRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id);
        let Answer::Invitations { rows: page } = ask::ask_plainly(config, Request::InvitationList { after }).await?
        else {
            return Err(ask::unexpected());
        };
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    if json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("Nobody was invited.");
    } else {
        let titles = ["ADDRESS", "ROLE", "STATE", "SENT", "REMINDED", "NEXT", "INVITED BY"];
        print::table(&titles, &rows.iter().map(cells).collect::<Vec<_>>());
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &InvitationRow) -> Vec<String> {
    vec![
        row.address.to_string(),
        row.role.map_or_else(|| String::from("-"), |role| role.to_string()),
        row.state.clone(),
        row.issued.to_string(),
        row.reminded.to_string(),
        row.due.map_or_else(|| String::from("-"), |due| due.to_string()),
        row.sender.to_string(),
    ]
}
