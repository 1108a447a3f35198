//! The compiled programs, and how they get into the kernel with one set of maps.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Mutex;

use libbpf_rs::{Link, MapCore, MapHandle, Object, ObjectBuilder, OpenObject, PrintLevel};

use super::{Config, Error, MAX_EVENT_BYTES, Method};

macro_rules! object {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bpf.o")),
        )
    };
}

const OBJECTS: [(&str, &[u8]); 4] = [
    object!("connection_state"),
    object!("process"),
    object!("syscall_data"),
    object!("tcp_data"),
];

/// Object files that a way needs, in the order in which they are loaded.
pub(crate) fn names(method: Method) -> [&'static str; 3] {
    [
        "process",
        "connection_state",
        if method == Method::Syscall {
            "syscall_data"
        } else {
            "tcp_data"
        },
    ]
}

/// `struct settings` of `bpf/maps.h`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings([u32; 5]);

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let event_bytes = config.event_bytes.clamp(4, MAX_EVENT_BYTES);
        Settings([
            config.own_pid,
            event_bytes,
            config.message_bytes,
            config.trace_clients.into(),
            // An end that is lost would leave its connection's losses uncounted.
            config.ring_bytes - config.ring_bytes / 8,
        ])
    }
}

impl Settings {
    fn bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

/// libbpf logs through a process-wide function without context, so what it says is kept here while loading.
static LOG: Mutex<String> = Mutex::new(String::new());
/// One load at a time: they share [`LOG`].
static LOADING: Mutex<()> = Mutex::new(());

const LOG_LINES: usize = 12;

fn keep(_: PrintLevel, text: String) {
    if let Ok(mut log) = LOG.lock() {
        log.push_str(&text);
    }
}

/// Last lines of libbpf's log, without its frame.
fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.contains("PROG LOAD LOG"))
        .collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

pub(crate) struct Loader {
    settings: Settings,
    ring_bytes: u32,
    max_connections: u32,
    maps: HashMap<String, MapHandle>,
    objects: Vec<Object>,
}

impl Loader {
    pub(crate) fn new(settings: Settings, config: &Config) -> Loader {
        Loader {
            settings,
            // The kernel wants a power of two of at least one page.
            ring_bytes: config.ring_bytes.clamp(1 << 12, 1 << 30).next_power_of_two(),
            max_connections: config.max_connections.max(1),
            maps: HashMap::new(),
            objects: Vec::new(),
        }
    }

    fn open(&self, name: &str) -> Result<OpenObject, Error> {
        let refused = |reason: String| Error::Refused {
            object: name.into(),
            reason,
            log: String::new(),
        };
        let (_, bytes) = OBJECTS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| refused("there is no such object file".into()))?;
        let mut open = ObjectBuilder::default()
            .open_memory(bytes)
            .map_err(|error| refused(error.to_string()))?;
        let cpus = libbpf_rs::num_possible_cpus().unwrap_or(1) as u32;
        for mut map in open.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            let done = match name.as_str() {
                shared if self.maps.contains_key(shared) => map.reuse_fd(self.maps[shared].as_fd()),
                "ring" => map.set_max_entries(self.ring_bytes),
                "connections" => map.set_max_entries(self.max_connections),
                "scratch" => map.set_max_entries(cpus * 2),
                ".rodata.settings" => map.set_initial_value(&self.settings.bytes()),
                _ => Ok(()),
            };
            done.map_err(|error| Error::Map {
                name,
                reason: error.to_string(),
            })?;
        }
        Ok(open)
    }

    pub(crate) fn load(&mut self, name: &str) -> Result<(), Error> {
        self.load_only(name, None)
    }

    /// Loads one object, or only one program of it.
    pub(crate) fn load_only(&mut self, name: &str, program: Option<&str>) -> Result<(), Error> {
        let mut open = self.open(name)?;
        if let Some(program) = program {
            for mut other in open.progs_mut() {
                let wanted = other.name() == program;
                other.set_autoload(wanted);
            }
        }
        let guard = LOADING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = libbpf_rs::set_print(Some((PrintLevel::Warn, keep)));
        LOG.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear();
        let loaded = open.load();
        libbpf_rs::set_print(before);
        let log = std::mem::take(&mut *LOG.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        drop(guard);
        let object = loaded.map_err(|error| match error.kind() {
            libbpf_rs::ErrorKind::PermissionDenied => Error::NotPermitted {
                what: format!("loading {name} ({})", last_lines(&log)),
            },
            _ => Error::Refused {
                object: name.into(),
                reason: error.to_string(),
                log: last_lines(&log),
            },
        })?;
        for map in object.maps() {
            let name = map.name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !self.maps.contains_key(&name) {
                let handle = MapHandle::try_from(&map).map_err(|error| Error::Map {
                    name: name.clone(),
                    reason: error.to_string(),
                })?;
                self.maps.insert(name, handle);
            }
        }
        self.objects.push(object);
        Ok(())
    }

    pub(crate) fn map(&self, name: &str) -> Result<&MapHandle, Error> {
        self.maps.get(name).ok_or_else(|| Error::Map {
            name: name.into(),
            reason: "not in any object file".into(),
        })
    }

    pub(crate) fn take_map(&mut self, name: &str) -> Result<MapHandle, Error> {
        self.maps.remove(name).ok_or_else(|| Error::Map {
            name: name.into(),
            reason: "not in any object file".into(),
        })
    }

    /// Attaches every program of every loaded object.
    pub(crate) fn attach(self) -> Result<(Vec<Link>, Vec<Object>), Error> {
        let mut links = Vec::new();
        for object in &self.objects {
            for program in object.progs_mut() {
                links.push(program.attach().map_err(|error| Error::Refused {
                    object: program.name().to_string_lossy().into_owned(),
                    reason: format!("cannot attach it: {error}"),
                    log: String::new(),
                })?);
            }
        }
        Ok((links, self.objects))
    }
}

/// Object, program, section, and whether the kernel takes it.
pub(crate) type Tried = (&'static str, String, String, Result<(), Error>);

/// Loads every program on its own, and lets it go again.
pub(crate) fn try_programs(config: &Config) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (object, bytes) in OBJECTS {
        let Ok(open) = ObjectBuilder::default().open_memory(bytes) else {
            continue;
        };
        for program in open.progs() {
            let name = program.name().to_string_lossy().into_owned();
            let mut loader = Loader::new(Settings::from(config), config);
            let result = loader.load_only(object, Some(&name));
            tried.push((
                object,
                name,
                program.section().to_string_lossy().into_owned(),
                result,
            ));
        }
    }
    tried
}
