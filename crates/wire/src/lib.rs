//! Protocol parsers: bytes in, records out. No operating system, no Python, no `unsafe`.
#![forbid(unsafe_code)]
