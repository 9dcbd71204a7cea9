//! The `mailslot-sim` command.

fn main() {}
