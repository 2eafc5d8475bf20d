//! Workgroups: an address of the practice whose mail several people read, `[[workgroup]]` in a practice's file.

use super::SourceFile;
use super::practice::{KEYS as PRACTICE, StaffMailPlace};
use crate::document::{Faults, Form, Key, Need, Table, Word, read};
use crate::fault::Fault;
use crate::mail::{Address, Domain};

/// Characters of a workgroup's name, at most.
const LONGEST_NAME: usize = 64;

/// An address with mailboxes of its own, and who reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workgroup {
    /// What it is called, and the name of its folder in mail programs: a part of a mailbox's name.
    pub name: String,
    /// Its address. Its mailboxes belong to this, whatever it is called.
    pub address: Address,
    /// Where what comes for it goes, where that is not as the practice says.
    pub staff_mail: Option<StaffMailPlace>,
    read: Vec<Member>,
    write: Vec<Member>,
    send: Vec<Member>,
}

/// Who belongs to a workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    /// Every account of this staff group.
    Group(String),
    /// The account of this address.
    Account(Address),
}

/// What a member may do in a workgroup's mailboxes. Each one may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkgroupRight {
    /// Read messages.
    Read,
    /// Change flags, add and delete messages and folders.
    Write,
    /// Send as the workgroup's address, and answer what the gateway asks it.
    Send,
}

impl WorkgroupRight {
    /// The word for it in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
        }
    }
}

impl Workgroup {
    /// What the account of this address, in these staff groups, may do here: the most that any list gives it.
    pub fn right_of(&self, account: &Address, groups: &[String]) -> Option<WorkgroupRight> {
        let is_one = |member: &Member| match member {
            Member::Group(name) => groups.contains(name),
            Member::Account(address) => address.same_as(account),
        };
        let lists = [
            (WorkgroupRight::Send, &self.send),
            (WorkgroupRight::Write, &self.write),
            (WorkgroupRight::Read, &self.read),
        ];
        lists.into_iter().find(|(_, members)| members.iter().any(is_one)).map(|(right, _)| right)
    }
}

/// The keys of `[[workgroup]]`.
pub(super) const WORKGROUP: &[Key] = &[
    Key {
        name: "name",
        form: Form::Text,
        need: Need::Required,
        about: "What it is called, and its folder in mail programs: Workgroups/NAME. No two workgroups share one.",
    },
    Key {
        name: "address",
        form: Form::Text,
        need: Need::Required,
        about: "Its address, in a domain of the practice. Its mailboxes belong to the address, whatever it is called.",
    },
    Key {
        name: "read",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "Who reads its mail: staff groups, as `postern staff add --group` names them, or addresses of accounts.",
    },
    Key {
        name: "write",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "Who also sets flags (that a message was read is such a flag, and the same for all), moves, adds and deletes.",
    },
    Key {
        name: "send",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "Who also sends as its address, and answers questions and status mails that come for it.",
    },
    Key {
        name: "staff_mail",
        form: Form::Choice(StaffMailPlace::NAMES),
        need: Need::Optional,
        about: "Where what comes for it goes, as for staff: to its Inbox here, to the mailbox that its address has elsewhere, or both. Without it as the practice says.",
    },
];

/// The workgroups of a practice's file that have no fault.
pub(super) fn workgroups(table: &Table, domains: &[Domain], faults: &mut Faults) -> Vec<Workgroup> {
    table.tables("workgroup").iter().filter_map(|written| workgroup(written, domains, faults)).collect()
}

fn workgroup(written: &Table, domains: &[Domain], faults: &mut Faults) -> Option<Workgroup> {
    if !["read", "write", "send"].into_iter().any(|key| written.has(key)) {
        let fault = written.place().fault("nobody would read this workgroup's mail");
        faults.add(fault.hint("name staff groups or accounts in read, write or send: send = \"reception\""));
    }
    let name = written.parsed("name", faults, name);
    let address = written.parsed("address", faults, |word| address(word, domains));
    let mut members = |key| written.each(key, faults, member);
    let (read, write, send) = (members("read"), members("write"), members("send"));
    let staff_mail = written.text("staff_mail").map(|word| StaffMailPlace::from_name(&word.text));
    Some(Workgroup { name: name?, address: address?, staff_mail, read, write, send })
}

