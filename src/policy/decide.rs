//! The decision: which rule, tag or floor sets what, per recipient.
//!
//! Settings begin with the shipped defaults (secure, a week). Every rule that applies sets what it names, in the
//! order of the files, so the last one wins key by key; a floor (a refusal, required TLS, restricted types) is only
//! lowered by a rule with `override = true`. Tags come after the rules, restricted types last.

use std::time::Duration;

use super::condition::Facts;
use super::restricted::{self, RestrictedGroup};
use super::role::write_access;
use super::rule::Rule;
use super::tags::{Tags, stripped_subject};
use super::whom::{self, Known, Whose};
use super::{
    Asking, Because, BodyPlace, Decision, Plan, PolicySet, RecipientFacts, Role, RoleSource, SenderFacts, Settings,
    Treatment, Watch, types,
};
use crate::access::AccessCheck;
use crate::mime::assess::{Assessment, Attachment};
use crate::time::format_length;

mod clocks;

/// Between a rule that set a floor and one that did not lower it.
const HELD: &str = ", a floor that is not lowered by ";

/// Who changes a treatment where a text has marked parts.
const MARKED: &str = "floor: only marked parts go out, and to patients";

/// See [`PolicySet::decide`].
pub(super) fn decide(
    policy: &PolicySet,
    message: &Assessment,
    sender: &SenderFacts,
    recipients: &[RecipientFacts],
) -> Plan {
    let practice =
        sender.practice.as_deref().and_then(|id| policy.practice(id)).unwrap_or_else(|| policy.first_practice());
    let (tags, contradiction) = match Tags::of(message, recipients) {
        Ok(tags) => (tags, None),
        Err(words) => (Tags::default(), Some(words)),
    };
    let mut refusal = contradiction;
    let unknown = tags.document_type.and_then(|name| types::unknown(&policy.types.kinds, name));
    refusal = refusal.or(unknown);
    let types = types::types_of(&policy.types.kinds, message, &sender.address, tags.document_type);
    let mut decisions = Vec::with_capacity(recipients.len());
    for (index, recipient) in recipients.iter().enumerate() {
        let known = whom::known_role(policy, sender, recipient);
        let facts = Facts { message, sender, recipient, role: known.map(|(role, _)| role), types: &types };
        let mut deciding = apply_rules(&policy.rules, facts, known.map(|(_, by)| by), &tags);
        deciding.heed(&message.signals);
        if let Err(words) = deciding.follow(policy, &tags) {
            let whom = if recipients.len() > 1 { format!(" for recipient {}", index + 1) } else { String::new() };
            refusal.get_or_insert(words.replace("{whom}", &whom));
        }
        if let Some(words) = deciding.hold_restricted(&policy.restricted, &message.attachments) {
            refusal = Some(words);
        }
        decisions.push(deciding.finish(policy, facts, &tags));
    }
    if refusal.is_none() && !decisions.is_empty() && decisions.iter().all(is_refused) {
        refusal = decisions[0].settings.reason.clone();
    }
    let common = types::common(message, &types);
    Plan {
        decisions,
        refusal,
        practice: practice.id.clone(),
        subject: stripped_subject(message),
        document_type: common.map(|kind| kind.name.clone()),
        // Who belongs to no practice speaks for none.
        speaks_as: sender.practice.as_ref().and_then(|_| policy.types.speaks_as(message, common, practice)),
        types: types.into_iter().map(|kind| kind.map(|kind| kind.name.clone())).collect(),
    }
}

fn is_refused(decision: &Decision) -> bool {
    decision.settings.treatment == Treatment::Refuse
}

/// All rules in order. Only where they leave the role unknown does a tag give one, and then they are asked again, so
/// that a rule for this role applies.
fn apply_rules(rules: &[Rule], facts: Facts<'_>, known_by: Option<RoleSource>, tags: &Tags<'_>) -> Deciding {
    let first = apply_once(rules, facts, known_by);
    if first.role.is_some() || facts.recipient.practice.is_some() {
        return first;
    }
    let Some((role, by)) = tags.role_of(&facts.recipient.address) else { return first };
    let mut again = apply_once(rules, Facts { role: Some(role), ..facts }, Some(RoleSource::Tag));
    again.because.insert(0, Because { key: "role".into(), value: format!("\"{role}\""), by });
    again
}

