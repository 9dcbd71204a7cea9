//! Where to send to, in the forms that programs write it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

/// An address and a port; hosts of the simulation can be named: `("server", 9000)`, `"server:9000"`.
pub trait Address {
    /// The address.
    ///
    /// # Errors
    ///
    /// If the text is none.
    fn resolve(&self) -> io::Result<SocketAddr>;
}

impl Address for SocketAddr {
    fn resolve(&self) -> io::Result<SocketAddr> {
        Ok(*self)
    }
}

impl Address for SocketAddrV4 {
    fn resolve(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::V4(*self))
    }
}

impl Address for (IpAddr, u16) {
    fn resolve(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl Address for (Ipv4Addr, u16) {
    fn resolve(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl Address for (&str, u16) {
    fn resolve(&self) -> io::Result<SocketAddr> {
        Ok((::turmoil::lookup(self.0), self.1).into())
    }
}

impl Address for &str {
    fn resolve(&self) -> io::Result<SocketAddr> {
        let parts = self.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let not_one = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{self}` is not HOST:PORT"));
        parts.ok_or_else(not_one)?.resolve()
    }
}

impl Address for String {
    fn resolve(&self) -> io::Result<SocketAddr> {
        self.as_str().resolve()
    }
}
