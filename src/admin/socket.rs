//! The socket: one request a connection, as a line of JSON; answers as lines, the last one final.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use crate::admin::{Answer, Desk, Request, perform};
use crate::gateway::trouble;

/// The longest request in octets; it holds addresses, names and a password.
const LONGEST_REQUEST: u64 = 1024 * 1024;

/// Why a request got no answer over the socket.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No server listens there.
    #[error("no postern is running here")]
    NoServer,
    /// The connection broke.
    #[error("the running postern gave no answer: {0}")]
    Broken(String),
}

/// Takes requests on `path` (mode 0600) until the task is dropped.
///
/// # Errors
/// Where the socket cannot be made.
pub fn serve(path: PathBuf, desk: Desk) -> io::Result<impl Future<Output = ()> + Send> {
    remove_stale(&path)?;
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        let _removed_at_end = Socket(path);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let desk = desk.clone();
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &desk).await {
                            trouble("admin socket", &error);
                        }
                    });
                }
                Err(error) => {
                    trouble("admin socket", &error);
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
    })
}

/// The data folder's lock is ours when this is called, so a socket that is there is a dead one.
fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn answer(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST_REQUEST)).read_line(&mut line).await?;
    let request = match serde_json::from_str::<Request>(&line) {
        Ok(request) => request,
        Err(_) => {
            let sentence = String::from("the request was not understood; is this another version of postern?");
            return send(&mut write, &Answer::Failed { sentence }).await;
        }
    };
    let (told, mut telling) = mpsc::unbounded_channel();
    let progress = move |done| {
        let _ = told.send(done);
    };
    let work = async move { perform(desk, request, &progress).await };
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(done) = telling.recv() => send(&mut write, &Answer::Progress { done }).await?,
            last = &mut work => return send(&mut write, &last).await,
        }
    }
}

async fn send(write: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Asks the server at `path`. `progress` is told how far long work has come.
///
/// # Errors
/// [`CallError::NoServer`] where nobody listens, [`CallError::Broken`] where the connection ends early.
pub async fn call(path: &Path, request: &Request, progress: &(dyn Fn(u64) + Sync)) -> Result<Answer, CallError> {
    let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CallError::NoServer,
        _ => CallError::Broken(format!("{} cannot be reached: {error}", path.display())),
    })?;
    let (read, mut write) = stream.into_split();
    let broken = |error: &dyn std::fmt::Display| CallError::Broken(error.to_string());
    let mut line = serde_json::to_vec(request).map_err(|error| broken(&error))?;
    line.push(b'\n');
    write.write_all(&line).await.map_err(|error| broken(&error))?;
    let mut answers = BufReader::new(read).lines();
    while let Some(line) = answers.next_line().await.map_err(|error| broken(&error))? {
        match serde_json::from_str(&line).map_err(|error| broken(&error))? {
            Answer::Progress { done } => progress(done),
            last => return Ok(last),
        }
    }
    Err(broken(&"the connection ended"))
}
