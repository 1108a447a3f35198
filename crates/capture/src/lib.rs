//! Loads the kernel programs, drains their rings, tracks connections and builds Arrow batches.

pub mod clock;
pub mod event;
pub mod kernel;
pub mod probe;
pub mod procfs;
