//! The consumer side of a BPF ring buffer.
//!
//! libbpf's own consumer calls back through C once per record with a context fixed at creation; this one borrows the
//! caller's closure per drain and hands out slices of the ring itself.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
const RECORD_HEADER: usize = 8;
/// Bytes after which producers are told that room is free again.
const RELEASE_EVERY: u64 = 64 << 10;

#[derive(Debug)]
pub(super) struct Ring {
    /// One writable page that holds the consumer's position.
    consumer: *mut libc::c_void,
    /// One page that holds the producers' position, then the data, mapped twice so that no record wraps.
    producer: *mut libc::c_void,
    page: usize,
    size: usize,
}

// SAFETY: the mappings belong to this value alone; the positions are only touched atomically.
unsafe impl Send for Ring {}

fn map(fd: BorrowedFd<'_>, length: usize, protection: i32, offset: usize) -> io::Result<*mut libc::c_void> {
    // SAFETY: a new mapping at an address that the kernel chooses.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length,
            protection,
            libc::MAP_SHARED,
            fd.as_raw_fd(),
            offset as i64,
        )
    };
    if address == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(address)
    }
}

impl Ring {
    pub(super) fn new(fd: BorrowedFd<'_>, size: usize) -> io::Result<Ring> {
        // SAFETY: no memory is involved.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let consumer = map(fd, page, libc::PROT_READ | libc::PROT_WRITE, 0)?;
        match map(fd, page + 2 * size, libc::PROT_READ, page) {
            Ok(producer) => Ok(Ring {
                consumer,
                producer,
                page,
                size,
            }),
            Err(error) => {
                // SAFETY: mapped above with this length, and not used any more.
                unsafe { libc::munmap(consumer, page) };
                Err(error)
            }
        }
    }

    fn consumed(&self) -> &AtomicU64 {
        // SAFETY: the page is mapped as long as `self`, aligned, and shared with the kernel only through atomics.
        unsafe { &*self.consumer.cast::<AtomicU64>() }
    }

    fn produced(&self) -> &AtomicU64 {
        // SAFETY: as above; this page is only read.
        unsafe { &*self.producer.cast::<AtomicU64>() }
    }

    /// Bytes in use, and size.
    pub(super) fn used(&self) -> (usize, usize) {
        let consumed = self.consumed().load(Ordering::Relaxed);
        (
            (self.produced().load(Ordering::Relaxed) - consumed) as usize,
            self.size,
        )
    }

    /// Gives every finished record that is in the ring now to `on_record`; never waits.
    pub(super) fn drain(&mut self, on_record: &mut dyn FnMut(&[u8])) -> usize {
        let end = self.produced().load(Ordering::Acquire);
        let mut at = self.consumed().load(Ordering::Relaxed);
        let (mut released, mut count) = (at, 0);
        while at < end {
            let offset = at as usize & (self.size - 1);
            // SAFETY: below `end` the kernel has written a record header; records are aligned to 8 bytes.
            let header = unsafe { self.producer.cast::<u8>().add(self.page + offset) };
            // SAFETY: as above; the kernel publishes the length last, with release semantics.
            let length = unsafe { &*header.cast::<AtomicU32>() }.load(Ordering::Acquire);
            if length & BUSY != 0 {
                break;
            }
            let bytes = (length & !(BUSY | DISCARDED)) as usize;
            if length & DISCARDED == 0 {
                // SAFETY: a finished record lies wholly in the doubly mapped data and the kernel does not write to
                // it before the consumer's position has passed it.
                on_record(unsafe { std::slice::from_raw_parts(header.add(RECORD_HEADER), bytes) });
                count += 1;
            }
            at += (RECORD_HEADER + bytes).next_multiple_of(8) as u64;
            if at - released >= RELEASE_EVERY {
                self.consumed().store(at, Ordering::Release);
                released = at;
            }
        }
        self.consumed().store(at, Ordering::Release);
        count
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: both were mapped by `new` with these lengths, and no slice outlives a drain.
        unsafe {
            libc::munmap(self.consumer, self.page);
            libc::munmap(self.producer, self.page + 2 * self.size);
        }
    }
}
