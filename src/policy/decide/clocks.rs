//! How long a link works and documents are kept, and when their sender is told that they are unread: by rules, by what the
//! mail program asks for, and by tags.

use std::time::Duration;

use super::super::Watch;
use super::super::rule::Rule;
use super::super::tags::Tags;
use super::{Deciding, quoted};
use crate::mime::assess::{LONGEST_CLOCK, Signals};
use crate::time::format_length;

const DAY: Duration = Duration::from_secs(86_400);

impl Deciding {
    pub(super) fn apply_clocks(&mut self, rule: &Rule, by: &str) {
        if let Some(link) = rule.set.link {
            self.set_link(link, by);
        }
        if let Some(keep) = rule.set.keep {
            self.set_keep(keep, by);
        }
        if let Some(after) = rule.set.keep_after_download {
            self.settings.keep_after_download = Some(after);
            self.note("keep_after_download", quoted(after), by);
        }
    }

    pub(super) fn set_link(&mut self, link: Duration, by: &str) {
        self.settings.link = link;
        self.note("link", quoted(link), by);
    }

    pub(super) fn set_keep(&mut self, keep: Duration, by: &str) {
        self.settings.keep = keep;
        self.note("keep", quoted(keep), by);
    }

    /// What the sender's mail program asks for, after the rules and before the tags, which are written by hand.
    pub(super) fn heed(&mut self, signals: &Signals) {
        if let Some(left) = signals.expires_after.filter(|_| self.settings.expiry) {
            const BY: &str = "the end that the mail program gives it (Expires)";
            if left < self.settings.link {
                self.set_link(left, BY);
            }
            if left < self.settings.keep {
                self.set_keep(left, BY);
            }
        }
        if signals.read_receipt && self.settings.read_receipt {
            self.watch = Watch { opened: true, unread: Some(self.settings.unread_after) };
            self.note("tell_opened", "true", "the read receipt that the mail program asks for");
            self.note(
                "tell_unread",
                quoted(self.settings.unread_after),
                "the read receipt that the mail program asks for",
            );
        }
    }

    /// Documents that end before the time of `[unread …]` would end unread, and nobody would be told: they are kept a day
    /// longer than it. What the mail program asks for keeps nothing longer: then it is told before they end.
    pub(super) fn keep_while_watched(&mut self, tags: &Tags<'_>) {
        let Some(after) = self.watch.unread.filter(|after| *after >= self.settings.keep) else { return };
        if let Some(tagged) = tags.unread {
            let by = format!("tag [unread {}]: documents outlive it by a day", format_length(tagged));
            self.set_keep((after + DAY).min(LONGEST_CLOCK), &by);
        }
        let keep = self.settings.keep;
        if after >= keep {
            let before = keep.saturating_sub(DAY.min(keep / 4));
            self.watch.unread = Some(before);
            self.note("tell_unread", quoted(before), "floor: it is told before the documents end");
        }
    }
}
