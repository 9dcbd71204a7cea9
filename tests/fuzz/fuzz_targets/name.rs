//! See `mailslot_sim_fuzz::name`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mailslot_sim_fuzz::name(bytes));