fn apply_once(rules: &[Rule], mut facts: Facts<'_>, known_by: Option<RoleSource>) -> Deciding {
    let mut given = facts.role;
    let (settings, watch) = (Settings::default(), Watch::default());
    let mut deciding = Deciding { settings, role: given, role_by: known_by, watch, because: Vec::new() };
    for rule in rules {
        if rule.when.hold(&facts) {
            deciding.apply(rule);
            given = given.filter(|_| !(rule.overrides && rule.set.role.is_some()));
            deciding.role = given.or(deciding.settings.role);
            deciding.role_by = if given.is_some() { known_by } else { deciding.role.map(|_| RoleSource::Rule) };
            facts.role = deciding.role;
        }
    }
    deciding
}

struct Deciding {
    settings: Settings,
    role: Option<Role>,
    role_by: Option<RoleSource>,
    watch: Watch,
    because: Vec<Because>,
}

impl Deciding {
    fn note(&mut self, key: &str, value: impl Into<String>, by: &str) {
        self.because.push(Because { key: key.into(), value: value.into(), by: by.into() });
    }

    fn apply(&mut self, rule: &Rule) {
        let by = rule.signature();
        self.apply_treatment(rule, &by);
        self.apply_tls(rule, &by);
        if let Some(role) = rule.set.role {
            self.settings.role = Some(role);
            self.note("role", format!("\"{role}\""), &by);
        }
        if let Some(access) = &rule.set.access {
            self.settings.access = Some(access.clone());
            self.note("access", write_access(access), &by);
        }
        if let Some(allowed) = rule.set.plain_allowed {
            self.settings.plain_allowed = allowed;
            self.note("plain_allowed", allowed.to_string(), &by);
        }
        if let Some(groups) = &rule.set.restricted_allowed {
            self.settings.restricted_allowed.clone_from(groups);
            self.note("restricted_allowed", format!("{groups:?}"), &by);
        }
        self.apply_clocks(rule, &by);
        self.apply_questions(rule, &by);
        self.apply_leaving(rule, &by);
        self.apply_signals(rule, &by);
    }

    fn apply_leaving(&mut self, rule: &Rule, by: &str) {
        if let Some(body) = rule.set.body {
            self.set_body(body, by);
        }
        if let Some(ambiguous) = rule.set.ambiguous {
            self.settings.ambiguous = ambiguous;
            self.note("ambiguous", format!("\"{}\"", ambiguous.name()), by);
        }
        if let Some(forwarded) = rule.set.forwarded {
            self.settings.forwarded = forwarded;
            self.note("forwarded", format!("\"{}\"", forwarded.name()), by);
        }
    }

    fn apply_signals(&mut self, rule: &Rule, by: &str) {
        if let Some(subject) = rule.set.subject {
            self.settings.subject = subject;
            self.note("subject", format!("\"{}\"", subject.name()), by);
        }
        if let Some(allowed) = rule.set.nopin_allowed {
            self.settings.nopin_allowed = allowed;
            self.note("nopin_allowed", allowed.to_string(), by);
        }
        if let Some(given) = rule.set.read_receipt {
            self.settings.read_receipt = given;
            self.note("read_receipt", given.to_string(), by);
        }
        if let Some(after) = rule.set.unread_after {
            self.settings.unread_after = after;
            self.note("unread_after", quoted(after), by);
        }
        if let Some(expiry) = rule.set.expiry {
            self.settings.expiry = expiry;
            self.note("expiry", expiry.to_string(), by);
        }
    }

    fn apply_questions(&mut self, rule: &Rule, by: &str) {
        if let Some(ask) = rule.set.ask {
            self.settings.ask = ask;
            self.note("ask", ask.to_string(), by);
        }
        if let Some(again) = rule.set.ask_again {
            self.settings.ask_again = again;
            self.note("ask_again", quoted(again), by);
        }
        if let Some(until) = rule.set.ask_until {
            self.settings.ask_until = until;
            self.note("ask_until", quoted(until), by);
        }
        if let Some(status_mail) = rule.set.status_mail {
            self.settings.status_mail = status_mail;
            self.note("status_mail", format!("\"{}\"", status_mail.name()), by);
        }
    }

    /// Who holds a floor against a rule: the one who set it.
    fn held(&self, key: &str, by: &str) -> String {
        let holder = self.because.iter().rfind(|because| because.key == key).map_or("shipped default", |line| &line.by);
        let holder = holder.split_once(HELD).map_or(holder, |(first, _)| first);
        format!("{holder}{HELD}{by} (no override = true)")
    }

