//! Addresses as text, made once per connection.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest text: an IPv6 address with an embedded IPv4 one.
const CAPACITY: usize = 46;

/// An IP address as the tables show it; IPv4-mapped IPv6 is shown as IPv4.
#[derive(Clone, Copy)]
pub struct Address {
    length: u8,
    text: [u8; CAPACITY],
}

impl Address {
    /// `family` is the code of `conn_stats.addr_family`; empty for what is not IP.
    pub fn new(family: u8, bytes: &[u8; 16]) -> Self {
        let mut address = Self {
            length: 0,
            text: [0; CAPACITY],
        };
        let v6 = Ipv6Addr::from(*bytes);
        let written = match (family, v6.to_ipv4_mapped()) {
            (1, _) => write!(
                address,
                "{}",
                Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])
            ),
            (2, Some(v4)) => write!(address, "{v4}"),
            (2, None) => write!(address, "{v6}"),
            _ => Ok(()),
        };
        debug_assert!(written.is_ok(), "an address is at most {CAPACITY} bytes");
        address
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl Write for Address {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let end = start + text.len();
        self.text
            .get_mut(start..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end as u8;
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn as_the_tables_show_them() {
        let mut v4 = [0; 16];
        v4[..4].copy_from_slice(&[10, 0, 0, 7]);
        assert_eq!(Address::new(1, &v4).as_str(), "10.0.0.7");
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[255, 255, 127, 0, 0, 1]);
        assert_eq!(Address::new(2, &mapped).as_str(), "127.0.0.1");
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(Address::new(2, &v6).as_str(), "::1");
        assert_eq!(
            Address::new(2, &[0xab; 16]).as_str(),
            "abab:abab:abab:abab:abab:abab:abab:abab"
        );
        assert_eq!(Address::new(3, &v4).as_str(), "");
    }
}
