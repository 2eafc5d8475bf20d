//! Telling the story: on a terminal with colour and a mark that turns while something takes its time, in a pipe as
//! plain lines.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::cli::print;

/// How fast the mark turns.
const TURN: Duration = Duration::from_millis(80);
const MARKS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Tells what happens.
pub struct Teller {
    lively: bool,
}

/// How a piece of text looks on a terminal.
#[derive(Clone, Copy)]
pub enum Look {
    /// As it is.
    Plain,
    /// What the eye should find first.
    Bold,
    /// What is said in passing.
    Faint,
    /// Done.
    Good,
    /// Refused, on purpose.
    Bad,
    /// To be opened.
    Link,
}

impl Teller {
    /// For standard output. No colour where it is no terminal, or where the person wants none (NO_COLOR).
    pub fn new() -> Self {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { lively: std::io::stdout().is_terminal() && !wants_none }
    }

    /// One line.
    pub fn line(&self, text: &str) {
        print::line(text);
    }

    /// The beginning of a step, with space before it.
    pub fn heading(&self, text: &str) {
        print::line("");
        print::line(&self.paint(Look::Bold, text));
    }

    /// A fact of a step: what it is about, and what is so.
    pub fn fact(&self, about: &str, look: Look, text: &str) {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        print::line(&format!("  {} {}", self.paint(Look::Faint, &format!("{about:<9}")), self.paint(look, first)));
        for line in lines {
            print::line(&format!("  {:9} {}", "", self.paint(look, line)));
        }
    }

    /// Waits for something; says what when it is done.
    ///
    /// # Errors
    /// As the work.
    pub async fn during<T>(&self, what: &str, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        let mut work = std::pin::pin!(work);
        let mut turns = 0;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                () = tokio::time::sleep(TURN), if self.lively => {
                    self.over(&format!("  {} {what}", MARKS[turns % MARKS.len()]));
                    turns += 1;
                }
            }
        };
        self.over("");
        if result.is_ok() {
            print::line(&format!("  {} {what}", self.paint(Look::Good, if self.lively { "✓" } else { "done:" })));
        }
        result
    }

    /// Leaves the terminal's line clean.
    pub fn end(&self) {
        self.over("");
    }

    /// Text in a look; as it is where there are no colours.
    pub fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Plain => return text.to_owned(),
            _ if !self.lively => return text.to_owned(),
            Look::Bold => "1",
            Look::Faint => "2",
            Look::Good => "32",
            Look::Bad => "31",
            Look::Link => "4;36",
        };
        let mut painted = String::with_capacity(text.len() + 12);
        let _ = write!(painted, "\x1b[{code}m{text}\x1b[0m");
        painted
    }

    /// Writes over the line that the cursor is in.
    fn over(&self, text: &str) {
        if self.lively {
            let mut out = std::io::stdout();
            let _ = write!(out, "\r\x1b[2K{text}");
            let _ = out.flush();
        }
    }
}
