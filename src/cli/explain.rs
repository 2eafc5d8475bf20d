//! `postern explain`: what would happen to a message, and which rule says so.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use crate::admin::{Answer, PartyFacts, Request};
use crate::cli::{Done, ExplainArgs, ask, house, print};
use crate::config::Config;
use crate::keyring::Keyring;
use crate::mail::Address;
use crate::mime::assess::Assessment;
use crate::mime::header::Mailbox;
use crate::mime::{self, Defect, HeaderSection, Limits, Outline};
use crate::policy::{self, Plan, PolicySet, RecipientFacts, SenderFacts};

pub async fn explain(config_path: &Path, args: ExplainArgs) -> Done {
    let config = house::read_config(config_path)?;
    let octets = with_crlf(read_message(&args.message)?);
    let snapshot = house::open_policies(&config.gateway.policies)?.snapshot();
    let (outline, facts) = match understood(&octets, &snapshot.policy) {
        Ok(understood) => understood,
        Err(defect) => {
            print::line(&format!("It would be refused: {}", defect.words));
            return Ok(ExitCode::FAILURE);
        }
    };
    let from = args.from.or_else(|| facts.from.first().cloned());
    let from = from.ok_or("the message names no sender; give one with --from")?;
    let to = if args.to.is_empty() { recipients(&outline.root.header) } else { args.to };
    if to.is_empty() {
        return Err(String::from("the message names no recipient; give one with --to"));
    }
    let parties = parties(config_path, &config, &snapshot.policy, from, to).await?;
    let plan = snapshot.policy.decide(&facts, &parties.sender, &parties.recipients);
    print_plan(&snapshot.policy, &facts, &plan, &parties, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// The message's facts; where it is not understood and policy may secure it whole, those of the message as it was written.
fn understood(octets: &[u8], policy: &PolicySet) -> Result<(Outline, Assessment), Defect> {
    let assessed = match mime::assess_octets(octets, &Limits::default()) {
        Err(defect) if defect.is_ambiguity() && policy.secures_whole() => mime::as_written_octets(octets, defect),
        assessed => assessed,
    };
    let (outline, mut facts) = assessed?;
    facts.hear_fields()?;
    Ok((outline, facts))
}

fn print_plan(
    policy: &PolicySet,
    facts: &Assessment,
    plan: &Plan,
    parties: &PartyFacts,
    json: bool,
) -> Result<(), String> {
    let explanation = policy::explain(policy, facts, plan, &parties.recipients);
    if json {
        return print::json(&explanation);
    }
    print::line(explanation.to_string().trim_end());
    Ok(())
}

fn read_message(path: &Path) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut octets)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut octets))
    };
    read.map(|_| octets).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// A file's line ends as SMTP has them: a saved message often has LF alone.
fn with_crlf(octets: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    let mut before = 0;
    for octet in octets {
        if octet == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        before = octet;
    }
    out
}

/// The addresses of To, Cc and Bcc, where no `--to` says otherwise.
fn recipients(header: &HeaderSection) -> Vec<Address> {
    let wanted = |name: &str| ["To", "Cc", "Bcc"].iter().any(|it| name.eq_ignore_ascii_case(it));
    let mut found: Vec<Address> = Vec::new();
    for field in header.fields.iter().filter(|field| wanted(&field.name)) {
        let listed = mime::header::mailboxes(&String::from_utf8_lossy(&field.value));
        for Mailbox { address, .. } in listed.into_iter().flatten() {
            if !found.iter().any(|known| known.same_as(&address)) {
                found.push(address);
            }
        }
    }
    found
}

/// What is known of these people: by the running server or the store; before the first start, by the practices alone.
async fn parties(
    config_path: &Path,
    config: &Config,
    policy: &PolicySet,
    from: Address,
    to: Vec<Address>,
) -> Result<PartyFacts, String> {
    if Keyring::exists(&config.gateway.keyring) {
        return match ask::ask_plainly(config_path, Request::Facts { from, to }).await? {
            Answer::Facts { facts } => Ok(facts),
            _ => Err(ask::unexpected()),
        };
    }
    let practice = |address: &Address| policy.practice_of(address.domain()).map(|practice| practice.id.clone());
    let of_sender = practice(&from);
    let sender =
        SenderFacts { can_answer: of_sender.is_some(), practice: of_sender, address: from, groups: Vec::new() };
    let recipient =
        |address: Address| RecipientFacts { practice: practice(&address), ..RecipientFacts::unknown(address) };
    Ok(PartyFacts { sender, recipients: to.into_iter().map(recipient).collect() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_saved_message_gets_the_line_ends_of_smtp() {
        assert_eq!(super::with_crlf(b"a\nb\r\nc\r".to_vec()), b"a\r\nb\r\nc\r");
    }
}
