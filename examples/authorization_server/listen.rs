//! An address to listen on.

use std::{
    error::Error,
    io::ErrorKind,
    net::{SocketAddr, ToSocketAddrs as _},
};

use tokio::net::TcpListener;

use crate::setting::Setting;

pub(crate) struct Listen {
    pub(crate) setting: Setting,
    pub(crate) address: SocketAddr,
}

impl Listen {
    /// Reads `host:port`. Takes the first address of the host.
    pub(crate) fn read(setting: Setting) -> Result<Self, Box<dyn Error>> {
        let address = match setting.value().to_socket_addrs() {
            Ok(mut addresses) => addresses.next(),
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(setting.wrong(format!("{error}; expected host:port")));
            }
            Err(error) => return Err(setting.wrong(error)),
        };
        match address {
            Some(address) => Ok(Self { setting, address }),
            None => Err(setting.wrong("the host has no address")),
        }
    }

    pub(crate) async fn bind(&self) -> Result<TcpListener, Box<dyn Error>> {
        let bound = TcpListener::bind(self.address).await;
        bound.map_err(|error| self.setting.wrong(error))
    }
}
