//! People the clinic knows already: `policies/directory.csv`, one line each, as a spreadsheet saves it (RFC 4180).

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::role::NAMES;
use super::{Role, SourceFile};
use crate::document::{Faults, Place, Word, quoted};
use crate::fault::{Fault, nearest};
use crate::mail::Address;
use crate::secret::silent_debug;

/// A line of `directory.csv`.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The address.
    pub address: Address,
    /// The relation, where the line says it.
    pub role: Option<Role>,
    /// The full name.
    pub name: Option<String>,
    /// The birthdate, `YYYY-MM-DD`.
    pub birthdate: Option<String>,
    /// The record number.
    pub record: Option<String>,
    /// The practice of ours they belong to; *my practice* is this one, and for our others they are elsewhere.
    pub practice: Option<String>,
}

silent_debug!(DirectoryEntry);

/// All lines, found by address and by record number.
#[derive(Clone, Default)]
pub(super) struct People {
    entries: Vec<DirectoryEntry>,
    by_address: HashMap<String, usize>,
    by_record: BTreeMap<String, usize>,
}

silent_debug!(People);

const COLUMNS: [&str; 6] = ["address", "role", "name", "birthdate", "record", "practice"];
/// Octets of a record number, as in the tag `[patient 10423]`.
const RECORD: usize = 32;

impl People {
    pub(super) fn at(&self, address: &Address) -> Option<&DirectoryEntry> {
        self.by_address.get(&address.lookup_form()).and_then(|index| self.entries.get(*index))
    }

    pub(super) fn of_record(&self, record: &str) -> Option<&DirectoryEntry> {
        self.by_record.get(record).and_then(|index| self.entries.get(*index))
    }

    /// Keeps an entry, or says what speaks against it: of two lines for one address neither can be right for sure, and
    /// two birthdates of one record are of two people.
    fn keep(&mut self, entry: DirectoryEntry, line: &Line) -> Result<(), Fault> {
        let form = entry.address.lookup_form();
        if self.by_address.contains_key(&form) {
            let fault = line.word(0).place.fault("a second line for this address");
            return Err(fault.hint("keep one line for each address; what they say is not put together"));
        }
        if let Some(record) = &entry.record {
            let other = self.of_record(record).filter(|other| differ(&other.birthdate, &entry.birthdate));
            if other.is_some() {
                let fault = line.word(3).place.fault(format!("the record {record} has another birthdate above"));
                return Err(fault.hint("one record is one person: correct the number or the birthdate"));
            }
            let known = self.of_record(record).is_some_and(|other| other.birthdate.is_some());
            if !known {
                self.by_record.insert(record.clone(), self.entries.len());
            }
        }
        self.by_address.insert(form, self.entries.len());
        self.entries.push(entry);
        Ok(())
    }
}

fn differ(a: &Option<String>, b: &Option<String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

/// Reads the file; practices that it names are added to `practices`, to be looked up when all files are read.
pub(super) fn read_people(file: &SourceFile, practices: &mut Vec<Word>, faults: &mut Faults) -> People {
    faults.keep_source(&file.path, &file.text);
    let mut lines = lines(file, faults).into_iter();
    let Some(head) = lines.next() else { return People::default() };
    let Some(columns) = read_head(&head, faults) else { return People::default() };
    let mut people = People::default();
    for cells in lines {
        if cells.words.len() > columns.len() {
            let place = cells.words[columns.len()].place.clone();
            let fault =
                place.fault(format!("this line has {} cells, the first one {}", cells.words.len(), columns.len()));
            faults.add(fault.hint("put a cell that has a comma in it in quotes"));
            continue;
        }
        let line = cells.in_order(&columns);
        match read_line(&line, practices) {
            Ok(entry) => {
                if let Err(fault) = people.keep(entry, &line) {
                    faults.add(fault);
                }
            }
            Err(found) => found.into_iter().for_each(|fault| faults.add(fault)),
        }
    }
    people
}

/// What the first line says about the columns: which of [`COLUMNS`] each is.
fn read_head(head: &Line, faults: &mut Faults) -> Option<Vec<usize>> {
    let mut columns = Vec::new();
    let before = faults.len();
    for word in &head.words {
        let name = word.text.to_ascii_lowercase();
        match COLUMNS.iter().position(|column| *column == name) {
            Some(column) if columns.contains(&column) => {
                faults.add(word.place.fault(format!("a second column \"{name}\"")).hint("remove one of the two"));
            }
            Some(column) => columns.push(column),
            None => {
                let hint = match nearest(&name, COLUMNS) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("the first line names the columns: {}", COLUMNS.join(",")),
                };
                faults.add(word.place.fault(format!("there is no column \"{}\"", word.text)).hint(hint));
            }
        }
    }
    if faults.len() == before && !columns.contains(&0) {
        let fault = head.word_place().fault("the column \"address\" is missing");
        faults.add(fault.hint(format!("the first line names the columns: {}", COLUMNS.join(","))));
    }
    (faults.len() == before).then_some(columns)
}

