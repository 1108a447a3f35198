//! Samples of `/proc`: CPU, memory and I/O of processes, traffic of network namespaces.
//!
//! Files stay open between samples: opening `/proc/PID/stat` costs more than reading it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

/// One row of `process_stats`, without time and ASID.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessSample {
    /// Process.
    pub pid: u32,
    /// Start, in clock ticks since boot: with the pid, the identity of the process.
    pub start_ticks: u64,
    /// Cumulative.
    pub major_faults: i64,
    /// Cumulative.
    pub minor_faults: i64,
    /// Cumulative.
    pub cpu_utime_ns: i64,
    /// Cumulative.
    pub cpu_ktime_ns: i64,
    /// Now.
    pub num_threads: i64,
    /// Now.
    pub vsize_bytes: i64,
    /// Now.
    pub rss_bytes: i64,
    /// Cumulative, by system calls; 0 without the right to read `/proc/PID/io`, as the next three.
    pub rchar_bytes: i64,
    /// Cumulative, by system calls.
    pub wchar_bytes: i64,
    /// Cumulative, from storage.
    pub read_bytes: i64,
    /// Cumulative, to storage.
    pub write_bytes: i64,
    /// A thread of the kernel; it has no numbers of I/O.
    pub kernel: bool,
}

/// Traffic of all interfaces of a network namespace except loopback; the numbers are cumulative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NetworkSample {
    /// Inode of the namespace.
    pub netns: u32,
    /// A process in it.
    pub pid: u32,
    /// Received.
    pub rx_bytes: i64,
    /// Received.
    pub rx_packets: i64,
    /// Received with errors.
    pub rx_errors: i64,
    /// Dropped on receive.
    pub rx_drops: i64,
    /// Sent.
    pub tx_bytes: i64,
    /// Sent.
    pub tx_packets: i64,
    /// Failed sends.
    pub tx_errors: i64,
    /// Dropped on send.
    pub tx_drops: i64,
}

/// Flag of a kernel thread in `/proc/PID/stat` (include/linux/sched.h).
const PF_KTHREAD: i64 = 0x0020_0000;
/// Samples between two of kernel threads.
const KERNEL_EVERY: u64 = 10;

#[derive(Debug)]
struct Open {
    stat: File,
    /// None also for kernel threads, which have no numbers there.
    io: Option<File>,
    kernel: bool,
    round: u64,
}

/// Keeps what repeated samples need. One value per sampling thread.
#[derive(Debug)]
pub struct Sampler {
    open: HashMap<u32, Open>,
    /// Descriptors are a shared good: beyond this many processes, files are opened for each sample.
    max_open: usize,
    buffer: Vec<u8>,
    round: u64,
    page_bytes: i64,
    tick_ns: i64,
}

fn configured(name: i32) -> i64 {
    // SAFETY: no memory is involved.
    unsafe { libc::sysconf(name) }.max(1)
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler::new(1024)
    }
}

impl Sampler {
    /// `max_open`: processes whose two files stay open.
    pub fn new(max_open: usize) -> Sampler {
        Sampler {
            open: HashMap::new(),
            max_open,
            buffer: vec![0; 4096],
            round: 0,
            page_bytes: configured(libc::_SC_PAGESIZE),
            tick_ns: 1_000_000_000 / configured(libc::_SC_CLK_TCK),
        }
    }

