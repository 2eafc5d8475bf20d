//! Delivery into a folder, one file a delivery: for development and for tests of the whole path.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::errand::{Content, Errand};
use crate::delivery::{Outcome, Step};
use crate::id::QueueId;

/// Pieces on their way to the disk; each has at most 64 KiB.
const PIECES: usize = 4;

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

    /// The file is written on one thread, in one go: to ask the runtime for each system call costs more than the call.
    async fn write(&self, id: QueueId, errand: &Errand<'_>, content: &mut dyn Content) -> Result<(), Trouble> {
        let (pieces, inbox) = mpsc::channel(PIECES);
        let (folder, envelope) = (self.path.clone(), envelope(errand));
        let writing = tokio::task::spawn_blocking(move || write_file(&folder, id, envelope.as_bytes(), inbox));
        let fed = feed(&pieces, content).await;
        drop(pieces);
        let written = writing.await.map_err(|_| Trouble::Folder)?;
        fed?;
        Ok(written?)
    }
}

/// What the writing thread is handed.
enum Piece {
    Octets(Bytes),
    /// There is no more; without it the file does not count.
    End,
}

/// Hands all of the content over. That nobody takes it is for the writing thread to explain.
async fn feed(pieces: &mpsc::Sender<Piece>, content: &mut dyn Content) -> Result<(), Trouble> {
    while let Some(octets) = content.next_piece().await.map_err(|_| Trouble::Content)? {
        if pieces.send(Piece::Octets(octets)).await.is_err() {
            return Ok(());
        }
    }
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

fn write_file(folder: &Path, id: QueueId, envelope: &[u8], mut pieces: mpsc::Receiver<Piece>) -> std::io::Result<()> {
    let unfinished = folder.join(format!(".{id}.part"));
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    let mut file = BufWriter::with_capacity(32 * 1024, file);
    file.write_all(envelope)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Octets(octets)) => file.write_all(&octets)?,
            Some(Piece::End) => break,
            None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_data()?;
    std::fs::rename(&unfinished, folder.join(format!("{id}.eml")))?;
    File::open(folder)?.sync_all()
}

fn envelope(errand: &Errand<'_>) -> String {
    let from = errand.delivery.reverse_path.address().map_or_else(String::new, ToString::to_string);
    format!("X-Envelope-From: <{from}>\r\nX-Envelope-To: <{}>\r\n", errand.delivery.recipient.address)
}
