//! Ranges of addresses.

use std::net::IpAddr;

/// Ranges of a JSON array of CIDRs.
#[derive(Debug, Default)]
pub struct Ranges(Vec<(u128, u128)>);

/// An address as 128 bits; IPv4 as its mapped IPv6 address.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn range(cidr: &str) -> Option<(u128, u128)> {
    let (address, length) = cidr.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    let (width, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
    if length > width {
        return None;
    }
    let mask = u128::MAX.checked_shl(128 - length - offset).unwrap_or(0);
    Some((bits(address) & mask, mask))
}

impl Ranges {
    /// Ranges of the array; none when it is no JSON array of strings or when any of them is no CIDR.
    pub fn parse(json: &str) -> Self {
        let cidrs: Vec<String> = serde_json::from_str(json).unwrap_or_default();
        Self(
            cidrs
                .iter()
                .map(|cidr| range(cidr))
                .collect::<Option<_>>()
                .unwrap_or_default(),
        )
    }

    /// Whether the address, as text, lies in any range.
    pub fn contain(&self, ip: &str) -> bool {
        let Ok(address) = ip.parse::<IpAddr>() else {
            return false;
        };
        let address = bits(address);
        self.0.iter().any(|(network, mask)| address & mask == *network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership() {
        let ranges = Ranges::parse(r#"["10.0.0.0/8", "192.168.1.7/32", "fd00::/8"]"#);
        for ip in ["10.255.0.1", "192.168.1.7", "fd12::1", "::ffff:10.0.0.1"] {
            assert!(ranges.contain(ip), "{ip}");
        }
        for ip in ["11.0.0.1", "192.168.1.8", "fe80::1", "", "10.0.0", "x"] {
            assert!(!ranges.contain(ip), "{ip}");
        }
        assert!(Ranges::parse(r#"["0.0.0.0/0"]"#).contain("1.2.3.4"));
        assert!(!Ranges::parse(r#"["0.0.0.0/0"]"#).contain("::1"));
        assert!(Ranges::parse(r#"["::/0"]"#).contain("::1"));
        for bad in ["", "{}", "[1]", r#"["10.0.0.0/33"]"#, r#"["10.0.0.0/8", "x"]"#] {
            assert!(!Ranges::parse(bad).contain("10.0.0.1"), "{bad}");
        }
    }
}
