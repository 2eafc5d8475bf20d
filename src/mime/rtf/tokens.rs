//! Tokens of RTF (Rich Text Format Specification 1.9.1, "Conventions of an RTF Reader").

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\word` or `\word7`, and the space that ends it.
    Word(&'a [u8], Option<i32>),
    /// `\` and a character that is no letter.
    Symbol(u8),
    /// `\'e4`: an octet in a code page.
    Octet(u8),
    /// Characters as they stand; line ends are none.
    Text(&'a [u8]),
}

/// Tokens in order.
pub(super) struct Tokens<'a>(pub &'a [u8]);

impl<'a> Tokens<'a> {
    fn split(&mut self, at: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(at.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn length_of(&self, belongs: impl Fn(u8) -> bool) -> usize {
        self.0.iter().position(|octet| !belongs(*octet)).unwrap_or(self.0.len())
    }

    /// Behind a backslash.
    fn control(&mut self) -> Token<'a> {
        let letters = self.length_of(|octet| octet.is_ascii_alphabetic());
        if letters == 0 {
            return self.symbol();
        }
        let word = self.split(letters);
        let negative = self.0.first() == Some(&b'-') && self.0.get(1).is_some_and(u8::is_ascii_digit);
        self.split(usize::from(negative));
        let digits = self.length_of(|octet| octet.is_ascii_digit());
        let digits = self.split(digits);
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i32>().ok());
        let number = number.map(|number| if negative { -number } else { number });
        if self.0.first() == Some(&b' ') {
            self.split(1);
        }
        if word == b"bin" {
            self.split(number.map_or(0, |octets| usize::try_from(octets).unwrap_or(0)));
        }
        Token::Word(word, number)
    }

    fn symbol(&mut self) -> Token<'a> {
        let symbol = self.split(1).first().copied().unwrap_or(b'\\');
        let digit = |at: usize| self.0.get(at).and_then(|octet| char::from(*octet).to_digit(16));
        match (symbol, digit(0), digit(1)) {
            (b'\'', Some(high), Some(low)) => {
                self.split(2);
                Token::Octet((high * 16 + low) as u8)
            }
            _ => Token::Symbol(symbol),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let ends = self.length_of(|octet| matches!(octet, b'\r' | b'\n' | 0));
        self.split(ends);
        Some(match self.0.first()? {
            b'{' => {
                self.split(1);
                Token::Open
            }
            b'}' => {
                self.split(1);
                Token::Close
            }
            b'\\' => {
                self.split(1);
                self.control()
            }
            _ => {
                let length = self.length_of(|octet| !b"{}\\\r\n\0".contains(&octet));
                Token::Text(self.split(length))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_their_space_and_binary_is_passed_over() {
        let tokens: Vec<Token> = Tokens(b"{\\b0 x\\u-4\\'e4\\~\\bin3 }}}y\r\nz\\").collect();
        let expected = [
            Token::Open,
            Token::Word(b"b", Some(0)),
            Token::Text(b"x"),
            Token::Word(b"u", Some(-4)),
            Token::Octet(0xe4),
            Token::Symbol(b'~'),
            Token::Word(b"bin", Some(3)),
            Token::Text(b"y"),
            Token::Text(b"z"),
            Token::Symbol(b'\\'),
        ];
        assert_eq!(tokens, expected);
    }
}
