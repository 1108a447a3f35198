//! What this machine allows, for `px doctor`.

use std::fs;

use crate::kernel::{Config, Error, Method, diagnose};

/// One program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Object file.
    pub object: &'static str,
    /// Name in it.
    pub name: String,
    /// Where it attaches.
    pub section: String,
    /// Why the kernel refuses it; None: it loads.
    pub refused: Option<String>,
}

/// The whole picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// As `uname -r`.
    pub kernel: String,
    /// The kernel describes its types.
    pub btf: bool,
    /// Capabilities that are missing.
    pub missing_capabilities: Vec<&'static str>,
    /// Every program, tried one by one. Empty when capabilities or BTF are missing.
    pub programs: Vec<Program>,
    /// The way that `auto` takes.
    pub chosen: Option<Method>,
    /// One sentence each: what does not work, why, and what to do.
    pub advice: Vec<String>,
}

/// Tries everything; leaves nothing loaded.
pub fn report() -> Report {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let btf = fs::metadata(diagnose::BTF).is_ok();
    let missing_capabilities = diagnose::missing_capabilities();
    let mut report = Report {
        kernel,
        btf,
        missing_capabilities,
        programs: Vec::new(),
        chosen: None,
        advice: Vec::new(),
    };
    if !report.missing_capabilities.is_empty() {
        let what = format!(
            "loading kernel programs (missing {})",
            report.missing_capabilities.join(", ")
        );
        report.advice.push(Error::NotPermitted { what }.to_string());
    }
    if !report.btf {
        report.advice.push(Error::NoBtf.to_string());
    }
    if !report.advice.is_empty() {
        return report;
    }
    let config = Config {
        ring_bytes: 4096,
        max_connections: 1,
        ..Config::default()
    };
    for (object, name, section, tried) in diagnose::try_programs(&config) {
        let refused = tried.err().map(|error| error.to_string());
        report.programs.push(Program {
            object,
            name,
            section,
            refused,
        });
    }
    let works = |method| {
        let needed = diagnose::names(method);
        report
            .programs
            .iter()
            .filter(|program| needed.contains(&program.object))
            .all(|p| p.refused.is_none())
    };
    let (tcp, syscall) = (works(Method::Tcp), works(Method::Syscall));
    report.chosen = if tcp {
        Some(Method::Tcp)
    } else {
        syscall.then_some(Method::Syscall)
    };
    if !tcp && syscall {
        report.advice.push(format!(
            "capture uses the syscall way: Linux {} has no usable tracepoints in TCP (they came with 6.16). Bytes moved by \
             io_uring, sendfile and splice are counted but not parsed.",
            report.kernel
        ));
    } else if !tcp {
        report.advice.push(format!(
            "capture cannot start on Linux {}: the kernel refuses programs of both ways, see the reasons above. It needs \
             5.8 or later with CONFIG_DEBUG_INFO_BTF, CONFIG_BPF_EVENTS and CONFIG_FTRACE_SYSCALLS.",
            report.kernel
        ));
    }
    report
}
