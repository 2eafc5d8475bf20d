//! What a server said in reply to EHLO (RFC 5321, section 4.1.1.1).

/// The extensions we use. HELO, or nothing said, is the default: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 1870 is offered.
    pub size: bool,
    /// The largest message it takes, if it said so.
    pub largest: Option<u64>,
    /// AUTH PLAIN (RFC 4616).
    pub auth_plain: bool,
    /// AUTH LOGIN (draft-murchison-sasl-login).
    pub auth_login: bool,
}

impl Capabilities {
    /// Reads the lines of an EHLO reply; the first is the greeting and says nothing.
    pub fn read(lines: &[Vec<u8>]) -> Self {
        let mut found = Self::default();
        for line in lines.iter().skip(1) {
            found.keyword(&String::from_utf8_lossy(line).to_ascii_uppercase());
        }
        found
    }

    fn keyword(&mut self, line: &str) {
        // "AUTH=LOGIN" is how servers before RFC 2554 wrote it, and some still do for old Outlooks.
        let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
        match words.next() {
            Some("STARTTLS") => self.starttls = true,
            Some("PIPELINING") => self.pipelining = true,
            Some("8BITMIME") => self.eight_bit = true,
            Some("DSN") => self.dsn = true,
            Some("SIZE") => {
                self.size = true;
                self.largest = words.next().and_then(|word| word.parse().ok()).filter(|largest| *largest > 0);
            }
            Some("AUTH") => {
                for mechanism in words {
                    self.auth_plain |= mechanism == "PLAIN";
                    self.auth_login |= mechanism == "LOGIN";
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_write() {
        let lines =
            ["mx.example STARTTLS", "pipelining", "SIZE 1000", "AUTH LOGIN PLAIN", "8BITMIME", "DSN", "X-\u{7}"];
        let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let expected = Capabilities {
            starttls: false,
            pipelining: true,
            eight_bit: true,
            dsn: true,
            size: true,
            largest: Some(1000),
            auth_plain: true,
            auth_login: true,
        };
        assert_eq!(Capabilities::read(&lines), expected);
        let read = |line: &str| Capabilities::read(&[Vec::new(), line.as_bytes().to_vec()]);
        assert!(read("AUTH=LOGIN").auth_login);
        assert!(read("STARTTLS").starttls);
        assert!(!read("STARTTLSX").starttls);
        assert_eq!((read("SIZE 0").size, read("SIZE 0").largest), (true, None));
        assert_eq!(read("SIZE").largest, None);
    }
}
