//! What a sender is told of a failure: sentences of our own, chosen by code and step, never the far
//! side's words (they may quote the message, and nobody knows who wrote them).
//!
//! Full delivery status notifications (RFC 3464: `message/delivery-status`, success and delay
//! reports) will be composed here; today the report is a plain mail with one of these sentences.

use crate::delivery::{Cause, Step};

/// One sentence for the sender, by what the far side said and when.
pub fn sentence(cause: &Cause) -> &'static str {
    by_meaning(cause.enhanced.meaning()).unwrap_or_else(|| by_step(cause.step))
}

/// One sentence for a letter that was tried until its time was over.
pub fn given_up_sentence(cause: &Cause) -> &'static str {
    match cause.step {
        Step::Recipient | Step::Message | Step::Data | Step::Sender => sentence_of_delay(cause.enhanced.meaning()),
        Step::Tls | Step::NoTls => {
            "No protected connection to the mail server could be made for as long as was tried, and the message must not travel without one."
        }
        Step::Storage | Step::Folder | Step::Content => {
            "The clinic's mail gateway could not send the message, however often it tried. Please tell whoever looks after it."
        }
        _ => {
            "The clinic's outgoing mail server could not be reached or did not accept mail, however often it was tried."
        }
    }
}

/// The closed table of RFC 3463 and the IANA registry, as far as a clinic can do something about it.
fn by_meaning(meaning: (u16, u16)) -> Option<&'static str> {
    Some(match meaning {
        (1, 1) => "The address does not exist at the recipient's provider. Please check how it is written.",
        (1, 2) | (4, 4) => "The part of the address behind the @ does not exist. Please check how it is written.",
        (1, 3) => "The recipient's provider does not understand the address. Please check how it is written.",
        (1, 6) => "The recipient has moved to another address. Please ask for the new one.",
        (1, 7) | (1, 8) => "The recipient's provider does not accept your own address as a sender.",
        (1, 10) => "The recipient's domain takes no mail at all. Please ask for another address.",
        (2, 1) => "The recipient's mailbox is switched off.",
        (2, 2) => "The recipient's mailbox is full. Please try later or reach them another way.",
        (2, 3) | (3, 4) => "The message is larger than the recipient's provider takes.",
        (2, 4) => "The address is a mailing list that could not pass the message on.",
        (4, 6) | (4, 7) => "The recipient's provider passed the message around without delivering it.",
        (5, 3) => "The recipient's provider takes fewer recipients at once.",
        (6, 0..=9) => "The recipient's provider does not accept a message of this form.",
        (7, 1) => "The recipient's provider refused the message by its own rules.",
        (7, 2) => "The address is a list to which you may not write.",
        (7, 17..=18) => "The recipient's mailbox has changed hands. Please ask for the current address.",
        (7, 20..=29) => "The recipient's provider could not confirm that the message comes from your clinic.",
        _ => return None,
    })
}

fn by_step(step: Step) -> &'static str {
    match step {
        Step::Recipient => "The recipient's provider refused the address.",
        Step::Sender => "The mail server refused your own address as a sender.",
        Step::Data | Step::Message => "The recipient's provider refused the message.",
        Step::Size => "The message is larger than the mail server takes.",
        Step::Tls | Step::NoTls => "The message must travel protected, and no protected connection could be made.",
        Step::Content | Step::Storage | Step::Folder => {
            "The clinic's mail gateway could not send the message. Please tell whoever looks after it."
        }
        _ => "The clinic's outgoing mail server could not be reached or did not accept mail.",
    }
}

fn sentence_of_delay(meaning: (u16, u16)) -> &'static str {
    match meaning {
        (2, 2) => "The recipient's mailbox was full each time it was tried.",
        (4, 4) => "The part of the address behind the @ could not be found, however often it was tried.",
        _ => "The recipient's provider put the message off again and again, and gave no final answer.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Enhanced, Outcome, judge};

    fn told(step: Step, code: u16, text: &str) -> &'static str {
        match judge(step, code, Enhanced::parse(code, text.as_bytes())) {
            Outcome::Permanent(cause) => sentence(&cause),
            Outcome::Transient(cause) => given_up_sentence(&cause),
            Outcome::Delivered => unreachable!("no success among the cases"),
        }
    }

    #[test]
    fn senders_read_words_a_clinic_understands() {
        for (step, code, text, words) in [
            (Step::Recipient, 550, "5.1.1", "does not exist"),
            (Step::Recipient, 552, "5.2.2", "mailbox is full"),
            (Step::Recipient, 452, "4.2.2", "was full each time"),
            (Step::Recipient, 550, "", "refused the address"),
            (Step::Message, 554, "", "refused the message"),
            (Step::Message, 552, "5.3.4", "larger"),
            (Step::Recipient, 550, "5.7.26", "could not confirm"),
            (Step::Recipient, 450, "4.7.1", "put the message off"),
            (Step::Auth, 535, "5.7.8", "outgoing mail server"),
        ] {
            assert!(told(step, code, text).contains(words), "{step:?} {code} {text}: {}", told(step, code, text));
        }
        assert!(given_up_sentence(&Cause::silent(Step::NoTls)).contains("protected"));
    }
}
