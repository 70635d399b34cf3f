//! What the WebAssembly module exports: plain functions, so that it needs no bindings.
//!
//! Workloads go by their number in [`Workload::ALL`].

use crate::hive;
use crate::workloads::{Size, Workload};

/// Runs a workload on our kernel, at its small size unless `full`. Returns the checksum.
#[unsafe(no_mangle)]
pub extern "C" fn run(workload: u32, full: bool) -> u64 {
    hive::run(Workload::ALL[workload as usize], if full { Size::Full } else { Size::Small })
}

/// The checksum of the full size.
#[unsafe(no_mangle)]
pub extern "C" fn expected(workload: u32) -> u64 {
    Workload::ALL[workload as usize].checksum()
}

/// The operations of the full size.
#[unsafe(no_mangle)]
pub extern "C" fn operations(workload: u32) -> u64 {
    Workload::ALL[workload as usize].operations(Size::Full)
}
