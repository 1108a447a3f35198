//! Each kind of traffic of `tests/progs/traffic.c`, on both capture ways: every byte once, totals exact.

mod kernel_support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use kernel_support::{Seen, collect, config, program, start, stream};
use sylph_capture::event::{DataHeader, Direction, flag, role};
use sylph_capture::kernel::{Kernel, Method};

const REQUEST: &[u8] = b"POST /traffic HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world";

struct Run {
    seen: Vec<Seen>,
    sent: u64,
    received: u64,
    headers: Vec<DataHeader>,
}

impl Run {
    fn of(kernel: &mut Kernel, command: &mut Command, connections: usize) -> Run {
        let out = command
            .stderr(Stdio::inherit())
            .output()
            .expect("the tester runs");
        assert!(out.status.success(), "{command:?}: {:?}", out.status);
        let text = String::from_utf8(out.stdout).unwrap();
        let numbers: Vec<u64> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let [port, sent, received] = numbers[..] else {
            panic!("{command:?}: {text}")
        };
        let ours = |h: &DataHeader| u64::from(h.local_port) == port || u64::from(h.remote_port) == port;
        let seen = collect(
            kernel,
            |e| match e {
                Seen::Data(h, _) => ours(h),
                Seen::Close(c) => ours(&c.conn),
                _ => false,
            },
            |seen| seen.iter().filter(|e| matches!(e, Seen::Close(_))).count() == 2 * connections,
        );
        let headers = seen
            .iter()
            .filter_map(|e| if let Seen::Data(h, _) = e { Some(*h) } else { None })
            .collect();
        Run {
            seen,
            sent,
            received,
            headers,
        }
    }

    /// What every case has in common: only the server side is recorded, and both sides' totals are exact.
    fn check(&self, name: &str, connections: u64) {
        assert!(!self.headers.is_empty(), "{name}: nothing recorded");
        for h in &self.headers {
            assert_eq!((h.role, h.protocol), (role::SERVER, 1), "{name}: {h:?}");
            assert!(h.start_ns > 0 && h.tgid > 0 && h.netns > 0, "{name}: {h:?}");
        }
        for event in &self.seen {
            if let Seen::Close(c) = event {
                assert_eq!((c.lost, c.exchanges), (0, 2), "{name}: {c:?}");
            }
        }
        assert_eq!(
            self.totals(),
            [[self.received, self.sent], [self.sent, self.received]],
            "{name}: totals"
        );
        let mut ids: Vec<_> = self.headers.iter().map(|h| h.conn_id).collect();
        ids.dedup();
        assert_eq!(ids.len() as u64, connections, "{name}: one id per connection");
    }

    /// Bytes sent and received: of the client side, of the server side.
    fn totals(&self) -> [[u64; 2]; 2] {
        let mut totals = [[0; 2]; 2];
        for event in &self.seen {
            if let Seen::Close(c) = event {
                let side = &mut totals[usize::from(c.conn.role == role::SERVER)];
                side[0] += c.bytes_sent;
                side[1] += c.bytes_received;
            }
        }
        totals
    }

