//! The programs on the running kernel: what a process does on the wire comes out of the ring.

mod kernel_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use kernel_support::{Seen, collect, config, start, stream};
use sylph_capture::event::{Direction, role};
use sylph_capture::kernel::Method;

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
