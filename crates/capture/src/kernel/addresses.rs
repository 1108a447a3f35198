//! What user space tells the programs: the addresses of this host and the ports that were listened on before.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use super::Error;
use crate::procfs::namespaces;

const TCP_LISTEN: &str = "0A";

/// Addresses that `/proc/PID/net/fib_trie` calls local.
fn local_v4(fib_trie: &str) -> impl Iterator<Item = Ipv4Addr> + '_ {
    let mut last = None;
    fib_trie.lines().filter_map(move |line| {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("|-- ") {
            last = rest.trim().parse().ok();
            None
        } else if line.starts_with("/32 host LOCAL") {
            last
        } else {
            None
        }
    })
}

/// Addresses of `/proc/PID/net/if_inet6`: 32 hex digits, then columns of no interest.
fn local_v6(if_inet6: &str) -> impl Iterator<Item = Ipv6Addr> + '_ {
    if_inet6.lines().filter_map(|line| {
        let digits = line.split_ascii_whitespace().next()?;
        (digits.len() == 32)
            .then(|| u128::from_str_radix(digits, 16).ok())
            .flatten()
            .map(Ipv6Addr::from)
    })
}

/// Local ports in state LISTEN of `/proc/PID/net/tcp` or `tcp6`.
fn listening_ports(table: &str) -> impl Iterator<Item = u16> + '_ {
    table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let local = columns.nth(1)?;
        (columns.nth(1)? == TCP_LISTEN)
            .then(|| u16::from_str_radix(local.rsplit(':').next()?, 16).ok())
            .flatten()
    })
}

fn key_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let mut key = [0; 16];
            key[..4].copy_from_slice(&v4.octets());
            key
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn failed(name: &'static str) -> impl Fn(libbpf_rs::Error) -> Error {
    move |error| Error::Map {
        name: name.into(),
        reason: error.to_string(),
    }
}

pub(super) fn fill_local(map: &MapHandle) -> Result<(), Error> {
    let mut current = HashSet::new();
    for (pid, _) in namespaces() {
        let v4 = fs::read_to_string(format!("/proc/{pid}/net/fib_trie")).unwrap_or_default();
        let v6 = fs::read_to_string(format!("/proc/{pid}/net/if_inet6")).unwrap_or_default();
        current.extend(local_v4(&v4).map(|a| key_of(a.into())));
        current.extend(local_v6(&v6).map(|a| key_of(a.into())));
    }
    let gone: Vec<_> = map
        .keys()
        .filter(|key| !current.iter().any(|k| k[..] == key[..]))
        .collect();
    for key in gone {
        map.delete(&key).map_err(failed("local_addresses"))?;
    }
    for key in current {
        map.update(&key, &[1], MapFlags::ANY)
            .map_err(failed("local_addresses"))?;
    }
    Ok(())
}

/// How many sockets listen, by namespace and port. From then on the programs keep count.
pub(super) fn fill_listening(map: &MapHandle) -> Result<(), Error> {
    let mut sockets: HashMap<(u32, u16), u32> = HashMap::new();
    for (pid, inode) in namespaces() {
        for file in ["tcp", "tcp6"] {
            let table = fs::read_to_string(format!("/proc/{pid}/net/{file}")).unwrap_or_default();
            for port in listening_ports(&table) {
                *sockets.entry((inode, port)).or_default() += 1;
            }
        }
    }
    for ((inode, port), count) in sockets {
        let mut key = [0; 8];
        key[..4].copy_from_slice(&inode.to_ne_bytes());
        key[4..].copy_from_slice(&u32::from(port).to_ne_bytes());
        map.update(&key, &count.to_ne_bytes(), MapFlags::ANY)
            .map_err(failed("listening"))?;
    }
    Ok(())
}

/// Namespace and port of all that listens now.
pub(super) fn read_listening(map: &MapHandle) -> Vec<(u32, u16)> {
    map.keys()
        .filter_map(|key| {
            let (inode, port) = key.split_first_chunk()?;
            let port = u32::from_ne_bytes(*port.first_chunk()?);
            Some((u32::from_ne_bytes(*inode), u16::try_from(port).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fib_trie_names_each_local_address() {
        let text = "Local:\n  +-- 0.0.0.0/0 2 0 2\n     |-- 10.1.2.3\n        /32 host LOCAL\n     |-- 10.1.2.255\n        \
                    /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        let found: Vec<_> = local_v4(text).collect();
        assert_eq!(found, [Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::LOCALHOST]);
    }

    #[test]
    fn only_listening_sockets_count() {
        let text = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0:0\n   \
                    1: 0100007F:1F91 0100007F:D431 01 0:0\n";
        assert_eq!(listening_ports(text).collect::<Vec<_>>(), [8080]);
    }

    #[test]
    fn if_inet6_is_hex() {
        let text = "fe80000000000000021122fffe334455 02 40 20 80 eth0\n";
        assert_eq!(local_v6(text).next(), "fe80::211:22ff:fe33:4455".parse().ok());
    }
}
