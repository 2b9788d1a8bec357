//! The standalone program.
fn main() {}
