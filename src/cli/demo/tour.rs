//! The story, step under step.

use super::letters::{self, Letter};
use super::outbox::Mail;
use super::people::{JANE_BORN_WORDS, LEE, NOVAK, Person};
use super::stage::Stage;
use super::submit::Answer;
use super::tell::{Look, Teller};
use crate::store;

/// How the subject of a question begins (`policies/templates/en/staff.txt`).
const QUESTION: &str = "Who is this recipient?";
/// How the subject of a status mail begins when everybody has theirs.
const STATUS: &str = "Delivery successful";
/// Dr Lee's answer: a doctor in another practice.
const ANSWER: &str = "do";

/// Shows what the gateway does with a clinic's mail, and says where to go on looking.
pub async fn tour(stage: &Stage, teller: &Teller) -> Result<(), String> {
    opening(stage, teller);
    results_for_three(stage, teller).await?;
    a_program_is_refused(stage, teller).await?;
    somebody_unknown(stage, teller).await?;
    now_you(stage, teller);
    Ok(())
}

fn opening(stage: &Stage, teller: &Teller) {
    teller.fact("outbox", Look::Link, &stage.outbox_url);
    teller.fact("", Look::Faint, "every mail that would have left, as its recipient sees it: open it in a browser now");
    teller.fact("portal", Look::Link, &stage.portal_url);
    teller.fact("files", Look::Plain, &stage.folder().display().to_string());
}

/// One message, three recipients, three ways; and the sender is told.
async fn results_for_three(stage: &Stage, teller: &Teller) -> Result<(), String> {
    teller.heading("1. Dr Lee sends results from Outlook: to a new patient, a doctor elsewhere and a colleague");
    let letter = letters::results();
    let answer = hand_in(stage, teller, &letter).await?;
    expect(&answer, 250)?;
    teller.fact("reply", Look::Good, &answer.text);
    for person in &letter.to {
        let mail = teller.during(&format!("mail for {}", person.address), first_mail(stage, person)).await?;
        tell_of(stage, teller, person, &mail);
    }
    let status = mail_to_lee(stage, STATUS);
    let status = teller.during(&format!("status for {}", LEE.address), status).await?;
    teller.fact("", Look::Plain, &format!("\"{}\": who got what, and the words that help now", status.subject()));
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

/// Nobody has said who this is: only this recipient waits, the sender is asked, and one word answers.
async fn somebody_unknown(stage: &Stage, teller: &Teller) -> Result<(), String> {
    teller.heading("3. Dr Lee writes to somebody unknown: she is asked who it is, and answers with one word");
    let letter = letters::unknown();
    let answer = hand_in(stage, teller, &letter).await?;
    expect(&answer, 250)?;
    teller.fact("reply", Look::Good, &answer.text);
    let question = mail_to_lee(stage, QUESTION);
    let question = teller.during(&format!("question for {}", LEE.address), question).await?;
    teller.fact("", Look::Plain, &format!("\"{}\"", question.subject()));
    let to = question.reply_to().ok_or("the question has no address for its answer")?;
    let word = letters::word(ANSWER, &to, &question.subject(), &question.message_id(), store::now());
    let answer = stage.submission.send(&[&to], &word).await?;
    expect(&answer, 250)?;
    teller.fact("answer", Look::Bold, &format!("{ANSWER}   (a doctor in another practice)"));
    let mail = teller.during(&format!("mail for {}", NOVAK.address), first_mail(stage, &NOVAK)).await?;
    tell_of(stage, teller, &NOVAK, &mail);
    Ok(())
}

fn now_you(stage: &Stage, teller: &Teller) {
    teller.heading("Now you");
    teller.fact("open", Look::Link, &stage.outbox_url);
    let steps = format!(
        "Press the button in Jane's mail and register as she would: any phone number will do, and she was born on\n\
         {JANE_BORN_WORDS}. The mail that sets her password comes into the outbox; sign in, read, download,\n\
         and write back with a file of your own: it arrives in Dr Lee's mailbox, in the outbox too."
    );
    teller.fact("", Look::Plain, &steps);
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
async fn first_mail(stage: &Stage, person: &Person) -> Result<Mail, String> {
    let found = stage.outbox.wait_for(|mail| mail.to == person.address).await;
    found.ok_or_else(|| format!("no mail for {} came into the outbox", person.address))
}

/// The gateway's mail to the sender whose subject begins so.
async fn mail_to_lee(stage: &Stage, subject: &str) -> Result<Mail, String> {
    let found = stage.outbox.wait_for(|mail| mail.to == LEE.address && mail.subject().starts_with(subject)).await;
    found.ok_or_else(|| format!("no mail \"{subject}…\" for {} came into the outbox", LEE.address))
}

/// What a recipient got: a link, or the mail as it was written.
fn tell_of(stage: &Stage, teller: &Teller, person: &Person, mail: &Mail) {
    match mail.link(stage.outbox.links()) {
        Some(link) => {
            teller.fact("", Look::Plain, &format!("{}: an invitation; the documents wait in the vault behind this link", person.is));
            teller.fact("", Look::Link, &link);
        }
        None => {
            let files = mail.attachments();
            let files: Vec<String> = files.iter().map(|(name, octets)| format!("{name} ({})", size(*octets))).collect();
            let files = files.join(" and ");
            teller.fact("", Look::Plain, &format!("{}: the mail as it was written, with {files}", person.is));
        }
    }
}

/// Octets as a person reads them.
fn size(octets: usize) -> String {
    if octets < 1000 { format!("{octets} bytes") } else { format!("{} KB", octets.div_ceil(1000)) }
}
