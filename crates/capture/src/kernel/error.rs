//! What can keep the programs out of the kernel, said so that someone can act on it.

use std::{fmt, fs, io};

/// Why capture could not start or go on.
#[derive(Debug)]
pub enum Error {
    /// The process lacks the rights to load programs.
    NotPermitted {
        /// What was refused.
        what: String,
    },
    /// The kernel does not describe its types.
    NoBtf,
    /// The kernel refused a program.
    Refused {
        /// Object file that holds it.
        object: String,
        /// libbpf's error.
        reason: String,
        /// Last lines of libbpf's and the verifier's log.
        log: String,
    },
    /// A BPF map could not be read, written or found.
    Map {
        /// Its name.
        name: String,
        /// libbpf's error.
        reason: String,
    },
    /// Another call failed.
    Io {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        error: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotPermitted { what } => write!(
                f,
                "{what}: not permitted. Run as root, or with the capabilities CAP_BPF, CAP_PERFMON and \
                 CAP_SYS_PTRACE; in a container use a privileged one."
            ),
            Error::NoBtf => write!(
                f,
                "no /sys/kernel/btf/vmlinux: the kernel does not describe its types. It must be built with \
                 CONFIG_DEBUG_INFO_BTF=y, as the kernels of Debian 11, Ubuntu 20.10, RHEL 8.2 and later are; \
                 in a container /sys must be mounted."
            ),
            Error::Refused { object, reason, log } => {
                write!(f, "the kernel refused {object}: {reason}")?;
                if log.is_empty() {
                    Ok(())
                } else {
                    write!(f, "\n{log}")
                }
            }
            Error::Map { name, reason } => write!(f, "BPF map {name}: {reason}"),
            Error::Io { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Error {}

const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// Names of the capabilities that loading needs and this process does not have.
pub(crate) fn missing_capabilities() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    let has = |bit: u32| effective >> bit & 1 == 1;
    if has(CAP_SYS_ADMIN) {
        return Vec::new();
    }
    [(CAP_BPF, "CAP_BPF"), (CAP_PERFMON, "CAP_PERFMON")]
        .into_iter()
        .filter_map(|(bit, name)| (!has(bit)).then_some(name))
        .collect()
}

pub(crate) const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Whether the machine allows capture as far as that is known without loading a program.
///
/// # Errors
/// When a capability or BTF is missing.
pub fn check_machine() -> Result<(), Error> {
    let missing = missing_capabilities();
    if !missing.is_empty() {
        return Err(Error::NotPermitted {
            what: format!("loading kernel programs (missing {})", missing.join(", ")),
        });
    }
    if fs::metadata(BTF).is_err() {
        return Err(Error::NoBtf);
    }
    Ok(())
}
