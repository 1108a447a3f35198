//! Tells the tcp way where pages are, so that it can read what sendfile and splice send.
//!
//! Such a send names page descriptors, not addresses. Both are a fixed distance apart, but the distance is random at each
//! boot and most kernels do not tell it. So a page of known frame and content is spliced through a socket of our own, and
//! the program finds the two addresses that fit.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::{fs, ptr};

use libbpf_rs::{MapCore, MapFlags, MapHandle};

const PAGE: usize = 4096;
const FRAME_BITS: u64 = (1 << 55) - 1;

struct Page(*mut libc::c_void);

impl Page {
    fn new(content: u64) -> io::Result<Page> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new private mapping of one page at an address that the kernel chooses.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the page was just mapped writable and is aligned.
        unsafe { at.cast::<u64>().write_volatile(content) };
        Ok(Page(at))
    }

    /// Number of the physical frame; needs CAP_SYS_ADMIN.
    fn frame(&self) -> io::Result<u64> {
        let mut entry = [0; 8];
        fs::File::open("/proc/self/pagemap")?
            .read_exact_at(&mut entry, (self.0 as usize / PAGE * 8) as u64)?;
        match u64::from_ne_bytes(entry) & FRAME_BITS {
            0 => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "/proc/self/pagemap hides frame numbers",
            )),
            frame => Ok(frame),
        }
    }

    fn send(&self, to: &TcpStream) -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        let part = libc::iovec {
            iov_base: self.0,
            iov_len: 8,
        };
        // SAFETY: the page outlives the call, and the socket is drained before it is unmapped.
        if unsafe { libc::vmsplice(writer.as_raw_fd(), &part, 1, 0) } != 8 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: only descriptors are passed.
        let moved = unsafe {
            libc::splice(
                reader.as_raw_fd(),
                ptr::null_mut(),
                to.as_raw_fd(),
                ptr::null_mut(),
                8,
                libc::SPLICE_F_NONBLOCK,
            )
        };
        if moved == 8 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length.
        unsafe { libc::munmap(self.0, PAGE) };
    }
}

/// Whether the program found out. Without it sendfile and splice are counted but their bytes stay unseen.
pub(super) fn calibrate(map: &MapHandle) -> io::Result<bool> {
    let mut random = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let page = Page::new(u64::from_ne_bytes(random))?;
    let mut value = [0; 40];
    value[16..24].copy_from_slice(&page.frame()?.to_ne_bytes());
    value[24..32].copy_from_slice(&random);
    value[32..36].copy_from_slice(&std::process::id().to_ne_bytes());
    let key = 0u32.to_ne_bytes();
    map.update(&key, &value, MapFlags::ANY)
        .map_err(io::Error::other)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiver, _) = listener.accept()?;
    page.send(&sender)?;
    receiver.read_exact(&mut random)?;
    let found = map
        .lookup(&key, MapFlags::ANY)
        .map_err(io::Error::other)?
        .unwrap_or_default();
    Ok(found.get(8..16).is_some_and(|memory| memory != [0; 8]))
}
