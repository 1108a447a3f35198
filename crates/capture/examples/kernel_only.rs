//! Runs the kernel part alone and throws its events away: what `bench/capture_kernel.sh` measures.
//!
//!     kernel_only tcp|syscall SECONDS [EVENT_BYTES]

use std::time::{Duration, Instant};

use sylph_capture::event::Event;
use sylph_capture::kernel::{Config, Error, Kernel, Method};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let method = if arguments.get(1).is_some_and(|name| name == "syscall") {
        Method::Syscall
    } else {
        Method::Tcp
    };
    let seconds = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(5.0);
    let mut config = Config {
        method,
        ..Config::default()
    };
    if let Some(bytes) = arguments.get(3).and_then(|n| n.parse().ok()) {
        config.event_bytes = bytes;
    }
    let begin = Instant::now();
    let mut kernel = Kernel::start(&config)?;
    println!("started in {} ms", begin.elapsed().as_millis());
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut data, mut bytes, mut busy) = (0u64, 0u64, Duration::ZERO);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
        let begin = Instant::now();
        kernel.drain(&mut |event| {
            if let Event::Data(_, captured) = event {
                data += 1;
                bytes += captured.len() as u64;
            }
        });
        busy += begin.elapsed();
    }
    println!(
        "{data} DATA events, {bytes} bytes, drain {:.0} ns each",
        busy.as_nanos() as f64 / data.max(1) as f64
    );
    println!("{:?}", kernel.counters()?);
    Ok(())
}
