//! Delivery into a folder, one file a delivery: for development and for tests of the whole path.

use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::errand::{Content, Errand};
use crate::delivery::{Outcome, Step};
use crate::id::QueueId;

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// What went wrong, by whose fault.
enum Trouble {
    /// The folder does not take it.
    Folder,
    /// The octets cannot be read.
    Content,
}

impl From<std::io::Error> for Trouble {
    fn from(_: std::io::Error) -> Self {
        Self::Folder
    }
}

impl Folder {
    /// Makes the folder where there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes `NAME.eml`: the envelope in `X-Envelope-From` and `X-Envelope-To`, then the message. The name is the
    /// queue's own, so that a delivery repeated after a crash replaces the first and doubles nothing. File and
    /// folder are synced before this says delivered.
    pub async fn deliver(&self, id: QueueId, errand: &Errand<'_>, content: &mut dyn Content) -> Outcome {
        match self.write(id, errand, content).await {
            Ok(()) => Outcome::Delivered,
            Err(Trouble::Folder) => Outcome::transient(Step::Folder),
            Err(Trouble::Content) => Outcome::transient(Step::Storage),
        }
    }

    async fn write(&self, id: QueueId, errand: &Errand<'_>, content: &mut dyn Content) -> Result<(), Trouble> {
        let unfinished = self.path.join(format!(".{id}.part"));
        let mut file = BufWriter::with_capacity(64 * 1024, create(&unfinished).await?);
        file.write_all(envelope(errand).as_bytes()).await?;
        while let Some(octets) = content.next_piece().await.map_err(|_| Trouble::Content)? {
            file.write_all(&octets).await?;
        }
        file.flush().await?;
        file.into_inner().sync_data().await?;
        tokio::fs::rename(&unfinished, self.path.join(format!("{id}.eml"))).await?;
        File::open(&self.path).await?.sync_all().await?;
        Ok(())
    }
}

async fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).await
}

fn envelope(errand: &Errand<'_>) -> String {
    let from = errand.delivery.reverse_path.address().map_or_else(String::new, ToString::to_string);
    format!("X-Envelope-From: <{from}>\r\nX-Envelope-To: <{}>\r\n", errand.delivery.recipient.address)
}
