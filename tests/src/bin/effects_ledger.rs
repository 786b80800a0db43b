//! The effects ledger as a process of its own.
fn main() {}
