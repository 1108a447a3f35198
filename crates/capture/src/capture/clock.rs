//! The clocks: events carry the monotonic one, rows show the wall clock.

use std::mem::MaybeUninit;

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the kernel fills the struct when it returns 0, which it does for the clocks that this file names.
    let time = unsafe {
        libc::clock_gettime(clock, time.as_mut_ptr());
        time.assume_init()
    };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Monotonic clock, ns.
pub(super) fn monotonic() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// CPU time that this thread has used, ns.
pub(super) fn thread_cpu() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Wall clock minus monotonic clock, ns: the tightest of a few readings. Taken anew now and then, since the wall clock
/// is slewed and stepped.
pub(super) fn offset() -> i64 {
    let reading = |_| {
        let before = monotonic();
        let wall = read(libc::CLOCK_REALTIME);
        let after = monotonic();
        (
            after - before,
            wall as i64 - (before + (after - before) / 2) as i64,
        )
    };
    (0..4).map(reading).min().map_or(0, |(_, offset)| offset)
}
