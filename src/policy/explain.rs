//! A plan in words, for `postern explain`.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::role::write_access;
use super::{Because, Decision, Plan, PolicySet, RecipientFacts, Role, RoleSource, SubjectShown, Treatment};
use crate::mime::assess::Assessment;
use crate::time::format_length;

pub use seen::Seen;
use seen::seen;

mod seen;

/// What happens to a message and who says so. `Display` is for a terminal, `Serialize` for `--json`.
/// It names the recipients and the subject: it is for the person who asked, never for a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The practice in whose name it goes out.
    pub practice: String,
    /// The subject that leaves.
    pub subject: String,
    /// Why the whole message is refused, if it is.
    pub refusal: Option<String>,
    /// What was seen of the message beside its text.
    pub message: Vec<Seen>,
    /// Per recipient.
    pub recipients: Vec<RecipientExplanation>,
}

/// What happens with one recipient.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RecipientExplanation {
    /// Where to.
    pub address: String,
    /// `relay`, `secure`, `ask` or `refuse`.
    pub treatment: String,
    /// The role in force, if any.
    pub role: Option<String>,
    /// Every setting in force, with who had the last word about it.
    pub settings: Vec<Because>,
    /// All that was set and overridden on the way, in order.
    pub because: Vec<Because>,
}

/// Puts a plan in words; `message` and `recipients` are those it was made for.
pub fn explain(policy: &PolicySet, message: &Assessment, plan: &Plan, recipients: &[RecipientFacts]) -> Explanation {
    let each = plan.decisions.iter().zip(recipients).map(|(decision, recipient)| RecipientExplanation {
        address: recipient.address.to_string(),
        treatment: decision.settings.treatment.name().into(),
        role: decision.role.map(|role| role.to_string()),
        settings: in_force(policy, decision),
        because: decision.because.clone(),
    });
    Explanation {
        practice: plan.practice.clone(),
        subject: plan.subject.clone(),
        refusal: plan.refusal.clone().or_else(|| unclear(message, plan)),
        message: seen(message, plan),
        recipients: each.collect(),
    }
}

/// What goes to nobody as it stands goes to none of its recipients.
fn unclear(message: &Assessment, plan: &Plan) -> Option<String> {
    let defect = plan.decisions.iter().find_map(|decision| decision.unclear(message))?;
    let why = if message.as_written { "" } else { " It cannot be relayed as it stands." };
    Some(format!("{}{why}", defect.words))
}

/// The settings that count for the treatment: clocks and access mean nothing for a message that is not secured.
fn in_force(policy: &PolicySet, decision: &Decision) -> Vec<Because> {
    let settings = &decision.settings;
    let mut lines = vec![line(decision, "treatment", format!("\"{}\"", settings.treatment.name()))];
    if let Some(reason) = &settings.reason {
        let by = if decision.was_set("reason") { "reason" } else { "treatment" };
        lines.push(Because { key: "reason".into(), ..line(decision, by, format!("{reason:?}")) });
    }
    if let Some(role) = decision.role {
        let role = line(decision, "role", format!("\"{role}\""));
        lines.push(match decision.role_by {
            Some(RoleSource::Answer) => Because { by: "the answer to the question".into(), ..role },
            Some(RoleSource::File) => Because { by: "policies/directory.csv".into(), ..role },
            Some(RoleSource::Directory) => Because { by: "the directory".into(), ..role },
            Some(RoleSource::Rule | RoleSource::Tag) | None => role,
        });
    }
    match settings.treatment {
        Treatment::Secure => lines.extend(documents(policy, decision)),
        Treatment::Ask => {
            lines.push(line(decision, "ask_again", quoted(settings.ask_again)));
            lines.push(line(decision, "ask_until", quoted(settings.ask_until)));
        }
        Treatment::Relay => lines.push(line(decision, "tls_required", settings.tls_required.to_string())),
        Treatment::Refuse => {}
    }
    if !settings.restricted_allowed.is_empty() {
        lines.push(line(decision, "restricted_allowed", format!("{:?}", settings.restricted_allowed)));
    }
    lines
}

