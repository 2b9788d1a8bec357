//! The plugin at the pace of music: what a block costs, how soon the band decides, what it misses, what it takes
//! of processor and memory. `cargo bench -p sideman-tests --bench live -- --help` says what there is.
//!
//! Figures are of the machine as it was; the first line says which and how busy. Nothing here fails for being slow.

#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod band;
#[cfg(target_os = "linux")]
mod card;
#[cfg(target_os = "linux")]
mod clap_host;
#[cfg(target_os = "linux")]
mod deadlines;
#[cfg(target_os = "linux")]
mod decision;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod libraries;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod piano;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod share;
#[cfg(target_os = "linux")]
mod vst3_host;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("These benchmarks ask Linux for priorities and memory: they run only there.");
}