/// A name is a part of a mailbox's name, and a word that people read.
fn name(word: &Word) -> Result<String, Fault> {
    let text = &word.text;
    let plain = |c: char| c.is_alphanumeric() || " -_&+'.,()".contains(c);
    let edge = |c: char| c == ' ' || c == '.';
    if text.chars().count() > LONGEST_NAME || !text.chars().all(plain) {
        let fault = word.place.fault(format!("\"{text}\" cannot be a folder's name"));
        return Err(
            fault.hint("write up to 64 letters, digits and spaces, such as \"Reception\"; no / * % and no quotes")
        );
    }
    if text.starts_with(edge) || text.ends_with(edge) {
        let fault = word.place.fault(format!("\"{text}\" begins or ends with a space or a dot"));
        return Err(fault.hint("mail programs lose those: leave them out"));
    }
    Ok(text.clone())
}

fn address(word: &Word, domains: &[Domain]) -> Result<Address, Fault> {
    let address = parsed(word)?;
    // Without a sound domain of the practice there is a fault already.
    if domains.is_empty() || domains.contains(address.domain()) {
        return Ok(address);
    }
    let fault = word.place.fault(format!("\"{}\" is no address of this practice", word.text));
    let own: Vec<&str> = domains.iter().map(Domain::as_str).collect();
    Err(fault.hint(format!("its domains are {}", own.join(", "))))
}

/// What has an `@` is an account, all else a staff group.
fn member(word: &Word) -> Result<Member, Fault> {
    if word.text.contains('@') {
        return parsed(word).map(Member::Account);
    }
    Ok(Member::Group(word.text.clone()))
}

fn parsed(word: &Word) -> Result<Address, Fault> {
    Address::parse(&word.text).map_err(|_| {
        let fault = word.place.fault(format!("\"{}\" is no address", word.text));
        fault.hint("write it as \"reception@clinic.example\"")
    })
}

/// What may be given once only, over all practices: names and addresses as they are written in this file.
pub(super) fn unique_words(file: &SourceFile) -> Vec<(&'static str, Word)> {
    let table = read(&file.path, &file.text, PRACTICE, &mut Faults::default());
    let of = |written: &Table| ["name", "address"].map(|key| written.text(key).map(|word| (key, word.clone())));
    table.tables("workgroup").iter().flat_map(of).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<Workgroup>, Vec<Fault>) {
        let mut faults = Faults::default();
        let table = read("x.toml", text, PRACTICE, &mut Faults::default());
        let groups = workgroups(&table, &[Domain::parse("clinic.example").unwrap()], &mut faults);
        (groups, faults.into_parts().0)
    }

    #[test]
    fn the_most_that_any_list_gives_counts() {
        let text = r#"
[[workgroup]]
name = "Reception"
address = "reception@clinic.example"
read = ["nurses", "front", "Lee@clinic.example"]
write = "front"
send = "dr.lee@clinic.example"
"#;
        let group = &parsed(text).0[0];
        let right = |address, groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|name| (*name).to_owned()).collect();
            group.right_of(&Address::parse(address).unwrap(), &groups)
        };
        for (address, groups, expected) in [
            ("a@clinic.example", &["nurses"][..], Some(WorkgroupRight::Read)),
            ("a@clinic.example", &["nurses", "front"], Some(WorkgroupRight::Write)),
            ("lee@Clinic.example", &[], Some(WorkgroupRight::Read)),
            ("dr.lee@clinic.example", &["nurses"], Some(WorkgroupRight::Send)),
            ("a@clinic.example", &["Nurses"], None),
            ("a@clinic.example", &[], None),
            // Not even who has its address for an account's.
            ("reception@clinic.example", &[], None),
        ] {
            assert_eq!(right(address, groups), expected, "{address} {groups:?}");
        }
        assert!(WorkgroupRight::Read < WorkgroupRight::Write && WorkgroupRight::Write < WorkgroupRight::Send);
    }

    #[test]
    fn a_name_is_one_part_of_a_mailboxs_name() {
        for (name, sound) in [
            ("Reception", true),
            ("Réception & Büro 2", true),
            ("Front desk (north)", true),
            ("a/b", false),
            ("a*", false),
            ("%", false),
            ("..", false),
            (".hidden", false),
            (" lead", false),
            ("trail ", false),
            ("a\\\\b", false),
            ("line\\nbreak", false),
            ("right\\u202Eleft", false),
        ] {
            let text = format!("[[workgroup]]\nname = \"{name}\"\naddress = \"r@clinic.example\"\nread = \"x\"\n");
            assert_eq!(parsed(&text).1.is_empty(), sound, "{name:?}");
        }
        let long = |length| {
            format!("[[workgroup]]\nname = \"{}\"\naddress = \"r@clinic.example\"\nread = \"x\"\n", "ä".repeat(length))
        };
        assert!(parsed(&long(64)).1.is_empty() && !parsed(&long(65)).1.is_empty());
    }
}