    fn streams(&self) -> (Vec<u8>, Vec<u8>) {
        let id = self.headers[0].conn_id;
        (
            stream(&self.seen, id, Direction::Recv),
            stream(&self.seen, id, Direction::Send),
        )
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn all_calls(method: Method, tester: &Path) {
    let Some(mut kernel) = start(&config(method)) else {
        return;
    };
    let names = "read-write send-recv sendto-recvfrom writev-readv sendmsg-recvmsg sendmmsg-recvmmsg sendfile splice peek \
                 bytes dup fork half-close reset short io_uring sqpoll";
    for name in names
        .split_whitespace()
        .filter(|&name| !uring(name) || has_uring())
    {
        for family in ["4", "6", "mapped"] {
            let run = Run::of(&mut kernel, Command::new(tester).args([name, family]), 1);
            if uring(name) && method == Method::Syscall {
                assert_eq!(
                    run.totals(),
                    [[run.received, run.sent], [run.sent, run.received]],
                    "counted, not seen"
                );
                continue;
            }
            run.check(name, 1);
            assert!(
                run.headers
                    .iter()
                    .all(|h| h.family == if family == "6" { 2 } else { 1 }),
                "{name} {family}"
            );
            if family != "6" {
                assert_eq!(run.headers[0].remote_addr[..5], [127, 0, 0, 1, 0]);
            }
            let (requests, responses) = run.streams();
            let unseen = method == Method::Syscall && matches!(name, "sendfile" | "splice");
            assert_eq!(text(&requests), text(&REQUEST.repeat(3)), "{name} {family}");
            let expected = if unseen {
                vec![b'?'; RESPONSE.len() * 3]
            } else {
                RESPONSE.repeat(3)
            };
            assert_eq!(text(&responses), text(&expected), "{name} {family}");
        }
    }
}

fn uring(name: &str) -> bool {
    matches!(name, "io_uring" | "sqpoll")
}

fn has_uring() -> bool {
    let found = Path::new("/usr/include/liburing.h").exists();
    if !found {
        eprintln!("io_uring not tested: needs liburing-dev");
    }
    found
}

fn tester() -> PathBuf {
    static TESTER: LazyLock<PathBuf> = LazyLock::new(|| {
        program(
            "traffic",
            if has_uring() {
                &["-DWITH_URING", "-luring"]
            } else {
                &[]
            },
        )
    });
    TESTER.clone()
}

#[test]
fn calls_tcp_way() {
    all_calls(Method::Tcp, &tester());
}

#[test]
fn calls_syscall_way() {
    all_calls(Method::Syscall, &tester());
}

#[test]
fn a_descriptor_number_in_use_again_is_another_connection() {
    let tester = tester();
    for method in [Method::Tcp, Method::Syscall] {
        let Some(mut kernel) = start(&config(method)) else {
            return;
        };
        let run = Run::of(&mut kernel, Command::new(&tester).arg("reuse"), 2);
        run.check("reuse", 2);
        let (requests, responses) = run.streams();
        assert_eq!((requests, responses), (REQUEST.repeat(3), RESPONSE.repeat(3)));
    }
}

#[test]
fn a_body_over_the_cap_does_not_lose_the_next_message() {
    let tester = tester();
    for method in [Method::Tcp, Method::Syscall] {
        let Some(mut kernel) = start(&config(method)) else {
            return;
        };
        let run = Run::of(&mut kernel, Command::new(&tester).arg("large"), 1);
        run.check("large", 1);
        let (requests, responses) = run.streams();
        assert_eq!(text(&requests), text(&REQUEST.repeat(3)));
        assert_eq!(responses.len() as u64, run.sent);
        let (head, rest) = responses.split_at(RESPONSE.len());
        assert_eq!(text(head), text(RESPONSE));
        assert!(rest.starts_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\nxxxx"));
        assert!(rest.ends_with(RESPONSE), "the message after the large one");
        let captured: u64 = run.headers.iter().map(|h| u64::from(h.captured)).sum();
        assert!(captured < 40_000, "{captured} bytes captured");
        let sent = run.headers.iter().filter(|h| h.direction == Direction::Send);
        let mut end = 0;
        for header in sent {
            assert_eq!(header.position, end, "every byte is in the length of an event");
            end += u64::from(header.length);
            if header.flags & flag::CAPPED != 0 {
                assert_eq!(header.captured, 0);
            }
        }
        assert_eq!(end, run.sent, "{:?}", run.headers);
    }
}

#[test]
fn a_connection_older_than_the_agent_is_known_at_its_next_request() {
    let tester = tester();
    for method in [Method::Tcp, Method::Syscall] {
        let mut child = Command::new(&tester)
            .arg("old")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let Some(mut kernel) = start(&config(method)) else {
            let _ = child.kill();
            let _ = child.wait();
            return;
        };
        use std::io::Write;
        child.stdin.take().unwrap().write_all(b"x").unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success());
        let port: u16 = text(&out.stdout)
            .split_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let seen = collect(
            &mut kernel,
            |e| matches!(e, Seen::Data(h, _) if h.local_port == port || h.remote_port == port),
            |seen| seen.len() == 4,
        );
        let headers: Vec<_> = seen
            .iter()
            .filter_map(|e| if let Seen::Data(h, _) = e { Some(h) } else { None })
            .collect();
        assert_eq!(headers.len(), 4);
        assert!(
            headers
                .iter()
                .all(|h| h.flags == flag::MIDSTREAM && h.role == role::SERVER)
        );
        let id = headers[0].conn_id;
        assert_eq!(
            text(&stream(&seen, id, Direction::Recv)),
            text(&REQUEST.repeat(2))
        );
        assert_eq!(
            text(&stream(&seen, id, Direction::Send)),
            text(&RESPONSE.repeat(2))
        );
    }
}