    fn apply_treatment(&mut self, rule: &Rule, by: &str) {
        let lowered = rule.set.treatment.is_some_and(|treatment| treatment != Treatment::Refuse);
        if lowered && self.settings.treatment == Treatment::Refuse && !rule.overrides {
            let held = self.held("treatment", by);
            return self.note("treatment", "\"refuse\"", &held);
        }
        if let Some(treatment) = rule.set.treatment {
            self.forget_reason();
            self.settings.treatment = treatment;
            self.note("treatment", format!("\"{}\"", treatment.name()), by);
        }
        if let Some(reason) = &rule.set.reason {
            self.settings.reason = Some(reason.clone());
            self.note("reason", format!("{reason:?}"), by);
        }
        if self.settings.treatment == Treatment::Refuse && self.settings.reason.is_none() {
            let name = &rule.name.text;
            self.settings.reason =
                Some(format!("Policy does not allow this message to this recipient ({}).", ascii(name)));
        }
    }

    /// Words belong to the refusal they were written for: another treatment, or another refusal, has its own.
    fn forget_reason(&mut self) {
        self.settings.reason = None;
        self.because.retain(|because| because.key != "reason");
    }

    fn apply_tls(&mut self, rule: &Rule, by: &str) {
        let Some(required) = rule.set.tls_required else { return };
        if self.settings.tls_required && !required && !rule.overrides {
            let held = self.held("tls_required", by);
            return self.note("tls_required", "true", &held);
        }
        self.settings.tls_required = required;
        self.note("tls_required", required.to_string(), by);
    }

    fn set_body(&mut self, body: BodyPlace, by: &str) {
        self.settings.body = body;
        self.note("body", format!("\"{}\"", body.name()), by);
    }

    /// Tags, after the rules. An error refuses the whole message; `{whom}` in it stands for the recipient.
    fn follow(&mut self, policy: &PolicySet, tags: &Tags<'_>) -> Result<(), String> {
        if let Some(after) = tags.unread {
            self.watch.unread = Some(after);
            self.note("tell_unread", quoted(after), &format!("tag [unread {}]", format_length(after)));
        }
        if let Some(written) = tags.clock {
            let by = format!("tag [{}]", format_length(written));
            self.set_link(written, &by);
            self.set_keep(written, &by);
        }
        if tags.body {
            self.set_body(BodyPlace::Vault, "tag [body]");
        }
        match self.settings.treatment {
            Treatment::Relay if tags.secure || tags.body => {
                self.settings.treatment = Treatment::Secure;
                self.note("treatment", "\"secure\"", if tags.secure { "tag [secure]" } else { "tag [body]" });
            }
            Treatment::Relay | Treatment::Secure if tags.plain => return self.make_plain(),
            _ => {}
        }
        if tags.nopin { self.drop_code(policy) } else { Ok(()) }
    }

    /// Takes the one-time code away, and nothing else. A code that stands in for a birthdate is asked for all the same.
    fn drop_code(&mut self, policy: &PolicySet) -> Result<(), String> {
        let mut checks = policy.access_of(&self.settings, self.role);
        if self.settings.treatment != Treatment::Secure || !checks.contains(&AccessCheck::Code) {
            return Ok(());
        }
        if !self.settings.nopin_allowed {
            return Err("Policy does not allow [nopin]{whom}. Remove the tag, and a code is asked for.".into());
        }
        checks.retain(|check| *check != AccessCheck::Code);
        self.note("access", write_access(&checks), "tag [nopin]");
        self.settings.access = Some(checks);
        Ok(())
    }

    fn make_plain(&mut self) -> Result<(), String> {
        if self.settings.treatment == Treatment::Secure {
            if !self.settings.plain_allowed {
                return Err(
                    "Policy does not allow [plain]{whom}. Remove the tag, and the documents go by secure link.".into(),
                );
            }
            self.settings.treatment = Treatment::Relay;
            self.note("treatment", "\"relay\"", "tag [plain]");
        }
        self.settings.tls_required = true;
        self.note("tls_required", "true", "tag [plain]");
        Ok(())
    }

