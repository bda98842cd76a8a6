//! Time per decision.
fn main() {}
