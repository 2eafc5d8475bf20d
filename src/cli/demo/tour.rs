//! The story, step under step.

use super::letters::{self, Letter};
use super::outbox::Mail;
use super::people::{LEE, Person};
use super::stage::Stage;
use super::submit::Answer;
use super::tell::{Look, Teller};
use crate::store;

/// Shows what the gateway does with a clinic's mail, and says where to go on looking.
pub async fn tour(stage: &Stage, teller: &Teller) -> Result<(), String> {
    opening(stage, teller);
    results_for_three(stage, teller).await?;
    a_program_is_refused(stage, teller).await?;
    what_to_try(stage, teller);
    Ok(())
}

fn opening(stage: &Stage, teller: &Teller) {
    teller.fact("outbox", Look::Link, &stage.outbox_url);
    teller.fact("", Look::Faint, "every mail that would have left, as its recipient sees it: open it in a browser now");
    teller.fact("portal", Look::Link, &stage.portal_url);
    teller.fact("files", Look::Plain, &stage.folder().display().to_string());
}

/// One message, three recipients, three ways.
async fn results_for_three(stage: &Stage, teller: &Teller) -> Result<(), String> {
    teller.heading("1. Dr Lee sends results from Outlook: to a new patient, a doctor elsewhere and a colleague");
    let letter = letters::results();
    let answer = hand_in(stage, teller, &letter).await?;
    expect(&answer, 250)?;
    teller.fact("reply", Look::Good, &answer.text);
    for person in &letter.to {
        let mail = teller.during(&format!("mail for {}", person.address), delivered(stage, person)).await?;
        tell_of(stage, teller, &mail);
    }
    Ok(())
}

/// A file that policy does not let out.
async fn a_program_is_refused(stage: &Stage, teller: &Teller) -> Result<(), String> {
    teller.heading("2. Dr Lee attaches a program: the message is refused, and her mail program shows why");
    let letter = letters::program();
    let answer = hand_in(stage, teller, &letter).await?;
    expect(&answer, 550)?;
    teller.fact("reply", Look::Bad, &answer.text);
    Ok(())
}

fn what_to_try(stage: &Stage, teller: &Teller) {
    teller.heading("Now you");
    teller.fact("open", Look::Link, &stage.outbox_url);
}

/// Says what is sent, and sends it.
async fn hand_in(stage: &Stage, teller: &Teller, letter: &Letter) -> Result<Answer, String> {
    for person in &letter.to {
        teller.fact("to", Look::Plain, &format!("{:28} {}", person.address, teller.paint(Look::Faint, person.is)));
    }
    teller.fact("subject", Look::Plain, &letter.subject);
    let attached: Vec<String> =
        letter.attached.iter().map(|file| format!("{} ({})", file.name, size(file.octets.len()))).collect();
    teller.fact("attached", Look::Plain, &attached.join(", "));
    let octets = letter.octets(store::now());
    let answer = stage.submission.send(&letter.recipients(), &octets).await?;
    teller.fact(
        "by",
        Look::Plain,
        &format!("SMTP, {}, signed in as {}, {}", answer.tls, LEE.address, size(octets.len())),
    );
    Ok(answer)
}

fn expect(answer: &Answer, code: u16) -> Result<(), String> {
    if answer.code == code {
        return Ok(());
    }
    Err(format!("the gateway answered {} where {code} was to come", answer.text))
}

/// The first mail to this person.
async fn delivered(stage: &Stage, person: &Person) -> Result<Mail, String> {
    let found = stage.outbox.wait_for(|mail| mail.to == person.address).await;
    found.ok_or_else(|| format!("no mail for {} came into the outbox", person.address))
}

/// What a recipient got: a link, or the mail as it was written.
fn tell_of(stage: &Stage, teller: &Teller, mail: &Mail) {
    match mail.link(stage.outbox.links()) {
        Some(link) => {
            teller.fact("", Look::Plain, "a notice; the documents wait in the vault behind this link:");
            teller.fact("", Look::Link, &link);
        }
        None => {
            let files = mail.attachments();
            let files: Vec<String> = files.iter().map(|(name, octets)| format!("{name} ({})", size(*octets))).collect();
            teller.fact("", Look::Plain, &format!("the mail as it was written, with {}", files.join(" and ")));
        }
    }
}

/// Octets as a person reads them.
fn size(octets: usize) -> String {
    if octets < 1000 { format!("{octets} bytes") } else { format!("{} KB", octets.div_ceil(1000)) }
}
