//! A round over an index whose keys begin with the moment at which something is due: a page at a time, oldest first, and
//! what fails does not keep the rest waiting.

use crate::gateway::questions::DueError;
use crate::store::{Store, StoreError, Table};
use crate::time::Timestamp;

/// What is due in one table, and what came of it so far.
pub(super) struct Round {
    table: Table,
    /// Keys of one page.
    page: usize,
    from: Vec<u8>,
    end: [u8; 8],
    done: usize,
    failed: Option<DueError>,
}

impl Round {
    /// Everything that is due by `now`, `now` included.
    pub(super) fn until(now: Timestamp, table: Table, page: usize) -> Self {
        let end = Timestamp::from_millis(now.millis().saturating_add(1)).to_key();
        Self { table, page, from: Vec::new(), end, done: 0, failed: None }
    }

    /// The next keys, behind the last of the page before; none when the round is over.
    pub(super) async fn next(&mut self, store: &Store) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let keys = store.scan_keys(self.table, &self.from, &self.end, self.page).await?;
        let Some(last) = keys.last() else { return Ok(None) };
        self.from = [last.as_slice(), &[0]].concat();
        Ok(Some(keys))
    }

    /// Notes whether something was done, or why not.
    pub(super) fn note(&mut self, outcome: Result<bool, DueError>) {
        match outcome {
            Ok(done) => self.done += usize::from(done),
            Err(error) => {
                self.failed.get_or_insert(error);
            }
        }
    }

    /// How many were done; the first error where one was noted.
    pub(super) fn end(self) -> Result<usize, DueError> {
        self.failed.map_or(Ok(self.done), Err)
    }
}