    /// Restricted types, last: nothing but a rule with `override = true` lets one pass. The words refuse the message.
    fn hold_restricted(&mut self, groups: &[RestrictedGroup], attachments: &[Attachment]) -> Option<String> {
        if self.settings.treatment == Treatment::Refuse {
            return None;
        }
        let held = groups.iter().filter(|group| !self.settings.restricted_allowed.contains(&group.name));
        let (name, group) = held
            .flat_map(|group| attachments.iter().map(move |attachment| (attachment, group)))
            .find_map(|(attachment, group)| Some((group.offending_name(attachment)?, group)))?;
        let words = restricted::words(&name, group);
        let by = format!("floor: restricted types, {} ({}:{})", group.name, group.place.file, group.place.line);
        self.forget_reason();
        self.settings.treatment = Treatment::Refuse;
        self.settings.reason = Some(words.clone());
        self.note("treatment", "\"refuse\"", &by);
        Some(words)
    }

    /// What is left to be found out about the recipient, once the rest is decided.
    fn finish(mut self, policy: &PolicySet, facts: Facts<'_>, tags: &Tags<'_>) -> Decision {
        self.keep_while_watched(tags);
        if self.settings.link > self.settings.keep {
            let keep = self.settings.keep;
            self.set_link(keep, "floor: a link never outlives its documents");
        }
        if self.settings.treatment != Treatment::Refuse {
            self.settings.reason = None;
        }
        let recipient = facts.recipient;
        if facts.message.marked {
            self.secure_marked(recipient);
        }
        let Whose { patient, birthdate } = Whose::of(policy, tags, recipient, self.role);
        let (birthdate, birthdate_by) = birthdate.unzip();
        if let Some(by) = birthdate_by {
            self.note("birthdate", "known", by);
        }
        let guarded = whom::guarded(recipient, self.role, patient.as_ref());
        let asking = self.ask_or_open(policy, facts, birthdate.is_some(), guarded);
        if facts.message.marked {
            self.refuse_marked();
        }
        let access = policy.access_of(&self.settings, self.role);
        let registers = access.contains(&AccessCheck::Account) && !recipient.registered;
        let invited_until = recipient.invited_until;
        let Self { settings, role, role_by, watch, because } = self;
        Decision {
            settings,
            role,
            role_by,
            patient,
            birthdate,
            guarded,
            registers,
            invited_until,
            asking,
            watch,
            because,
        }
    }

    /// Relaying hands on the text as it is: outside of our practices it is built anew where only parts of it may go out.
    fn secure_marked(&mut self, recipient: &RecipientFacts) {
        if self.settings.treatment == Treatment::Relay && recipient.practice.is_none() {
            self.settings.treatment = Treatment::Secure;
            self.note("treatment", "\"secure\"", MARKED);
        }
    }

    /// Marked parts are for patients. Who is none gets nothing, unless it is relayed to them within our practices.
    fn refuse_marked(&mut self) {
        if self.settings.treatment == Treatment::Secure && self.role != Some(Role::Patient) {
            self.settings.treatment = Treatment::Refuse;
            self.settings.reason =
                Some("The text has parts marked [part], which are for a patient; this recipient is none.".into());
            self.note("treatment", "\"refuse\"", MARKED);
        }
    }

    /// Asks the sender what must be known before this recipient is given anything; else says how it is opened.
    fn ask_or_open(&mut self, policy: &PolicySet, facts: Facts<'_>, birthdate: bool, guarded: bool) -> Option<Asking> {
        let access = policy.access_of(&self.settings, self.role);
        let opens = self.settings.gives_rights(facts.message);
        let known = Known { settings: &self.settings, role: self.role, access: &access, birthdate };
        // Whether marked parts are for them depends on who they are, also where there is nothing to open.
        let wanted = |asking: &Asking| opens || facts.message.marked && *asking == Asking::Role;
        let asking = whom::asking(policy, facts.sender, facts.recipient, &known).filter(wanted);
        match asking {
            Some(Asking::Role) => self.ask("nobody knows the role of this address"),
            Some(Asking::Birthdate) => self.ask("nobody knows the patient's birthdate"),
            None if opens && !birthdate => self.open_without_birthdate(&access, guarded),
            None => {}
        }
        asking
    }

    fn open_without_birthdate(&mut self, access: &[AccessCheck], guarded: bool) {
        let checks = whom::without_birthdate(access, guarded);
        if self.settings.treatment == Treatment::Secure && checks != access {
            self.note("access", write_access(&checks), "nobody knows the patient's birthdate: a code is asked for");
            self.settings.access = Some(checks);
        }
    }

    fn ask(&mut self, why: &str) {
        self.settings.treatment = Treatment::Ask;
        self.note("treatment", "\"ask\"", why);
    }
}

fn quoted(length: Duration) -> String {
    format!("\"{}\"", format_length(length))
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
