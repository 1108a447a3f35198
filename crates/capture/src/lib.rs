//! Loads the kernel programs, drains their rings, tracks connections and builds Arrow batches.

pub mod event;
pub mod kernel;
