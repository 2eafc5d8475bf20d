//! Asking the running server over its socket, or doing it alone where none runs.

use std::path::Path;
use std::process::ExitCode;

use crate::admin::{self, Answer, CallError, GrantRow, QueueDetail, Request};
use crate::cli::{Done, house, print};
use crate::id::{GrantId, QueueId};
use crate::queue::QueueRow;

/// The answer of the running server, else of the store itself.
pub async fn ask(config: &Path, request: Request, progress: &(dyn Fn(u64) + Sync)) -> Result<Answer, String> {
    let config = house::read_config(config)?;
    match admin::call(&house::socket_path(&config), &request, progress).await {
        Ok(answer) => Ok(answer),
        Err(error @ CallError::Broken(_)) => Err(error.to_string()),
        Err(CallError::NoServer) => {
            let house = house::open_alone(&config).await?;
            let answer = admin::perform(&house.desk, request, progress).await;
            house.close().await?;
            Ok(answer)
        }
    }
}

/// The answer where it is one that was hoped for; a sentence where it was not done.
pub async fn ask_plainly(config: &Path, request: Request) -> Result<Answer, String> {
    match ask(config, request, &|_| {}).await? {
        Answer::Failed { sentence } => Err(sentence),
        answer => Ok(answer),
    }
}

/// Prints the sentence of a command that does one thing.
pub async fn ask_done(config: &Path, request: Request) -> Done {
    match ask_plainly(config, request).await? {
        Answer::Done { sentence } => {
            print::line(&sentence);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(unexpected()),
    }
}

/// Another version answered.
pub fn unexpected() -> String {
    String::from("the running postern answered something else; is it another version?")
}

pub async fn queue_list(config: &Path, json: bool) -> Done {
    let mut rows: Vec<QueueRow> = Vec::new();
    loop {
        let after = rows.last().and_then(|row| row.id.parse().ok());
        let Answer::Queue { rows: page } = ask_plainly(config, Request::QueueList { after }).await? else {
            return Err(unexpected());
        };
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    if json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("Nothing is waiting.");
    } else {
        let titles = ["ID", "MESSAGE", "QUEUED", "NEXT", "ATTEMPTS", "LAST"];
        print::table(&titles, &rows.iter().map(queue_cells).collect::<Vec<_>>());
    }
    Ok(ExitCode::SUCCESS)
}

fn queue_cells(row: &QueueRow) -> Vec<String> {
    vec![
        row.id.clone(),
        row.transaction.clone(),
        row.created.to_string(),
        row.due.to_string(),
        row.attempts.to_string(),
        row.last.clone().unwrap_or_else(|| String::from("-")),
    ]
}

pub async fn queue_show(config: &Path, id: QueueId, json: bool) -> Done {
    let Answer::QueueEntry { entry } = ask_plainly(config, Request::QueueShow { id }).await? else {
        return Err(unexpected());
    };
    if json {
        print::json(&entry)?;
    } else {
        show(&entry);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(entry: &QueueDetail) {
    let row = &entry.row;
    let from = if entry.from.is_empty() { "<> (a report)" } else { &entry.from };
    let tls = if entry.tls_required { "required, certificate verified" } else { "as config.toml says" };
    for (what, value) in [
        ("id", row.id.as_str()),
        ("message", &row.transaction),
        ("purpose", &row.purpose),
        ("from", from),
        ("to", &entry.to),
        ("octets", &entry.octets.to_string()),
        ("TLS", tls),
        ("queued", &row.created.to_string()),
        ("next attempt", &row.due.to_string()),
        ("attempts", &row.attempts.to_string()),
        ("last", row.last.as_deref().unwrap_or("-")),
    ] {
        print::line(&format!("{what:13} {value}"));
    }
}

pub async fn grant_list(config: &Path, json: bool) -> Done {
    let mut rows: Vec<GrantRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id);
        let Answer::Grants { rows: page } = ask_plainly(config, Request::GrantList { after }).await? else {
            return Err(unexpected());
        };
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    if json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("Nobody has a right to any document.");
    } else {
        let titles = ["ID", "RECIPIENT", "STATE", "GIVEN", "LINK UNTIL", "KEPT UNTIL"];
        print::table(&titles, &rows.iter().map(grant_cells).collect::<Vec<_>>());
    }
    Ok(ExitCode::SUCCESS)
}

fn grant_cells(row: &GrantRow) -> Vec<String> {
    vec![
        row.id.to_string(),
        row.recipient.as_ref().map_or_else(|| String::from("(forgotten)"), ToString::to_string),
        row.state.clone(),
        row.created.to_string(),
        row.link_until.to_string(),
        row.keep_until.to_string(),
    ]
}

pub async fn grant_revoke(config: &Path, id: GrantId) -> Done {
    ask_done(config, Request::GrantRevoke { id }).await
}

pub async fn clock_accept(config: &Path) -> Done {
    ask_done(config, Request::ClockAccept).await
}

pub async fn vault_verify(config: &Path, json: bool) -> Done {
    let progress = print::progress("documents read");
    let answer = ask(config, Request::VaultVerify, &progress).await?;
    print::end_progress();
    let report = match answer {
        Answer::Verified { report } => report,
        Answer::Failed { sentence } => return Err(sentence),
        _ => return Err(unexpected()),
    };
    if json {
        print::json(&report)?;
    } else {
        print::line(&format!(
            "{} parcels, {} documents, {} octets read; {} damaged; {} files that nothing names.",
            report.parcels,
            report.deposits,
            report.octets,
            report.damaged.len(),
            report.orphans
        ));
        for (id, what) in &report.damaged {
            print::line(&format!("  {id}  {what}"));
        }
    }
    Ok(if report.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
