//! Any bytes as content, under settings that the first bytes choose: they come back, and grow by no more than promised.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic::{MAX_OVERHEAD, Mode, Model, Options};

fuzz_target!(|data: &[u8]| {
    let [settings, streams, content @ ..] = data else {
        return;
    };
    let content = &content[..content.len().min(1 << 10)];
    let mode = [Mode::Auto, Mode::Bytes, Mode::Tokens, Mode::Stored][usize::from(settings & 3)];
    let models = if settings & 4 == 0 || mode == Mode::Tokens {
        // The small one, so that the sanitizer sees many.
        Model::named("swift").into_iter().collect()
    } else {
        vec![]
    };
    let options = Options::new()
        .models(models)
        .mode(mode)
        .threads(1)
        .memory_log2(16 + (settings >> 3) % 8)
        .streams_log2((streams & 1 == 0).then_some((streams >> 1) % 6));
    let packed = vatic::compress(content, &options).unwrap();
    if mode == Mode::Auto {
        assert!(packed.len() <= content.len() + MAX_OVERHEAD);
    }
    assert_eq!(vatic::decompress(&packed).unwrap(), content);
});
