//! Listening, and what to do when it does not work.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::event::Event;

/// Why a port could not be listened on, and the remedy, for the admin who started Postern.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}: {cause}")]
pub struct BindError {
    what: &'static str,
    address: SocketAddr,
    cause: String,
}

/// Listens. `what` is the listener's name in `config.toml`.
///
/// # Errors
/// Names the port, the cause and the remedy.
pub async fn bind(what: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => return Err(BindError { what, address, cause: remedy(&error, address) }),
    };
    let address = listener.local_addr().unwrap_or(address).to_string();
    Event::Listening { what, address }.log();
    Ok(listener)
}

fn remedy(error: &std::io::Error, address: SocketAddr) -> String {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "port {port} is in use; `ss -ltnp 'sport = :{port}'` shows by which program. Stop that one, or choose another port in config.toml"
        ),
        ErrorKind::PermissionDenied => format!(
            "port {port} needs a privilege. Start Postern by its systemd unit (AmbientCapabilities=CAP_NET_BIND_SERVICE), \
             run `setcap cap_net_bind_service=+ep` on the program, or choose a port above 1023 in config.toml"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {}; `ip address` lists those it has, 0.0.0.0 means all", address.ip())
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fails_names_port_and_remedy() {
        let first = bind("smtp.submission", "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let taken = first.local_addr().unwrap();
        let words = bind("smtp.submission", taken).await.unwrap_err().to_string();
        for piece in ["smtp.submission", &taken.to_string(), "ss -ltnp", "config.toml"] {
            assert!(words.contains(piece), "{piece} in {words}");
        }
        let words = bind("smtp.submission", "192.0.2.1:2525".parse().unwrap()).await.unwrap_err().to_string();
        assert!(words.contains("ip address"), "{words}");
        let denied = remedy(&ErrorKind::PermissionDenied.into(), "0.0.0.0:587".parse().unwrap());
        assert!(denied.contains("setcap"), "{denied}");
    }
}
