//! Kernel time to wall-clock time.

use std::io;

fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec; the three clocks used here exist on every Linux.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        panic!("clock_gettime({clock}): {}", io::Error::last_os_error());
    }
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Converts CLOCK_MONOTONIC (events) and CLOCK_BOOTTIME (process starts) to ns since the epoch.
///
/// The wall clock may step (NTP, an administrator, a resumed virtual machine); monotonic time does not. The offset is
/// measured at creation and again by [`Clock::refresh`]; drift below [`Clock::TOLERANCE_NS`] is ignored, so that rows keep
/// the order and the distances of their events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    monotonic_offset: i64,
    boot_offset: i64,
}

impl Clock {
    /// Differences that do not count as a step.
    pub const TOLERANCE_NS: i64 = 1_000_000;

    /// Measures now.
    pub fn now() -> Clock {
        // The reading in the middle is the later one's neighbour: keep the tightest of a few tries, since a preemption
        // between two readings would end up in the offset.
        let mut best = (
            i64::MAX,
            Clock {
                monotonic_offset: 0,
                boot_offset: 0,
            },
        );
        for _ in 0..5 {
            let before = read(libc::CLOCK_MONOTONIC);
            let (boot, wall) = (read(libc::CLOCK_BOOTTIME), read(libc::CLOCK_REALTIME));
            let after = read(libc::CLOCK_MONOTONIC);
            let middle = before + (after - before) / 2;
            if after - before < best.0 {
                best = (
                    after - before,
                    Clock {
                        monotonic_offset: wall - middle,
                        boot_offset: wall - boot,
                    },
                );
            }
        }
        best.1
    }

    /// Measures again. Returns the step in ns, when the wall clock has moved by more than the tolerance.
    pub fn refresh(&mut self) -> Option<i64> {
        let now = Clock::now();
        let step = now.monotonic_offset - self.monotonic_offset;
        let boot_step = now.boot_offset - self.boot_offset;
        if step.abs() <= Clock::TOLERANCE_NS && boot_step.abs() <= Clock::TOLERANCE_NS {
            return None;
        }
        *self = now;
        Some(step)
    }

    /// Wall-clock ns since the epoch of a CLOCK_MONOTONIC time.
    pub fn wall(&self, monotonic_ns: u64) -> i64 {
        (monotonic_ns as i64).wrapping_add(self.monotonic_offset)
    }

    /// Wall-clock ns since the epoch of a CLOCK_BOOTTIME time, such as the start of a process.
    pub fn wall_of_boot(&self, boot_ns: u64) -> i64 {
        (boot_ns as i64).wrapping_add(self.boot_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_agrees_with_the_wall_clock() {
        let clock = Clock::now();
        let wall = read(libc::CLOCK_REALTIME);
        assert!((clock.wall(read(libc::CLOCK_MONOTONIC) as u64) - wall).abs() < 50_000_000);
        assert!((clock.wall_of_boot(read(libc::CLOCK_BOOTTIME) as u64) - wall).abs() < 50_000_000);
    }

    #[test]
    fn a_step_is_followed_and_drift_is_not() {
        let now = Clock::now();
        let hour = 3_600_000_000_000;
        let mut stepped = Clock {
            monotonic_offset: now.monotonic_offset - hour,
            boot_offset: now.boot_offset - hour,
        };
        let step = stepped.refresh().expect("an hour is a step");
        assert!((step - hour).abs() < 50_000_000);
        let mut drifted = Clock {
            monotonic_offset: now.monotonic_offset - 10_000,
            ..now
        };
        let before = drifted;
        if drifted.refresh().is_none() {
            assert_eq!(drifted, before);
        }
    }
}
