//! Any bytes as text under the shipped vocabulary and under one made of the bytes themselves; any bytes as a vocabulary
//! file.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vatic_tokenizer::{Tokenizer, parse_vocabulary, render_vocabulary};

static SHIPPED: LazyLock<Tokenizer> = LazyLock::new(|| {
    let tokens = parse_vocabulary(include_str!("../../models/vocabulary.tsv")).unwrap();
    Tokenizer::from_tokens(tokens).unwrap()
});

fn comes_back(tokenizer: &Tokenizer, text: &[u8]) {
    let ids = tokenizer.encode(text);
    assert!(ids.len() <= text.len());
    assert_eq!(tokenizer.decode(&ids), text);
}

fuzz_target!(|data: &[u8]| {
    comes_back(&SHIPPED, data);

    // Each pair of bytes merges two earlier tokens; what makes no vocabulary is refused.
    let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    for pair in data.as_chunks::<2>().0.iter().take(64) {
        let part = |n: u8| tokens[tokens.len() - 1 - usize::from(n) % tokens.len()].clone();
        let merged = [part(pair[0]), part(pair[1])].concat();
        // As in model files, whose lengths of tokens have one byte; without a limit they would double 64 times.
        if merged.len() <= 255 {
            tokens.push(merged);
        }
    }
    if let Ok(tokenizer) = Tokenizer::from_tokens(tokens) {
        comes_back(&tokenizer, data);
        // A long text goes through an automaton, which takes time to make.
        if data.len() % 16 == 7 {
            comes_back(&tokenizer, &data.repeat((1 << 15) / data.len()));
        }
    }

    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(tokens) = parse_vocabulary(text)
    {
        assert_eq!(
            parse_vocabulary(&render_vocabulary(&tokens)).unwrap(),
            tokens
        );
        let _ = Tokenizer::from_tokens(tokens);
    }
});
