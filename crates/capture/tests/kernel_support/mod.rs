//! What the kernel tests share: a machine check, and events collected by connection.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sylph_capture::event::{Close, DataHeader, Direction, Event};
use sylph_capture::kernel::{Config, Error, Kernel, Method};

/// A test's own copy of an event.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// Bytes.
    Data(DataHeader, Vec<u8>),
    /// The end of a connection.
    Close(Close),
    /// tgid, ppid, file name.
    Exec(u32, u32, String),
    /// tgid, ppid.
    Fork(u32, u32),
    /// tgid, code as in wait(2), short name.
    Exit(u32, u32, String),
}

/// Settings for a test whose process talks to itself.
pub(crate) fn config(method: Method) -> Config {
    Config {
        method,
        own_pid: 0,
        ring_bytes: 4 << 20,
        ..Config::default()
    }
}

/// The kernel part, or None with a printed reason on a machine that cannot run it.
pub(crate) fn start(config: &Config) -> Option<Kernel> {
    match Kernel::start(config) {
        Ok(kernel) => Some(kernel),
        Err(error @ (Error::NotPermitted { .. } | Error::NoBtf)) => {
            eprintln!("skipped, needs root and a kernel with BTF: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Drains until `enough`, for at most three seconds.
pub(crate) fn collect(
    kernel: &mut Kernel,
    wanted: impl Fn(&Seen) -> bool,
    enough: impl Fn(&[Seen]) -> bool,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        kernel.drain(&mut |event| {
            let event = match event {
                Event::Data(header, bytes) => Seen::Data(*header, bytes.to_vec()),
                Event::Close(close) => Seen::Close(*close),
                Event::Exec(e) => {
                    Seen::Exec(e.tgid, e.ppid, String::from_utf8_lossy(e.filename).into_owned())
                }
                Event::Fork(e) => Seen::Fork(e.tgid, e.ppid),
                Event::Exit(e) => {
                    Seen::Exit(e.tgid, e.exit_code, String::from_utf8_lossy(e.comm).into_owned())
                }
            };
            if wanted(&event) {
                seen.push(event);
            }
        });
        if enough(&seen) || Instant::now() > end {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The stream of one direction of one connection, as far as it was captured; holes are filled with `?`.
pub(crate) fn stream(seen: &[Seen], conn_id: u64, direction: Direction) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in seen {
        if let Seen::Data(header, data) = event
            && header.conn_id == conn_id
            && header.direction == direction
        {
            assert!(
                header.position as usize >= bytes.len(),
                "bytes come twice: {header:?}"
            );
            bytes.resize(header.position as usize, b'?');
            bytes.extend_from_slice(data);
            bytes.resize(header.position as usize + header.length as usize, b'?');
        }
    }
    bytes
}

/// Compiles `tests/progs/NAME.c`; the path of the program.
pub(crate) fn program(name: &str, flags: &[&str]) -> PathBuf {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let source = format!("{}/../../tests/progs/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let done = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-o"])
        .arg(&out)
        .arg(source)
        .args(flags)
        .output();
    let done = done.expect("a C compiler is needed, as for Rust itself");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}
