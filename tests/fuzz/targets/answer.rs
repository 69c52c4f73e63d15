#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| superlance_probe::fuzz::answer(data));