    /// Every process that can be read now. Processes that end meanwhile are left out, and kernel threads in all but
    /// each tenth sample: on many hosts they are most of what `/proc` lists, and seldom what anyone asks about.
    pub fn processes(&mut self) -> Vec<ProcessSample> {
        let kernel = self.round.is_multiple_of(KERNEL_EVERY);
        self.round += 1;
        let mut samples = Vec::with_capacity(self.open.len() + 16);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|text| text.parse().ok()) else {
                continue;
            };
            if !kernel
                && let Some(open) = self.open.get_mut(&pid)
                && open.kernel
            {
                open.round = self.round;
                continue;
            }
            if let Some(sample) = self.process(pid) {
                samples.push(sample);
            }
        }
        let round = self.round;
        self.open.retain(|_, open| open.round == round);
        samples
    }

    /// One process.
    pub fn process(&mut self, pid: u32) -> Option<ProcessSample> {
        if let Some(mut open) = self.open.remove(&pid) {
            // A file of a process that has ended cannot be read, also when its number is in use again.
            if let Some(sample) = self.read(pid, &open) {
                open.round = self.round;
                self.open.insert(pid, open);
                return Some(sample);
            }
        }
        let mut open = Open {
            stat: File::open(format!("/proc/{pid}/stat")).ok()?,
            io: File::open(format!("/proc/{pid}/io")).ok(),
            kernel: false,
            round: self.round,
        };
        let sample = self.read(pid, &open)?;
        if sample.kernel {
            open.kernel = true;
            open.io = None;
        }
        if self.open.len() < self.max_open {
            self.open.insert(pid, open);
        }
        Some(sample)
    }

    fn read(&mut self, pid: u32, open: &Open) -> Option<ProcessSample> {
        let mut sample = ProcessSample {
            pid,
            ..ProcessSample::default()
        };
        let length = open.stat.read_at(&mut self.buffer, 0).ok()?;
        parse_stat(&self.buffer[..length], &mut sample)?;
        sample.cpu_utime_ns *= self.tick_ns;
        sample.cpu_ktime_ns *= self.tick_ns;
        sample.rss_bytes *= self.page_bytes;
        if let Some(io) = &open.io
            && let Ok(length) = io.read_at(&mut self.buffer, 0)
        {
            parse_io(&self.buffer[..length], &mut sample);
        }
        Some(sample)
    }
}

fn number(text: &[u8]) -> i64 {
    text.iter()
        .take_while(|c| c.is_ascii_digit())
        .fold(0i64, |n, &c| n.wrapping_mul(10).wrapping_add(i64::from(c - b'0')))
}

/// Columns of proc(5). The name in parentheses may hold anything, so counting starts behind the last `)`.
fn parse_stat(text: &[u8], sample: &mut ProcessSample) -> Option<()> {
    let after = text.iter().rposition(|&c| c == b')')? + 2;
    let mut fields = text.get(after..)?.split(|&c| c == b' ');
    let mut at = 3;
    let mut field = |number_in_manual: usize| {
        let skip = number_in_manual - at;
        at = number_in_manual + 1;
        fields.nth(skip).map(number)
    };
    sample.kernel = field(9)? & PF_KTHREAD != 0;
    sample.minor_faults = field(10)?;
    sample.major_faults = field(12)?;
    sample.cpu_utime_ns = field(14)?;
    sample.cpu_ktime_ns = field(15)?;
    sample.num_threads = field(20)?;
    sample.start_ticks = field(22)? as u64;
    sample.vsize_bytes = field(23)?;
    sample.rss_bytes = field(24)?;
    Some(())
}

fn parse_io(text: &[u8], sample: &mut ProcessSample) {
    for line in text.split(|&c| c == b'\n') {
        let Some(colon) = line.iter().position(|&c| c == b':') else {
            continue;
        };
        let value = number(line.get(colon + 2..).unwrap_or_default());
        match &line[..colon] {
            b"rchar" => sample.rchar_bytes = value,
            b"wchar" => sample.wchar_bytes = value,
            b"read_bytes" => sample.read_bytes = value,
            b"write_bytes" => sample.write_bytes = value,
            _ => {}
        }
    }
}

/// Adds up `/proc/PID/net/dev`: eight receive and eight transmit columns per interface, two lines of heading.
fn parse_net_dev(text: &str, sample: &mut NetworkSample) {
    for line in text.lines().skip(2) {
        let Some((name, columns)) = line.split_once(':') else {
            continue;
        };
        if name.trim() == "lo" {
            continue;
        }
        let mut values = [0i64; 16];
        for (value, column) in values.iter_mut().zip(columns.split_ascii_whitespace()) {
            *value = number(column.as_bytes());
        }
        sample.rx_bytes += values[0];
        sample.rx_packets += values[1];
        sample.rx_errors += values[2];
        sample.rx_drops += values[3];
        sample.tx_bytes += values[8];
        sample.tx_packets += values[9];
        sample.tx_errors += values[10];
        sample.tx_drops += values[11];
    }
}

/// One process of every network namespace that has one, with the namespace's inode.
pub fn namespaces() -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|text| text.parse().ok()) else {
            continue;
        };
        let Ok(namespace) = fs::metadata(format!("/proc/{pid}/ns/net")) else {
            continue;
        };
        let inode = namespace.ino() as u32;
        if found.iter().all(|&(_, known)| known != inode) {
            found.push((pid, inode));
        }
    }
    found
}

