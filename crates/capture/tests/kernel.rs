//! The programs on the running kernel: what a process does on the wire comes out of the ring.

mod kernel_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;

use kernel_support::{Seen, collect, config, start, stream};
use sylph_capture::event::{Direction, role};
use sylph_capture::kernel::{Config, Method};

const REQUEST: &[u8] = b"GET /a HTTP/1.1\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_keep_alive_connection_is_recorded_on_the_server_side_only() {
    let Some(mut kernel) = start(&config(Method::Tcp)) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut buffer = [0; 64];
    for _ in 0..3 {
        client.write_all(REQUEST).unwrap();
        server.read_exact(&mut buffer[..REQUEST.len()]).unwrap();
        server.write_all(RESPONSE).unwrap();
        client.read_exact(&mut buffer[..RESPONSE.len()]).unwrap();
    }
    let open = kernel.connections().unwrap();
    let sides: Vec<_> = open
        .iter()
        .filter(|c| c.local_port == port || c.remote_port == port)
        .collect();
    assert_eq!(sides.len(), 2);
    for side in sides {
        let (sent, received) = if side.role == role::SERVER {
            (RESPONSE, REQUEST)
        } else {
            (REQUEST, RESPONSE)
        };
        assert_eq!(side.tgid, std::process::id());
        assert_eq!(
            (side.bytes_sent, side.bytes_received),
            (3 * sent.len() as u64, 3 * received.len() as u64)
        );
        assert_eq!((side.protocol, side.exchanges), (1, 2));
    }
    drop((client, server));

    let seen = collect(
        &mut kernel,
        |e| matches!(e, Seen::Data(h, _) | Seen::Close(sylph_capture::event::Close { conn: h, .. }) if h.local_port == port || h.remote_port == port),
        |seen| seen.iter().filter(|e| matches!(e, Seen::Close(_))).count() == 2,
    );
    let data: Vec<_> = seen
        .iter()
        .filter_map(|e| if let Seen::Data(h, _) = e { Some(h) } else { None })
        .collect();
    assert_eq!(
        data.iter().map(|h| h.exchange).collect::<Vec<_>>(),
        [0, 0, 1, 1, 2, 2]
    );
    assert!(
        data.iter()
            .all(|h| h.role == role::SERVER && h.local_port == port && h.flags == 0)
    );
    assert!(data.windows(2).all(|pair| pair[0].time_ns <= pair[1].time_ns));
    assert_eq!(stream(&seen, data[0].conn_id, Direction::Recv), REQUEST.repeat(3));
    assert_eq!(
        stream(&seen, data[0].conn_id, Direction::Send),
        RESPONSE.repeat(3)
    );
    let closes: Vec<_> = seen
        .iter()
        .filter_map(|e| if let Seen::Close(c) = e { Some(c) } else { None })
        .collect();
    let server = closes
        .iter()
        .find(|c| c.conn.role == role::SERVER)
        .expect("the server side closed");
    assert_eq!(server.bytes_sent, 3 * RESPONSE.len() as u64);
    assert_eq!(server.bytes_received, 3 * REQUEST.len() as u64);
    assert_eq!(server.conn.conn_id, data[0].conn_id);
}

/// Every program of every object file passes the verifier of this kernel.
#[test]
fn every_program_loads() {
    let report = sylph_capture::probe::report();
    if report.programs.is_empty() {
        eprintln!("skipped, needs root and a kernel with BTF: {:?}", report.advice);
        return;
    }
    assert_eq!(report.programs.len(), 8);
    let tracepoints = report.chosen == Some(Method::Tcp);
    for program in &report.programs {
        let optional = program.object == "tcp_data" && !tracepoints;
        assert!(optional || program.refused.is_none(), "{program:?}");
    }
}

fn both(test: impl Fn(Method)) {
    for method in [Method::Tcp, Method::Syscall] {
        test(method);
    }
}

#[test]
fn processes_are_seen_however_short() {
    let Some(mut kernel) = start(&config(Method::Tcp)) else {
        return;
    };
    let mut child = Command::new("/bin/sh").args(["-c", "exit 7"]).spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    let mut killed = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let killed_pid = killed.id();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let ours = |p: u32| p == pid || p == killed_pid;
    let seen = collect(
        &mut kernel,
        |e| matches!(e, Seen::Exec(p, ..) | Seen::Fork(p, _) | Seen::Exit(p, ..) if ours(*p)),
        |seen| seen.iter().filter(|e| matches!(e, Seen::Exit(..))).count() == 2,
    );
    let me = std::process::id();
    assert!(
        seen.iter()
            .any(|e| matches!(e, Seen::Fork(p, parent) if *p == pid && *parent == me))
    );
    assert!(
        seen.iter()
            .any(|e| matches!(e, Seen::Exec(p, _, file) if *p == pid && file == "/bin/sh"))
    );
    assert!(
        seen.iter()
            .any(|e| matches!(e, Seen::Exit(p, code, name) if *p == pid && *code == 7 << 8 && name == "sh"))
    );
    assert!(
        seen.iter()
            .any(|e| matches!(e, Seen::Exit(p, code, _) if *p == killed_pid && *code == 9))
    );
    assert_eq!(
        seen.iter().filter(|e| matches!(e, Seen::Exit(..))).count(),
        2,
        "one exit each"
    );
}

