//! The walk through a document: what is found, and what is left of the limits.

use std::collections::BTreeSet;

use super::kind::{Kind, START, kind_of, media_type};
use super::octets::{Octets, Unavailable};
use super::{Fact, Found, Limits, compound, letter, pdf, tape, text, zip};

/// What a file shows of itself.
#[derive(Default)]
pub(super) struct Shown {
    pub media_types: Vec<String>,
    pub facts: BTreeSet<Fact>,
    pub title: Option<String>,
}

/// One look.
pub(super) struct Walk<'l> {
    pub limits: &'l Limits,
    unpacked: usize,
    found: Vec<Found>,
}

impl<'l> Walk<'l> {
    pub fn new(limits: &'l Limits) -> Self {
        Self { limits, unpacked: 0, found: Vec::new() }
    }

    pub fn into_found(self) -> Vec<Found> {
        self.found
    }

    /// Octets that may still be unpacked.
    pub fn room(&self) -> usize {
        self.limits.unpacked - self.unpacked
    }

    /// Counts what was unpacked.
    pub fn spend(&mut self, octets: usize) {
        self.unpacked = self.limits.unpacked.min(self.unpacked.saturating_add(octets));
    }

    /// Whether one more file may be found; if not, it is noted that there was more to see.
    pub fn may_find(&self, shown: &mut Shown) -> bool {
        let may = self.found.len() < self.limits.files;
        if !may {
            shown.facts.insert(Fact::TooLarge);
        }
        may
    }

    /// Looks at a file and into it. `path` are the names around it.
    pub fn look(&mut self, name: &str, octets: &mut dyn Octets, path: &[String]) -> Result<Shown, Unavailable> {
        let start = octets.take(0, START)?;
        let kind = kind_of(name, &start, octets)?;
        let mut shown = Shown { media_types: media_type(&start).into_iter().collect(), ..Shown::default() };
        if kind == Kind::Other {
            return Ok(shown);
        }
        if path.len() >= self.limits.depth {
            if kind != Kind::Text {
                shown.facts.insert(Fact::TooDeep);
            }
            return Ok(shown);
        }
        match kind {
            Kind::Zip => zip::look(self, octets, path, &mut shown)?,
            Kind::Compound => compound::look(self, octets, path, &mut shown)?,
            Kind::Gzip => tape::look_gzip(self, octets, path, &mut shown)?,
            Kind::Tar => tape::look_tar(self, octets, path, &mut shown)?,
            Kind::Pdf => pdf::look(self, octets, &mut shown)?,
            Kind::Rtf => text::look_rtf(self, octets, path, &mut shown)?,
            Kind::Tnef => letter::look_tnef(self, octets, path, &mut shown)?,
            Kind::Letter => letter::look_letter(self, octets, path, &mut shown)?,
            Kind::Apple => text::look_apple(self, octets, path, &mut shown)?,
            Kind::Text => text::look_text(self, octets, path, &mut shown)?,
            Kind::Closed => {
                shown.facts.insert(Fact::Unseen);
            }
            Kind::Other => {}
        }
        Ok(shown)
    }

    /// A file was found in the container at `path`; its octets, where there are any to see.
    pub fn find(
        &mut self,
        path: &[String],
        names: Vec<String>,
        octets: Option<&mut dyn Octets>,
        facts: &[Fact],
    ) -> Result<(), Unavailable> {
        let mut names = names.into_iter();
        let name = names.next().unwrap_or_default();
        let own_path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
        let place = self.found.len();
        let other_names = names.collect();
        self.found.push(Found {
            path: own_path.clone(),
            other_names,
            media_type: None,
            facts: facts.iter().copied().collect(),
        });
        if let Some(octets) = octets {
            let shown = self.look(&name, octets, &own_path)?;
            let found = &mut self.found[place];
            found.media_type = shown.media_types.into_iter().next_back();
            found.facts.extend(shown.facts);
        }
        Ok(())
    }

    /// All of the octets, if there is room for them; if not, it is noted.
    pub fn whole(&mut self, octets: &mut dyn Octets, shown: &mut Shown) -> Result<Option<Vec<u8>>, Unavailable> {
        if octets.len() > self.room() as u64 {
            shown.facts.insert(Fact::TooLarge);
            return Ok(None);
        }
        let whole = octets.take(0, self.room())?;
        self.spend(whole.len());
        Ok(Some(whole))
    }
}
