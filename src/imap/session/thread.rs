//! THREAD (RFC 5256): what was found, as a forest of questions and answers.

use super::search::Found;
use super::sort::sent;
use super::{Done, Halt, Outlet, Session};
use crate::anatomy::SortKeys;
use crate::anatomy::thread::{MessageName, Strand, Thread, named, ordered_subject, references};
use crate::imap::command::{By, SearchRequest, Threading};
use crate::imap::response::{Refusal, Writer};

impl Session {
    pub(super) async fn thread(
        &mut self,
        by: By,
        threading: Threading,
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let make = |found: Found, keys: SortKeys| strand(by, &found, keys);
        let (strands, _reading) = self.found_with_keys(request, true, make, outlet).await?;
        let threading = tokio::task::spawn_blocking(move || match threading {
            Threading::References => references(&strands),
            Threading::OrderedSubject => ordered_subject(&strands),
        });
        let threads = threading.await.map_err(|_| Refusal::Interrupted)?;
        self.out.put("* THREAD");
        for (at, thread) in threads.iter().enumerate() {
            self.out.put(if at == 0 { " (" } else { "(" });
            write(&mut self.out, thread);
            self.out.put(")");
        }
        self.out.line("");
        Done::plain("THREAD done")
    }
}

fn strand(by: By, found: &Found, keys: SortKeys) -> Strand {
    Strand {
        number: found.number(by),
        message_id: keys.message_id.as_deref().map(MessageName::of),
        references: named(&keys.references),
        sent: sent(found, &keys),
        subject: keys.subject.text,
        is_answer: keys.subject.is_answer,
    }
}

/// A line of messages as long as each has one answer; where it has several, each in parentheses. What nests is bounded by
/// who makes the threads.
fn write(out: &mut Writer, thread: &Thread) {
    let (mut thread, mut space) = (thread, "");
    loop {
        if let Some(number) = thread.number {
            out.put(space).put(&number.to_string());
            space = " ";
        }
        match thread.answers.as_slice() {
            [] => return,
            [only] => thread = only,
            several => {
                out.put(space);
                for answer in several {
                    out.put("(");
                    write(out, answer);
                    out.put(")");
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: u32, answers: Vec<Thread>) -> Thread {
        Thread { number: Some(number), answers }
    }

    #[test]
    fn threads_are_written_as_the_standard_has_it() {
        let branches = vec![one(4, vec![one(23, vec![])]), one(44, vec![one(7, vec![one(96, vec![])])])];
        let missing = Thread { number: None, answers: vec![one(3, vec![]), one(5, vec![])] };
        for (thread, expected) in
            [(one(2, vec![]), "2"), (one(3, vec![one(6, branches)]), "3 6 (4 23)(44 7 96)"), (missing, "(3)(5)")]
        {
            let mut out = Writer::default();
            write(&mut out, &thread);
            assert_eq!(String::from_utf8(out.take()).unwrap(), expected);
        }
    }
}
