//! The kernel side, loaded and attached.

mod addresses;
mod connections;
mod counters;
mod error;
mod objects;
mod pages;
mod ring;

use std::os::fd::AsFd;

use libbpf_rs::{Link, MapCore, MapHandle, Object};

pub use connections::ConnTotals;
pub use counters::Counters;
pub use error::{Error, check_machine};

use crate::event::{self, Event};
use objects::{Loader, Settings};
use ring::Ring;

/// What `probe` asks.
pub(crate) mod diagnose {
    pub(crate) use super::error::{BTF, missing_capabilities};
    pub(crate) use super::objects::{names, try_programs};
}

/// How bytes are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// [`Method::Tcp`] where the kernel allows it, else [`Method::Syscall`].
    Auto,
    /// TCP tracepoints (Linux 6.16): sees io_uring, sendfile and splice, gives sequence numbers.
    Tcp,
    /// `sys_exit` (Linux 5.8): bytes of read, write, send, recv and their relatives.
    Syscall,
}

impl Method {
    /// The name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Auto => "auto",
            Method::Tcp => "tcp",
            Method::Syscall => "syscall",
        }
    }
}

/// Most bytes that one event can hold.
pub const MAX_EVENT_BYTES: u32 = 30720;

/// Settings that are fixed when the programs are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Which way.
    pub method: Method,
    /// Size of the ring; rounded up to a power of two of at least one page.
    pub ring_bytes: u32,
    /// Bytes copied per event, at most [`MAX_EVENT_BYTES`].
    pub event_bytes: u32,
    /// Bytes copied per message, that is since the direction of the connection turned.
    pub message_bytes: u32,
    /// Also record the client side of connections whose server side is recorded on this host.
    pub trace_clients: bool,
    /// Process whose traffic is not recorded.
    pub own_pid: u32,
    /// Connections followed at the same time; more are counted in [`Counters::connections_full`].
    pub max_connections: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            method: Method::Auto,
            ring_bytes: 32 << 20,
            event_bytes: 16 << 10,
            message_bytes: 32 << 10,
            trace_clients: false,
            own_pid: std::process::id(),
            max_connections: 65536,
        }
    }
}

/// The programs, loaded and attached. Dropping it detaches them.
#[derive(Debug)]
pub struct Kernel {
    method: Method,
    fallback: Option<String>,
    ring: Ring,
    connections: MapHandle,
    counters: MapHandle,
    listening: MapHandle,
    local_addresses: MapHandle,
    sees_pages: bool,
    unreadable: u64,
    // Links before objects: programs are detached before their maps go.
    _links: Vec<Link>,
    _objects: Vec<Object>,
}

impl Kernel {
    /// Loads and attaches. With [`Method::Auto`], tries the tcp way first; see [`Kernel::fallback`].
    ///
    /// # Errors
    /// What is missing and what to do about it: no permission, no BTF, a program that the verifier refuses.
    pub fn start(config: &Config) -> Result<Kernel, Error> {
        error::check_machine()?;
        match config.method {
            Method::Auto => match Kernel::start_with(config, Method::Tcp) {
                Ok(kernel) => Ok(kernel),
                Err(reason) => {
                    let mut kernel = Kernel::start_with(config, Method::Syscall)?;
                    kernel.fallback = Some(reason.to_string());
                    Ok(kernel)
                }
            },
            method => Kernel::start_with(config, method),
        }
    }

    fn start_with(config: &Config, method: Method) -> Result<Kernel, Error> {
        let mut loader = Loader::new(Settings::from(config), config);
        for name in objects::names(method) {
            loader.load(name)?;
        }
        let ring = loader.map("ring")?;
        let size = ring.max_entries() as usize;
        let ring = Ring::new(ring.as_fd(), size).map_err(|error| Error::Io {
            what: "mapping the ring",
            error,
        })?;
        let mut kernel = Kernel {
            method,
            fallback: None,
            ring,
            connections: loader.take_map("connections")?,
            counters: loader.take_map("counters")?,
            listening: loader.take_map("listening")?,
            local_addresses: loader.take_map("local_addresses")?,
            sees_pages: false,
            unreadable: 0,
            _links: Vec::new(),
            _objects: Vec::new(),
        };
        // Before the first event, so that connections older than the agent get their role from it.
        kernel.refresh_addresses()?;
        addresses::fill_listening(&kernel.listening)?;
        let pages = loader.take_map("pages").ok();
        (kernel._links, kernel._objects) = loader.attach()?;
        // A refusal costs the bytes of sendfile and splice only, so it is reported, not fatal.
        kernel.sees_pages = pages.is_some_and(|map| pages::calibrate(&map).unwrap_or(false));
        Ok(kernel)
    }

    /// The way in use: never [`Method::Auto`].
    pub fn method(&self) -> Method {
        self.method
    }

    /// Why [`Method::Auto`] did not take the tcp way.
    pub fn fallback(&self) -> Option<&str> {
        self.fallback.as_deref()
    }

    /// Names of the programs in the kernel.
    pub fn programs(&self) -> Vec<String> {
        let programs = self._objects.iter().flat_map(|object| object.progs());
        programs
            .map(|program| program.name().to_string_lossy().into_owned())
            .collect()
    }

    /// Whether the bytes of sendfile and splice are seen (tcp way only), not just counted.
    pub fn sees_sendfile(&self) -> bool {
        self.sees_pages
    }

    /// Gives every event that is in the ring now to `on_event`; never waits. Returns how many.
    pub fn drain(&mut self, on_event: &mut dyn FnMut(Event<'_>)) -> usize {
        let unreadable = &mut self.unreadable;
        self.ring.drain(&mut |record| {
            if !event::read(record, on_event) {
                *unreadable += 1;
            }
        })
    }

    /// Every connection that is open now, with its totals; also those whose traffic nobody parses.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub fn connections(&self) -> Result<Vec<ConnTotals>, Error> {
        connections::read_all(&self.connections)
    }

    /// What happened since the start.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub fn counters(&self) -> Result<Counters, Error> {
        Ok(Counters {
            unreadable: self.unreadable,
            ..counters::read(&self.counters)?
        })
    }

    /// Bytes of the ring in use, and its size.
    pub fn ring_used(&self) -> (usize, usize) {
        self.ring.used()
    }

    /// Network namespace (inode) and port of every socket that listens now.
    pub fn listening(&self) -> Vec<(u32, u16)> {
        addresses::read_listening(&self.listening)
    }

    /// Reads the addresses of all network namespaces again: they decide whether a peer is on this host. Call it now and
    /// then (10 s is enough).
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn refresh_addresses(&mut self) -> Result<(), Error> {
        addresses::fill_local(&self.local_addresses)
    }
}
