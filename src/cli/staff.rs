//! `postern staff`: accounts.

use std::io::{BufRead, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::admin::{Answer, AppPasswordRow, Request, StaffRow};
use crate::cli::{AppPasswordCommand, Done, StaffCommand, ask, house, print, settings};
use crate::mail::Address;
use crate::random;

/// The longest line that is read as a password.
const LONGEST_LINE: u64 = 4096;

#[derive(Args)]
pub struct AddArgs {
    /// The account's address; also the name to sign in with.
    address: Address,
    /// The person's name.
    #[arg(long)]
    name: Option<String>,
    /// The practice (the stem of its file in policies/practices), where the address's domain does not say it.
    #[arg(long)]
    practice: Option<String>,
    /// A staff group, as policy rules name it; may be given more than once.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Another address it may send as; may be given more than once.
    #[arg(long = "delegate", value_name = "ADDRESS")]
    delegated: Vec<Address>,
    /// Make it an admin's account.
    #[arg(long)]
    admin: bool,
    /// Read the password from standard input, one line.
    #[arg(long)]
    password_stdin: bool,
}

pub async fn staff(config: &Path, command: StaffCommand) -> Done {
    match command {
        StaffCommand::Add(args) => add(config, args).await,
        StaffCommand::List { json } => list(config, json).await,
        StaffCommand::Passwd { address, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            let request = Request::StaffPasswd { address, password: password.clone() };
            let code = ask::ask_done(config, request).await?;
            tell(&password, made);
            Ok(code)
        }
        StaffCommand::Disable { address } => ask::ask_done(config, Request::StaffDisable { address }).await,
        StaffCommand::AppPassword(command) => app_password(config, command).await,
    }
}

async fn app_password(config: &Path, command: AppPasswordCommand) -> Done {
    match command {
        AppPasswordCommand::Add { address, name } => {
            let request = Request::AppPasswordAdd { address, name };
            let Answer::AppPassword { password } = ask::ask_plainly(config, request).await? else {
                return Err(ask::unexpected());
            };
            print::line(&format!("App password: {password}"));
            print::line("It is shown this once and kept nowhere in clear; the name to sign in with is the address.");
            Ok(ExitCode::SUCCESS)
        }
        AppPasswordCommand::List { address, json } => {
            let Answer::AppPasswords { rows } = ask::ask_plainly(config, Request::AppPasswordList { address }).await?
            else {
                return Err(ask::unexpected());
            };
            if json {
                print::json(&rows)?;
            } else {
                let cells = |row: &AppPasswordRow| vec![row.name.clone(), row.created.to_string()];
                print::table(&["NAME", "MADE"], &rows.iter().map(cells).collect::<Vec<_>>());
            }
            Ok(ExitCode::SUCCESS)
        }
        AppPasswordCommand::Remove { address, name } => {
            ask::ask_done(config, Request::AppPasswordRemove { address, name }).await
        }
    }
}

async fn add(config: &Path, args: AddArgs) -> Done {
    let (password, made) = password(args.password_stdin)?;
    let request = Request::StaffAdd {
        address: args.address,
        name: args.name,
        practice: args.practice,
        groups: args.groups,
        delegated: args.delegated,
        admin: args.admin,
        password: password.clone(),
    };
    let code = ask::ask_done(config, request).await?;
    tell(&password, made);
    if let Some(page) = settings::setup_page(&house::read_config(config)?) {
        print::line(&format!("How to set up a mail program: {page}"));
    }
    Ok(code)
}

/// The password, and whether it was made here.
fn password(from_stdin: bool) -> Result<(String, bool), String> {
    if !from_stdin {
        return Ok((random::readable_password().expose().clone(), true));
    }
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(LONGEST_LINE);
    input.read_line(&mut line).map_err(|error| format!("cannot read the password: {error}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        Err(String::from("standard input held no password"))
    } else {
        Ok((password.to_owned(), false))
    }
}

fn tell(password: &str, made: bool) {
    if made {
        print::line(&format!("Password: {password}"));
        print::line("It is shown this once and kept nowhere in clear.");
    }
}

async fn list(config: &Path, json: bool) -> Done {
    let mut rows: Vec<StaffRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id);
        let Answer::Staff { rows: page } = ask::ask_plainly(config, Request::StaffList { after }).await? else {
            return Err(ask::unexpected());
        };
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    if json {
        print::json(&rows)?;
    } else {
        let titles = ["ADDRESS", "NAME", "STATE", "PRACTICE", "GROUPS", "ALSO SENDS AS", "WORKGROUPS"];
        print::table(&titles, &rows.iter().map(cells).collect::<Vec<_>>());
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &StaffRow) -> Vec<String> {
    let or_dash = |text: String| if text.is_empty() { String::from("-") } else { text };
    let state = if row.admin { format!("{} (admin)", row.state) } else { row.state.clone() };
    vec![
        row.address.to_string(),
        or_dash(row.name.clone().unwrap_or_default()),
        state,
        or_dash(row.practice.clone().unwrap_or_default()),
        or_dash(row.groups.join(", ")),
        or_dash(row.delegated.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        or_dash(row.workgroups.join(", ")),
    ]
}
