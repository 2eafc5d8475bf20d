//! The words a command is made of (RFC 9051, section 9): atoms, strings, literals, numbers, lists.

use super::Mistake;

/// How deep parentheses may nest.
pub(super) const DEPTH: usize = 50;

/// What is left of a command. It holds lines and literals as they came, literals announced as `{n}` or `~{n}`.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

type Read<T> = Result<T, Mistake>;

impl<'a> Reader<'a> {
    pub(super) fn new(command: &'a [u8]) -> Self {
        Self { rest: command }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes this octet, if it is next.
    pub(super) fn eat(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    /// Takes these letters in any case, if they are next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((begin, behind)) if begin.eq_ignore_ascii_case(word.as_bytes()) => {
                self.rest = behind;
                true
            }
            _ => false,
        }
    }

    pub(super) fn need(&mut self, octet: u8, mistake: &'static str) -> Read<()> {
        if self.eat(octet) { Ok(()) } else { Err(Mistake(mistake)) }
    }

    /// The space between two arguments.
    pub(super) fn space(&mut self) -> Read<()> {
        self.need(b' ', "An argument is missing")
    }

    /// The end of the command. A space before it is forgiven: programs leave one.
    pub(super) fn end(&mut self) -> Read<()> {
        while self.eat(b' ') {}
        if self.is_at_end() { Ok(()) } else { Err(Mistake("There is more than this command takes")) }
    }

    /// Octets as long as they are `sound`; perhaps none.
    pub(super) fn while_octets(&mut self, sound: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|octet| !sound(*octet)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// An atom, which is ASCII.
    pub(super) fn atom(&mut self) -> Read<&'a str> {
        ascii(self.while_octets(is_atom)).ok_or(Mistake("A word is missing"))
    }

    /// An atom without what ends the name of a FETCH item or of a search key.
    pub(super) fn keyword(&mut self) -> Read<String> {
        let word = self.while_octets(|octet| is_atom(octet) && octet != b'[' && octet != b'<');
        ascii(word).map(str::to_ascii_uppercase).ok_or(Mistake("A word is missing"))
    }

    /// A flag: `\Seen`, or a keyword.
    pub(super) fn flag(&mut self) -> Read<String> {
        let sign = if self.eat(b'\\') { "\\" } else { "" };
        self.atom().map(|word| format!("{sign}{word}")).map_err(|_| Mistake("A flag is missing"))
    }

    /// A number of 32 bits.
    pub(super) fn number(&mut self) -> Read<u32> {
        let number = self.number64()?;
        u32::try_from(number).map_err(|_| Mistake("A number is too large"))
    }

    /// A number of 63 bits.
    pub(super) fn number64(&mut self) -> Read<u64> {
        let digits = ascii(self.while_octets(|octet| octet.is_ascii_digit())).ok_or(Mistake("A number is missing"))?;
        let number = digits.parse::<u64>().ok().filter(|number| *number <= i64::MAX as u64);
        number.ok_or(Mistake("A number is too large"))
    }

    /// An atom (with `]`) or a string.
    pub(super) fn astring(&mut self) -> Read<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') if self.begins_string() => self.string(),
            _ => match self.while_octets(|octet| is_atom(octet) || octet == b']') {
                [] => Err(Mistake("A word or a string is missing")),
                word => Ok(word.to_vec()),
            },
        }
    }

    /// The name of a mailbox. Octets beyond ASCII are let through: whoever reads the name judges them.
    pub(super) fn mailbox(&mut self) -> Read<Vec<u8>> {
        self.name(|octet| is_atom(octet) || octet == b']')
    }

    /// A pattern of LIST: a mailbox with `*` and `%`.
    pub(super) fn pattern(&mut self) -> Read<Vec<u8>> {
        self.name(|octet| is_atom(octet) || matches!(octet, b']' | b'*' | b'%'))
    }

    fn name(&mut self, sound: impl Fn(u8) -> bool) -> Read<Vec<u8>> {
        if self.begins_string() {
            return self.string();
        }
        match self.while_octets(|octet| sound(octet) || octet >= 0x80) {
            [] => Err(Mistake("The name of a mailbox is missing")),
            word => Ok(word.to_vec()),
        }
    }

    fn begins_string(&self) -> bool {
        matches!(self.rest, [b'"' | b'{', ..] | [b'~', b'{', ..])
    }

    /// A quoted string or a literal.
    pub(super) fn string(&mut self) -> Read<Vec<u8>> {
        self.eat(b'~');
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => Err(Mistake("A string is missing")),
        }
    }

    /// A string or NIL.
    pub(super) fn nstring(&mut self) -> Read<Option<Vec<u8>>> {
        if self.begins_string() { self.string().map(Some) } else { self.nil().map(|()| None) }
    }

    pub(super) fn nil(&mut self) -> Read<()> {
        if self.eat_word("NIL") { Ok(()) } else { Err(Mistake("A string is missing")) }
    }

    fn quoted(&mut self) -> Read<Vec<u8>> {
        self.eat(b'"');
        let mut string = Vec::new();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(string);
                }
                [b'\\', octet @ (b'"' | b'\\'), rest @ ..] => {
                    string.push(*octet);
                    self.rest = rest;
                }
                [b'\\' | b'\r' | b'\n' | 0, ..] | [] => return Err(Mistake("A quoted string is not well-formed")),
                [octet, rest @ ..] => {
                    string.push(*octet);
                    self.rest = rest;
                }
            }
        }
    }

    fn literal(&mut self) -> Read<Vec<u8>> {
        self.eat(b'{');
        let size = usize::try_from(self.number64()?).map_err(|_| Mistake("A literal is too large"))?;
        self.eat(b'+');
        let announced = self.eat(b'}') && self.eat(b'\r') && self.eat(b'\n');
        match self.rest.split_at_checked(size) {
            Some((literal, rest)) if announced => {
                self.rest = rest;
                Ok(literal.to_vec())
            }
            _ => Err(Mistake("A literal is not well-formed")),
        }
    }

    /// What stands in parentheses, separated by spaces; perhaps nothing.
    pub(super) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.need(b'(', "A list in parentheses is missing")?;
        let mut list = Vec::new();
        if self.eat(b')') {
            return Ok(list);
        }
        loop {
            list.push(one(self)?);
            if self.eat(b')') {
                return Ok(list);
            }
            self.need(b' ', "A list is not closed")?;
        }
    }
}

/// What is asked for twice counts once, where it stands first.
pub(super) fn each_once<T>(asked: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut once: Vec<T> = Vec::with_capacity(asked.len());
    for one in asked {
        if !once.iter().any(|known| same(known, &one)) {
            once.push(one);
        }
    }
    once
}

/// ATOM-CHAR.
pub(super) fn is_atom(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn ascii(word: &[u8]) -> Option<&str> {
    std::str::from_utf8(word).ok().filter(|word| !word.is_empty())
}