/// What holds for documents in the vault and the mail that leads to them.
fn documents(policy: &PolicySet, decision: &Decision) -> Vec<Because> {
    let settings = &decision.settings;
    let access = line(decision, "access", write_access(&policy.access_for(decision)));
    let access = match decision.role {
        Some(role) if settings.access.is_none() => Because { by: format!("the file of the role {role}"), ..access },
        _ => access,
    };
    let mut lines = vec![access];
    if decision.role == Some(Role::Patient) {
        let value = if decision.birthdate.is_some() { "known" } else { "unknown" };
        let by = if decision.birthdate.is_some() { decision.who_set("birthdate") } else { "nobody says it" };
        lines.push(Because { key: "birthdate".into(), value: value.into(), by: by.into() });
    }
    lines.extend([line(decision, "link", quoted(settings.link)), line(decision, "keep", quoted(settings.keep))]);
    if let Some(after) = settings.keep_after_download {
        lines.push(line(decision, "keep_after_download", quoted(after)));
    }
    lines.push(line(decision, "plain_allowed", settings.plain_allowed.to_string()));
    lines.push(line(decision, "tls_required", settings.tls_required.to_string()));
    lines.push(line(decision, "status_mail", format!("\"{}\"", settings.status_mail.name())));
    let leaving = [
        ("body", settings.body.name()),
        ("ambiguous", settings.ambiguous.name()),
        ("forwarded", settings.forwarded.name()),
    ];
    let set = leaving.into_iter().filter(|(key, _)| decision.was_set(key));
    lines.extend(set.map(|(key, name)| line(decision, key, format!("\"{name}\""))));
    if settings.subject != SubjectShown::Kept {
        lines.push(line(decision, "subject", format!("\"{}\"", settings.subject.name())));
    }
    if decision.watch.opened {
        lines.push(line(decision, "tell_opened", "true".into()));
    }
    lines.extend(decision.watch.unread.map(|after| line(decision, "tell_unread", quoted(after))));
    lines
}

fn line(decision: &Decision, key: &str, value: String) -> Because {
    Because { key: key.into(), value, by: decision.who_set(key).into() }
}

fn quoted(length: Duration) -> String {
    format!("\"{}\"", format_length(length))
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "practice: {}", self.practice)?;
        writeln!(f, "subject:  {}", self.subject)?;
        if let Some(refusal) = &self.refusal {
            writeln!(f, "refused:  {refusal}")?;
        }
        let widest = self.message.iter().map(|seen| seen.what.len()).max().unwrap_or_default();
        if widest > 0 {
            writeln!(f, "\nmessage:")?;
        }
        for Seen { what, value } in &self.message {
            writeln!(f, "  {what:widest$} = {value}")?;
        }
        self.recipients.iter().try_for_each(|recipient| recipient.fmt(f))
    }
}

impl fmt::Display for RecipientExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: {}", self.address, self.treatment)?;
        let widest = |length: fn(&Because) -> usize| self.settings.iter().map(length).max().unwrap_or_default();
        let (keys, values) = (widest(|line| line.key.len()), widest(|line| line.value.len()).min(24));
        for line in &self.settings {
            writeln!(f, "  {:keys$} = {:values$}  {}", line.key, line.value, line.by)?;
        }
        for line in self.because.iter().filter(|line| self.is_overridden(line)) {
            writeln!(f, "  overridden: {} = {}  {}", line.key, line.value, line.by)?;
        }
        Ok(())
    }
}

impl RecipientExplanation {
    /// Whether another value of the same key came later and is in force.
    fn is_overridden(&self, line: &Because) -> bool {
        self.settings.iter().any(|set| set.key == line.key && set.value != line.value)
    }
}
