//! Any bytes as captured HTTP/1 traffic.
#![no_main]

#[path = "../../crates/wire/tests/support/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| drive::drive(data));
