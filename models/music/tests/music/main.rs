//! Tests of the music crate from outside: properties, and broken and hostile files.

mod accompany;

mod grid;
mod hostile;
mod listen;
mod memory;
mod note_cells;
mod reading;
mod smf;
mod time;

/// How properties are run: a counterexample becomes a test of its own, not a file of seeds.
fn config() -> proptest::test_runner::Config {
    proptest::test_runner::Config { failure_persistence: None, ..Default::default() }
}
