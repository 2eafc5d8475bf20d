//! A plan in words, for `postern explain`.

use std::fmt;

use serde::Serialize;

use super::plan::SHIPPED_DEFAULT;
use super::role::write_access;
use super::{Because, Decision, Plan, PolicySet, RecipientFacts};
use crate::time::format_length;

/// What happens to a message and who says so. `Display` is for a terminal, `Serialize` for `--json`.
/// It names the recipients and the subject: it is for the person who asked, never for a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The practice in whose name it goes out.
    pub practice: String,
    /// The subject that leaves.
    pub subject: String,
    /// Why the whole message is refused, if it is.
    pub refusal: Option<String>,
    /// Per recipient.
    pub recipients: Vec<RecipientExplanation>,
}

/// What happens with one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipientExplanation {
    /// Where to.
    pub address: String,
    /// `relay`, `secure` or `refuse`.
    pub treatment: String,
    /// The role in force, if any.
    pub role: Option<String>,
    /// Every setting in force, with who had the last word about it.
    pub settings: Vec<Because>,
    /// All that was set and overridden on the way, in order.
    pub because: Vec<Because>,
}

/// Puts a plan in words; `recipients` are those it was made for.
pub fn explain(policy: &PolicySet, plan: &Plan, recipients: &[RecipientFacts]) -> Explanation {
    let each = plan.decisions.iter().zip(recipients).map(|(decision, recipient)| RecipientExplanation {
        address: recipient.address.to_string(),
        treatment: decision.settings.treatment.name().into(),
        role: decision.role.map(|role| role.to_string()),
        settings: in_force(policy, decision, recipient),
        because: decision.because.clone(),
    });
    Explanation {
        practice: plan.practice.clone(),
        subject: plan.subject.clone(),
        refusal: plan.refusal.clone(),
        recipients: each.collect(),
    }
}

fn in_force(policy: &PolicySet, decision: &Decision, recipient: &RecipientFacts) -> Vec<Because> {
    let settings = &decision.settings;
    let mut lines = Vec::new();
    let mut line = |key: &str, value: String, by: &str| {
        lines.push(Because { key: key.into(), value, by: by.into() });
    };
    line("treatment", format!("\"{}\"", settings.treatment.name()), decision.who_set("treatment"));
    if let Some(reason) = &settings.reason {
        line(
            "reason",
            format!("{reason:?}"),
            decision.who_set(if decision.was_set("reason") { "reason" } else { "treatment" }),
        );
    }
    if let Some(role) = decision.role {
        let by = if recipient.role.is_some() { "the directory" } else { decision.who_set("role") };
        line("role", format!("\"{role}\""), by);
    }
    let by_role = match decision.role {
        Some(role) if settings.access.is_none() => format!("the file of the role {role}"),
        _ => decision.who_set("access").to_owned(),
    };
    line("access", write_access(&policy.access_for(decision)), &by_role);
    line("link", format!("\"{}\"", format_length(settings.link)), decision.who_set("link"));
    line("keep", format!("\"{}\"", format_length(settings.keep)), decision.who_set("keep"));
    if let Some(after) = settings.keep_after_download {
        line("keep_after_download", format!("\"{}\"", format_length(after)), decision.who_set("keep_after_download"));
    }
    line("plain_allowed", settings.plain_allowed.to_string(), decision.who_set("plain_allowed"));
    line("tls_required", settings.tls_required.to_string(), decision.who_set("tls_required"));
    if !settings.restricted_allowed.is_empty() {
        let groups = format!("{:?}", settings.restricted_allowed);
        line("restricted_allowed", groups, decision.who_set("restricted_allowed"));
    }
    lines
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "practice: {}", self.practice)?;
        writeln!(f, "subject:  {}", self.subject)?;
        if let Some(refusal) = &self.refusal {
            writeln!(f, "refused:  {refusal}")?;
        }
        self.recipients.iter().try_for_each(|recipient| recipient.fmt(f))
    }
}

impl fmt::Display for RecipientExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: {}", self.address, self.treatment)?;
        let column =
            |get: fn(&Because) -> &str, least| self.settings.iter().map(|line| get(line).len()).max().max(Some(least));
        let keys = column(|line| &line.key, 0).unwrap_or_default();
        let values = column(|line| &line.value, 0).unwrap_or_default().min(30);
        for line in &self.settings {
            writeln!(f, "  {:keys$} = {:values$}  {}", line.key, line.value, line.by)?;
        }
        let overridden: Vec<&Because> = self.because.iter().filter(|line| !self.settings.contains(line)).collect();
        for line in overridden {
            writeln!(f, "  before: {} = {}  {}", line.key, line.value, line.by)?;
        }
        if self.because.is_empty() {
            writeln!(f, "  no rule applies: {SHIPPED_DEFAULT}s")?;
        }
        Ok(())
    }
}