fn read_line(line: &Line, practices: &mut Vec<Word>) -> Result<DirectoryEntry, Vec<Fault>> {
    let mut found = Vec::new();
    let mut keep = |fault: Fault| found.push(fault);
    let address = Address::parse(&line.word(0).text)
        .map_err(|error| keep(line.word(0).place.fault(format!("\"{}\": {error}", line.word(0).text))))
        .ok();
    let role = line.filled(1).and_then(|word| role(word).map_err(&mut keep).ok());
    let birthdate = line.filled(3).and_then(|word| birthdate(word).map_err(&mut keep).ok());
    let record = line.filled(4).and_then(|word| record(word).map_err(&mut keep).ok());
    practices.extend(line.filled(5).cloned());
    match address {
        Some(address) if found.is_empty() => Ok(DirectoryEntry {
            address,
            role,
            name: line.filled(2).map(|word| word.text.clone()),
            birthdate,
            record,
            practice: line.filled(5).map(|word| word.text.clone()),
        }),
        _ => Err(found),
    }
}

fn role(word: &Word) -> Result<Role, Fault> {
    Role::from_name(&word.text.to_ascii_lowercase()).ok_or_else(|| {
        let hint = match nearest(&word.text, NAMES.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the roles are {}", quoted(NAMES)),
        };
        word.place.fault(format!("there is no role \"{}\"", word.text)).hint(hint)
    })
}

fn birthdate(word: &Word) -> Result<String, Fault> {
    match crate::time::parse_date(&word.text) {
        Some(_) => Ok(word.text.clone()),
        None => {
            let fault = word.place.fault(format!("\"{}\" is no date", word.text));
            Err(fault.hint("write year, month and day: 1980-03-04"))
        }
    }
}

fn record(word: &Word) -> Result<String, Fault> {
    let sound = word.text.len() <= RECORD
        && word.text.bytes().any(|b| b.is_ascii_digit())
        && word.text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if sound {
        return Ok(word.text.clone());
    }
    let fault = word.place.fault(format!("\"{}\" cannot be a record number", word.text));
    Err(fault.hint("it has a digit, and letters, digits, - _ . / only, at most 32 of them"))
}

/// The cells of a line.
struct Line {
    words: Vec<Word>,
}

impl Line {
    /// The cells in the order of [`COLUMNS`]; empty ones where there is no such column.
    fn in_order(&self, columns: &[usize]) -> Self {
        let empty = Word { text: String::new(), place: self.word_place().clone() };
        let cell = |column| {
            let index = columns.iter().position(|written| *written == column);
            index.and_then(|index| self.words.get(index)).unwrap_or(&empty).clone()
        };
        Self { words: (0..COLUMNS.len()).map(cell).collect() }
    }

    fn word(&self, column: usize) -> &Word {
        &self.words[column]
    }

    fn filled(&self, column: usize) -> Option<&Word> {
        self.words.get(column).filter(|word| !word.text.is_empty())
    }

    fn word_place(&self) -> &Place {
        &self.words[0].place
    }
}

/// The lines that say something: not those that are empty or begin with `#`. Cells are parted by commas, or by
/// semicolons where the first line has no comma (as spreadsheets save where a comma stands in numbers).
fn lines(file: &SourceFile, faults: &mut Faults) -> Vec<Line> {
    let mut reader = Reader { file, at: 0, line: 1, comma: b',' };
    let mut lines = Vec::new();
    while reader.at < file.text.len() {
        let rest = &file.text[reader.at..];
        let first = rest.split('\n').next().unwrap_or_default().trim();
        if first.is_empty() || first.starts_with('#') || first.bytes().all(|b| b == reader.comma) {
            reader.skip_line();
            continue;
        }
        if lines.is_empty() && !first.contains(',') && first.contains(';') {
            reader.comma = b';';
        }
        match reader.cells() {
            Ok(words) => lines.push(Line { words }),
            Err(fault) => {
                faults.add(fault);
                break;
            }
        }
    }
    lines
}

struct Reader<'a> {
    file: &'a SourceFile,
    at: usize,
    line: usize,
    comma: u8,
}