/// Traffic of the namespace that process `pid` is in.
pub fn network(pid: u32, netns: u32) -> Option<NetworkSample> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev")).ok()?;
    let mut sample = NetworkSample {
        netns,
        pid,
        ..NetworkSample::default()
    };
    parse_net_dev(&text, &mut sample);
    Some(sample)
}

/// Traffic of every network namespace that has a process.
pub fn networks() -> Vec<NetworkSample> {
    namespaces()
        .into_iter()
        .filter_map(|(pid, netns)| network(pid, netns))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_columns() {
        let text = b"7 (a) b (c) S 1 7 7 0 -1 4194304 11 12 13 14 15 16 17 18 20 0 3 0 99 1000 2 18446744073709551615";
        let mut sample = ProcessSample::default();
        parse_stat(text, &mut sample).unwrap();
        let wanted = ProcessSample {
            minor_faults: 11,
            major_faults: 13,
            cpu_utime_ns: 15,
            cpu_ktime_ns: 16,
            num_threads: 3,
            start_ticks: 99,
            vsize_bytes: 1000,
            rss_bytes: 2,
            ..sample
        };
        assert_eq!(sample, wanted);
    }

    #[test]
    fn cut_or_foreign_text_is_refused() {
        for text in [&b""[..], b"7 (x", b"7 (x)", b"7 (x) S 1 2", b")))"] {
            assert!(parse_stat(text, &mut ProcessSample::default()).is_none());
        }
    }

    #[test]
    fn loopback_is_left_out_of_the_sum() {
        let text = "Inter-|\n face |\n    lo: 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5\n  eth0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n  \
                    eth1: 10 20 30 40 0 0 0 0 50 60 70 80 0 0 0 0\n";
        let mut sample = NetworkSample::default();
        parse_net_dev(text, &mut sample);
        assert_eq!(
            [
                sample.rx_bytes,
                sample.rx_packets,
                sample.rx_errors,
                sample.rx_drops
            ],
            [11, 22, 33, 44]
        );
        assert_eq!(
            [
                sample.tx_bytes,
                sample.tx_packets,
                sample.tx_errors,
                sample.tx_drops
            ],
            [55, 66, 77, 88]
        );
    }

    #[test]
    fn this_process_is_sampled_as_it_is() {
        let mut sampler = Sampler::default();
        let first = sampler.process(std::process::id()).unwrap();
        assert!(first.rss_bytes > 100_000 && first.vsize_bytes > first.rss_bytes && first.num_threads >= 1);
        let junk = fs::read("/proc/kallsyms")
            .or_else(|_| fs::read("/proc/cpuinfo"))
            .unwrap();
        let second = sampler.process(std::process::id()).unwrap();
        assert!(second.rchar_bytes >= first.rchar_bytes + junk.len() as i64);
        assert_eq!(first.start_ticks, second.start_ticks);
    }

    #[test]
    fn a_process_that_ends_is_forgotten() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut sampler = Sampler::default();
        assert!(sampler.processes().iter().any(|sample| sample.pid == child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!sampler.processes().iter().any(|sample| sample.pid == child.id()));
        assert!(!sampler.open.contains_key(&child.id()));
        assert!(sampler.process(child.id()).is_none());
    }

    #[test]
    fn this_namespace_is_among_the_networks() {
        let inode = fs::metadata("/proc/self/ns/net").unwrap().ino() as u32;
        assert!(networks().iter().any(|sample| sample.netns == inode));
    }

    #[test]
    fn kernel_threads_are_sampled_less_often() {
        let mut sampler = Sampler::default();
        let own = std::process::id();
        let seen: Vec<Vec<ProcessSample>> = (0..=KERNEL_EVERY).map(|_| sampler.processes()).collect();
        assert!(
            seen.iter()
                .all(|samples| samples.iter().any(|s| s.pid == own && !s.kernel))
        );
        // Those there from the start: the kernel may begin more at any time, which are sampled once at once.
        let first: Vec<u32> = (seen[0].iter().filter(|s| s.kernel)).map(|s| s.pid).collect();
        if first.is_empty() {
            eprintln!("skipped in part: no kernel threads are visible here");
            return;
        }
        let with: Vec<usize> = (0..seen.len())
            .filter(|&at| seen[at].iter().any(|s| first.contains(&s.pid)))
            .collect();
        assert_eq!(with, [0, KERNEL_EVERY as usize]);
    }
}