#[test]
fn unix_sockets_are_counted_and_not_parsed() {
    both(|method| {
        let Some(mut kernel) = start(&config(method)) else {
            return;
        };
        let before = kernel.counters().unwrap();
        let (mut a, mut b) = UnixStream::pair().unwrap();
        let mut buffer = [0; 64];
        for _ in 0..100 {
            a.write_all(REQUEST).unwrap();
            b.read_exact(&mut buffer[..REQUEST.len()]).unwrap();
        }
        let after = kernel.counters().unwrap();
        assert!(after.unix_messages - before.unix_messages >= 100);
        assert!(after.unix_bytes - before.unix_bytes >= 100 * REQUEST.len() as u64);
        let me = std::process::id();
        let seen = collect(
            &mut kernel,
            |e| matches!(e, Seen::Data(h, _) if h.tgid == me && h.family != 1),
            |_| true,
        );
        assert!(seen.is_empty(), "{seen:?}");
    });
}

/// A client and a server in this process; sends `requests` before the server answers each of them.
fn exchange(requests: &[u8], turns: usize, answers: &[&[u8]]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut buffer = vec![0; 4096];
    for _ in 0..turns {
        client.write_all(requests).unwrap();
        server.read_exact(&mut buffer[..requests.len()]).unwrap();
        for answer in answers {
            server.write_all(answer).unwrap();
            client.read_exact(&mut buffer[..answer.len()]).unwrap();
        }
    }
    port
}

fn of_port(e: &Seen, port: u16) -> bool {
    match e {
        Seen::Data(h, _) => h.local_port == port || h.remote_port == port,
        Seen::Close(c) => c.conn.local_port == port || c.conn.remote_port == port,
        _ => false,
    }
}

fn closed(seen: &[Seen]) -> bool {
    seen.iter().filter(|e| matches!(e, Seen::Close(_))).count() == 2
}

#[test]
fn clients_are_recorded_when_asked_for() {
    both(|method| {
        let Some(mut kernel) = start(&Config {
            trace_clients: true,
            ..config(method)
        }) else {
            return;
        };
        let port = exchange(REQUEST, 2, &[RESPONSE]);
        let seen = collect(&mut kernel, |e| of_port(e, port), closed);
        let sides = |wanted| {
            seen.iter()
                .filter(|e| matches!(e, Seen::Data(h, _) if h.role == wanted))
                .count()
        };
        assert_eq!((sides(role::CLIENT), sides(role::SERVER)), (4, 4));
    });
}

#[test]
fn own_traffic_is_not_recorded() {
    both(|method| {
        let Some(mut kernel) = start(&Config {
            own_pid: std::process::id(),
            ..config(method)
        }) else {
            return;
        };
        let port = exchange(REQUEST, 2, &[RESPONSE]);
        let seen = collect(&mut kernel, |e| of_port(e, port), |_| true);
        assert!(seen.is_empty(), "{seen:?}");
    });
}

#[test]
fn a_pipelined_message_after_one_over_its_cap_is_recorded() {
    both(|method| {
        let small = Config {
            event_bytes: 64,
            message_bytes: 64,
            ..config(method)
        };
        let Some(mut kernel) = start(&small) else { return };
        let port = exchange(REQUEST, 1, &[RESPONSE; 10]); // ten answers without a turn: far over 64 bytes
        let seen = collect(&mut kernel, |e| of_port(e, port), closed);
        let data = seen.iter().find_map(|e| {
            if let Seen::Data(h, _) = e {
                Some(h.conn_id)
            } else {
                None
            }
        });
        assert_eq!(stream(&seen, data.unwrap(), Direction::Send), RESPONSE.repeat(10));
    });
}

#[test]
fn what_finds_the_ring_full_is_counted_exactly() {
    both(|method| {
        let Some(mut kernel) = start(&Config {
            ring_bytes: 4096,
            ..config(method)
        }) else {
            return;
        };
        let turns = 500;
        let port = exchange(REQUEST, turns, &[RESPONSE]);
        let open = kernel.connections().unwrap();
        assert!(open.iter().all(|c| c.local_port != port), "closed by now");
        let counters = kernel.counters().unwrap();
        let seen = collect(&mut kernel, |e| of_port(e, port), |_| true);
        let data = seen.iter().filter(|e| matches!(e, Seen::Data(..))).count() as u64;
        assert!(counters.ring_full > 0, "{counters:?}");
        // Other processes of the machine may have lost events as well; the end of ours says what it lost.
        let lost: u64 = seen
            .iter()
            .filter_map(|e| match e {
                Seen::Close(close) => Some(u64::from(close.lost)),
                _ => None,
            })
            .sum();
        assert!(lost > 0, "{data} {counters:?}");
        assert_eq!(data + lost, 2 * turns as u64, "{data} {counters:?}");
    });
}