impl Reader<'_> {
    fn next(&self) -> Option<u8> {
        self.file.text.as_bytes().get(self.at).copied()
    }

    fn skip_line(&mut self) {
        let rest = &self.file.text[self.at..];
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.line += 1;
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file.path.as_str().into(), span, line: self.line }
    }

    fn cells(&mut self) -> Result<Vec<Word>, Fault> {
        let mut words = Vec::new();
        loop {
            words.push(if self.next() == Some(b'"') { self.quoted()? } else { self.bare() });
            match self.next() {
                Some(b) if b == self.comma => self.at += 1,
                _ => break,
            }
        }
        self.skip_line();
        Ok(words)
    }

    fn bare(&mut self) -> Word {
        let rest = &self.file.text[self.at..];
        let end = rest.bytes().position(|b| b == self.comma || b == b'\n').unwrap_or(rest.len());
        let (cell, start) = (&rest[..end], self.at);
        self.at += end;
        let text = cell.trim();
        let skipped = cell.len() - cell.trim_start().len();
        let span = start + skipped..start + skipped + text.len();
        Word { text: text.to_owned(), place: self.place(span) }
    }

    /// A cell in quotes; a quote within is written twice. It ends on its line: no name or number has a line end in it.
    fn quoted(&mut self) -> Result<Word, Fault> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = &self.file.text[self.at..];
            let line = rest.split('\n').next().unwrap_or_default();
            let Some(quote) = line.find('"') else {
                let fault =
                    self.place(start..self.at + line.trim_end().len()).fault("these quotes do not end on their line");
                return Err(fault.hint("end the cell with \" (a quote within a cell is written twice)"));
            };
            text.push_str(&line[..quote]);
            self.at += quote + 1;
            if self.next() != Some(b'"') {
                break;
            }
            text.push('"');
            self.at += 1;
        }
        let word = Word { text: text.trim().to_owned(), place: self.place(start..self.at) };
        let after = self.bare();
        if after.text.is_empty() {
            return Ok(word);
        }
        Err(after
            .place
            .fault("text behind the quotes")
            .hint("end the cell with its last quote, or write the quote twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (People, Vec<String>) {
        let file = SourceFile { path: "directory.csv".into(), name: "directory.csv".into(), text: text.into() };
        let mut faults = Faults::default();
        let people = read_people(&file, &mut Vec::new(), &mut faults);
        (people, faults.into_parts().0.into_iter().map(|fault| fault.message).collect())
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn lines_are_found_by_address_and_record() {
        let text = "# exported on Monday\r\nAddress,Role,Name,Birthdate,Record\r\n\
            jane@mail.example,patient,\"Citizen, \"\"Jane\"\"\",1980-03-04,10423\r\n\r\n\
            dr@other.example,doctor-elsewhere\r\n,,,,\r\n";
        let (people, faults) = read(text);
        assert_eq!(faults, [""; 0]);
        let jane = people.at(&address("Jane@Mail.Example")).unwrap();
        assert_eq!((jane.role, jane.name.as_deref()), (Some(Role::Patient), Some("Citizen, \"Jane\"")));
        assert_eq!(people.of_record("10423").and_then(|entry| entry.birthdate.as_deref()), Some("1980-03-04"));
        assert_eq!(people.at(&address("dr@other.example")).unwrap().role, Some(Role::DoctorElsewhere));
        assert!(people.at(&address("nobody@other.example")).is_none());
        assert!(!format!("{people:?}{jane:?}").contains("ane"));
    }

    #[test]
    fn semicolons_and_a_lonely_column_are_read_too() {
        let (people, faults) = read("role;address\npayer;p@mail.example\n");
        assert_eq!(faults, [""; 0]);
        assert_eq!(people.at(&address("p@mail.example")).unwrap().role, Some(Role::Payer));
        assert!(read("address\na@mail.example").0.at(&address("a@mail.example")).is_some());
        assert_eq!(read("").1, [""; 0]);
    }

    #[test]
    fn one_record_has_one_birthdate() {
        let head = "address,birthdate,record\n";
        let (people, faults) = read(&format!("{head}a@m.example,,7\nb@m.example,1980-03-04,7\n"));
        assert_eq!(faults, [""; 0]);
        assert_eq!(people.of_record("7").and_then(|entry| entry.birthdate.as_deref()), Some("1980-03-04"));
        let (_, faults) = read(&format!("{head}a@m.example,1980-03-05,7\nb@m.example,1980-03-04,7\n"));
        assert_eq!(faults, ["the record 7 has another birthdate above"]);
    }
}
