//! Binds the addresses that the configuration names.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

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

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        assert_eq!(ports(&["127.0.0.1:0", &address]).await, Err(format!("cannot listen on '{address}'")));
    }
}
