//! The table of verbs, and the commands whose arguments are words.

use super::fetch::{fetch, store};
use super::mailboxes::{list, opening, status_items};
use super::reader::Reader;
use super::search::{search, sort, thread};
use super::{By, Command, Mistake, Tagged};
use crate::imap::set::SequenceSet;
use crate::secret::Secret;

type Read<T> = Result<T, Mistake>;

/// Words of ENABLE and pairs of ID at most.
const WORDS: usize = 64;

/// Reads a whole command.
///
/// # Errors
/// Where there is not even a tag.
pub fn parse(command: &[u8]) -> Read<Tagged> {
    let mut reader = Reader::new(command);
    let tag = tag(&mut reader)?;
    Ok(Tagged { tag, command: body(&mut reader) })
}

/// A tag: letters and signs without `+`.
pub(super) fn tag(reader: &mut Reader<'_>) -> Read<String> {
    let tag = reader.while_octets(|octet| octet != b'+' && (super::reader::is_atom(octet) || octet == b']'));
    match std::str::from_utf8(tag) {
        Ok(tag) if !tag.is_empty() => Ok(tag.to_owned()),
        _ => Err(Mistake("A command begins with a tag")),
    }
}

fn body(reader: &mut Reader<'_>) -> Read<Command> {
    reader.need(b' ', "A tag is followed by a space and a command")?;
    let verb = reader.keyword().map_err(|_| Mistake("A tag is followed by a command"))?;
    let command = match verb.as_str() {
        "UID" => {
            reader.space()?;
            let verb = reader.keyword()?;
            messages(&verb, By::Uid, reader)?.ok_or(Mistake("There is no such UID command"))?
        }
        verb => match plain(verb) {
            Some(command) => command,
            None => named(verb, reader)?,
        },
    };
    reader.end()?;
    Ok(command)
}

/// Commands without arguments.
fn plain(verb: &str) -> Option<Command> {
    Some(match verb {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "CHECK" => Command::Check,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "IDLE" => Command::Idle,
        "EXPUNGE" => Command::Expunge(None),
        _ => return None,
    })
}

fn named(verb: &str, reader: &mut Reader<'_>) -> Read<Command> {
    if verb == "APPEND" {
        // With one it is read by `append.rs`.
        return Err(Mistake("APPEND needs a message, as a literal"));
    }
    if let Some(command) = account(verb, reader)? {
        return Ok(command);
    }
    if let Some(command) = mailboxes(verb, reader)? {
        return Ok(command);
    }
    messages(verb, By::Number, reader)?.ok_or(Mistake("There is no such command"))
}

fn account(verb: &str, reader: &mut Reader<'_>) -> Read<Option<Command>> {
    Ok(Some(match verb {
        "LOGIN" => {
            let name = text(argument(reader, Reader::astring)?)?;
            Command::Login { name, password: Secret::new(text(argument(reader, Reader::astring)?)?) }
        }
        "AUTHENTICATE" => {
            let mechanism = argument(reader, Reader::atom)?.to_ascii_uppercase();
            let initial = match reader.eat(b' ') {
                true => Some(reader.while_octets(|octet| octet.is_ascii_graphic())),
                false => None,
            };
            let initial = initial.map(|octets| String::from_utf8_lossy(octets).into_owned());
            Command::Authenticate { mechanism, initial: initial.map(Secret::new) }
        }
        "ENABLE" => {
            let mut words = vec![argument(reader, Reader::keyword)?];
            while words.len() < WORDS && reader.peek() == Some(b' ') {
                words.push(argument(reader, Reader::keyword)?);
            }
            Command::Enable(words)
        }
        "ID" => {
            reader.space()?;
            if reader.nil().is_err() && reader.list(Reader::nstring)?.len() > WORDS {
                return Err(Mistake("Too much is said of the program"));
            }
            Command::Id
        }
        "GETQUOTA" => Command::GetQuota(argument(reader, Reader::astring)?),
        "SETQUOTA" => {
            argument(reader, Reader::astring)?;
            argument(reader, |reader| {
                reader.list(|reader| {
                    reader
                        .while_octets(|octet| octet != b' ' && octet != b')')
                        .first()
                        .copied()
                        .ok_or(Mistake("A resource is missing"))
                })
            })?;
            Command::SetQuota
        }
        "GETQUOTAROOT" => Command::GetQuotaRoot(argument(reader, Reader::mailbox)?),
        _ => return Ok(None),
    }))
}

fn mailboxes(verb: &str, reader: &mut Reader<'_>) -> Read<Option<Command>> {
    Ok(Some(match verb {
        "SELECT" | "EXAMINE" => {
            let mailbox = argument(reader, Reader::mailbox)?;
            Command::Select(mailbox, opening(verb == "EXAMINE", reader)?)
        }
        "CREATE" => {
            let mailbox = argument(reader, Reader::mailbox)?;
            Command::Create(mailbox, uses(reader)?)
        }
        "DELETE" => Command::Delete(argument(reader, Reader::mailbox)?),
        "RENAME" => Command::Rename(argument(reader, Reader::mailbox)?, argument(reader, Reader::mailbox)?),
        "SUBSCRIBE" => Command::Subscribe(argument(reader, Reader::mailbox)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(argument(reader, Reader::mailbox)?),
        "LIST" => Command::List(list(reader)?),
        "LSUB" => Command::Lsub(argument(reader, Reader::mailbox)?, argument(reader, Reader::pattern)?),
        "STATUS" => {
            let mailbox = argument(reader, Reader::mailbox)?;
            Command::Status(mailbox, argument(reader, status_items)?)
        }
        _ => return Ok(None),
    }))
}

fn messages(verb: &str, by: By, reader: &mut Reader<'_>) -> Read<Option<Command>> {
    Ok(Some(match (verb, by) {
        ("EXPUNGE", By::Uid) => Command::Expunge(Some(set(reader)?)),
        ("SEARCH", _) => Command::Search(by, search(reader)?),
        ("SORT", _) => {
            let (keys, request) = sort(reader)?;
            Command::Sort(by, keys, request)
        }
        ("THREAD", _) => {
            let (threading, request) = thread(reader)?;
            Command::Thread(by, threading, request)
        }
        ("FETCH", _) => Command::Fetch(by, set(reader)?, fetch(reader)?),
        ("STORE", _) => Command::Store(by, set(reader)?, store(reader)?),
        ("COPY", _) => Command::Copy(by, set(reader)?, argument(reader, Reader::mailbox)?),
        ("MOVE", _) => Command::Move(by, set(reader)?, argument(reader, Reader::mailbox)?),
        _ => return Ok(None),
    }))
}

/// CREATE … (USE (\Archive)), RFC 6154.
fn uses(reader: &mut Reader<'_>) -> Read<Vec<String>> {
    if reader.is_at_end() {
        return Ok(Vec::new());
    }
    reader.space()?;
    if !reader.eat_word("(USE ") {
        return Err(Mistake("CREATE takes the parameter USE only"));
    }
    let uses = reader.list(Reader::flag)?;
    reader.need(b')', "A list is not closed")?;
    Ok(uses)
}

/// A space and what stands behind it.
pub(super) fn argument<'a, T>(reader: &mut Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Read<T>) -> Read<T> {
    reader.space()?;
    read(reader)
}

fn set(reader: &mut Reader<'_>) -> Read<SequenceSet> {
    argument(reader, super::search::sequence_set)
}

fn text(octets: Vec<u8>) -> Read<String> {
    String::from_utf8(octets).map_err(|_| Mistake("A name or password is not UTF-8"))
}
