//! Binds the addresses that the configuration names, or takes the sockets that systemd bound.

use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr};

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::config::ListenAddress;

/// An address that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on '{address}'")]
pub struct ListenError {
    address: ListenAddress,
    source: io::Error,
}

/// Listens on every address; on none when one of them cannot be had.
pub async fn listen(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = bind(address).await;
        listeners.push(listener.map_err(|source| ListenError { address: address.clone(), source })?);
    }
    Ok(listeners)
}

/// A socket of systemd's that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InheritError {
    /// There is none.
    #[error(
        "systemd handed over no socket; start pushgate by a .socket unit, or leave [web] systemd_socket out"
    )]
    Nothing,
    /// It is not one that a client can connect to.
    #[error(
        "socket {number} of systemd cannot be used; a .socket unit for pushgate has lines such as 'ListenStream=9091'"
    )]
    NoTcp {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        source: io::Error,
    },
}

/// Takes the sockets that systemd hands over (`LISTEN_FDS`). It can be done once, and before there are threads:
/// the variables are removed, so that no child takes them for its own.
pub fn inherit() -> Result<Vec<net::TcpListener>, InheritError> {
    take_all(ListenFd::from_env())
}

fn take_all(mut sockets: ListenFd) -> Result<Vec<net::TcpListener>, InheritError> {
    let mut listeners = Vec::with_capacity(sockets.len());
    for index in 0..sockets.len() {
        let no_tcp = |source| InheritError::NoTcp { number: index + 1, source };
        let listener = sockets.take_tcp_listener(index).map_err(no_tcp)?;
        if let Some(listener) = listener {
            listener.set_nonblocking(true).map_err(no_tcp)?;
            listeners.push(listener);
        }
    }
    if listeners.is_empty() { Err(InheritError::Nothing) } else { Ok(listeners) }
}

async fn bind(address: &ListenAddress) -> io::Result<TcpListener> {
    let port = address.port();
    if !address.host().is_empty() {
        return TcpListener::bind((address.host(), port)).await;
    }
    // An IPv6 socket takes IPv4 connections as well, but there are machines without IPv6.
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ports(addresses: &[&str]) -> Result<Vec<u16>, String> {
        let addresses: Vec<ListenAddress> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        match listen(&addresses).await {
            Ok(listeners) => Ok(listeners.iter().map(|bound| bound.local_addr().unwrap().port()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[tokio::test]
    async fn every_address_gets_a_listener() {
        let ports = ports(&["127.0.0.1:0", "localhost:0", ":0"]).await.unwrap();
        assert_eq!(ports.len(), 3);
        assert!(ports.iter().all(|port| *port != 0));
    }

    #[test]
    fn without_a_socket_there_is_nothing_to_inherit() {
        let error = take_all(ListenFd::empty()).unwrap_err().to_string();
        assert!(error.starts_with("systemd handed over no socket; "), "{error}");
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        assert_eq!(ports(&["127.0.0.1:0", &address]).await, Err(format!("cannot listen on '{address}'")));
    }
}