#[test]
fn traffic_that_nobody_parses_is_counted() {
    both(|method| {
        let Some(mut kernel) = start(&config(method)) else {
            return;
        };
        let binary = [0xfeu8; 1000];
        let port = exchange(&binary, 20, &[&binary[..26]]);
        let seen = collect(&mut kernel, |e| of_port(e, port), closed);
        assert!(seen.iter().all(|e| !matches!(e, Seen::Data(..))));
        for event in &seen {
            if let Seen::Close(c) = event {
                let (sent, received) = if c.conn.role == role::SERVER {
                    (26, 1000)
                } else {
                    (1000, 26)
                };
                assert_eq!((c.bytes_sent, c.bytes_received), (20 * sent, 20 * received));
            }
        }
    });
}

#[test]
fn errors_say_what_to_do() {
    let error = sylph_capture::kernel::Error::NotPermitted {
        what: "loading".into(),
    };
    assert!(error.to_string().contains("CAP_BPF"));
    assert!(
        sylph_capture::kernel::Error::NoBtf
            .to_string()
            .contains("CONFIG_DEBUG_INFO_BTF")
    );
}

/// Several sockets may listen on one port, and a port that the kernel chose is given back before the socket is gone.
#[test]
fn a_port_listens_until_its_last_socket_is_closed() {
    let before = TcpListener::bind("127.0.0.1:0").unwrap();
    let known = before.local_addr().unwrap().port();
    let Some(kernel) = start(&config(Method::Tcp)) else {
        return;
    };
    use std::os::unix::fs::MetadataExt;
    let ours = std::fs::metadata("/proc/self/ns/net").unwrap().ino() as u32;
    let listens = |port: u16| kernel.listening().contains(&(ours, port));
    assert!(listens(known));
    let second = TcpListener::bind(("127.0.0.2", known)).unwrap();
    drop(before);
    assert!(listens(known), "127.0.0.2 still listens");
    drop(second);
    assert!(!listens(known));
    let chosen = TcpListener::bind("[::1]:0").unwrap();
    let port = chosen.local_addr().unwrap().port();
    assert!(listens(port));
    drop(chosen);
    assert!(!listens(port));
}

/// A container's view: a server in its own namespace is recorded once, with that namespace's address.
#[test]
fn network_namespaces_are_told_apart() {
    let name = format!("sylph{}", std::process::id());
    let id = std::process::id() % 200;
    let (outside, inside) = (format!("10.213.{id}.1"), format!("10.213.{id}.2"));
    let run = |line: &str| {
        Command::new("ip")
            .args(line.split(' '))
            .status()
            .is_ok_and(|status| status.success())
    };
    if !run(&format!("netns add {name}")) {
        eprintln!("skipped, needs root and iproute2 to make a network namespace");
        return;
    }
    let setup = [
        format!("link add {name} type veth peer name eth0 netns {name}"),
        format!("addr add {outside}/24 dev {name}"),
        format!("link set {name} up"),
        format!("-n {name} addr add {inside}/24 dev eth0"),
        format!("-n {name} link set eth0 up"),
        format!("-n {name} link set lo up"),
    ];
    let ready = setup.iter().all(|line| run(line));
    let server = "import socket,sys\ns=socket.create_server((sys.argv[1],0))\nprint(s.getsockname()[1],flush=True)\n\
                  c,_=s.accept()\nc.recv(99)\nc.sendall(b'HTTP/1.1 204 No Content\\r\\n\\r\\n')\nc.recv(9)\n";
    let result = std::panic::catch_unwind(|| {
        assert!(ready, "setting up the namespace");
        let mut child = Command::new("ip")
            .args(["netns", "exec", &name, "python3", "-c", server, &inside])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(child.stdout.as_mut().unwrap()),
            &mut port,
        )
        .unwrap();
        let port: u16 = port.trim().parse().unwrap();
        if let Some(mut kernel) = start(&config(Method::Tcp)) {
            let mut client = TcpStream::connect((inside.as_str(), port)).unwrap();
            client.write_all(REQUEST).unwrap();
            client.read_exact(&mut [0; RESPONSE.len()]).unwrap();
            drop(client);
            let seen = collect(&mut kernel, |e| of_port(e, port), closed);
            let headers: Vec<_> = seen
                .iter()
                .filter_map(|e| if let Seen::Data(h, _) = e { Some(h) } else { None })
                .collect();
            assert_eq!(headers.len(), 2, "the server side only");
            let octet = u8::try_from(id).unwrap();
            assert_eq!(headers[0].local_addr[..4], [10, 213, octet, 2]);
            assert_eq!(headers[0].remote_addr[..4], [10, 213, octet, 1]);
            use std::os::unix::fs::MetadataExt;
            let ours = std::fs::metadata("/proc/self/ns/net").unwrap().ino() as u32;
            assert_ne!(headers[0].netns, ours);
        }
        child.wait().unwrap();
    });
    run(&format!("netns del {name}"));
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}
