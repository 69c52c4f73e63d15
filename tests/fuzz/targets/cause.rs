#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| superlance_crash::fuzz::cause(data));
