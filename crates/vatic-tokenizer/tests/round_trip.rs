//! The shipped vocabulary over ordinary and hostile input.

use std::sync::LazyLock;

use proptest::prelude::*;
use vatic_tokenizer::{Error, Tokenizer, parse_vocabulary, render_vocabulary};

const VOCABULARY: &str = include_str!("../../../models/vocabulary.tsv");

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
    let tokens = parse_vocabulary(VOCABULARY).expect("the shipped vocabulary parses");
    Tokenizer::from_tokens(tokens).expect("the shipped vocabulary is one")
});

/// The textbook algorithm: merge the pair of lowest rank, leftmost first, until no pair merges.
fn textbook(tokens: &[Vec<u8>], text: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = text.iter().map(|&byte| vec![byte]).collect();
    loop {
        let rank = |i: usize| {
            let merged = [&parts[i][..], &parts[i + 1]].concat();
            tokens
                .iter()
                .position(|token| *token == merged)
                .map(|rank| (rank, i))
        };
        let Some((_, i)) = (0..parts.len().saturating_sub(1)).filter_map(rank).min() else {
            return parts;
        };
        let right = parts.remove(i + 1);
        parts[i].extend(right);
    }
}

#[test]
fn the_shipped_vocabulary_is_what_the_format_needs() {
    assert_eq!(TOKENIZER.len(), 8192);
    assert!(
        (1..8192).all(|id| TOKENIZER.token(id - 1) < TOKENIZER.token(id)),
        "ids are in the order of bytes"
    );
    let nul_tokens = (0..8192)
        .filter(|&id| TOKENIZER.token(id).contains(&0))
        .count();
    assert_eq!(
        nul_tokens, 1,
        "the document boundary is a token of its own, never merged"
    );
}

#[test]
fn the_text_form_round_trips() {
    let tokens = parse_vocabulary(VOCABULARY).unwrap();
    assert_eq!(render_vocabulary(&tokens), VOCABULARY);
    assert!(matches!(parse_vocabulary("61\n6g\n"), Err(Error::Line(2))));
    assert!(matches!(parse_vocabulary("616\n"), Err(Error::Line(1))));
}

#[test]
fn bad_vocabularies_are_refused() {
    let bytes: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    let with = |token: &[u8]| Tokenizer::from_tokens([&bytes[..], &[token.to_vec()]].concat());
    assert!(with(b"ab").is_ok());
    assert!(matches!(with(b""), Err(Error::Length(256, 0))));
    assert!(matches!(with(b"a"), Err(Error::Duplicate(256))));
    assert!(matches!(with(b"abc"), Err(Error::Unreachable(256))));
    // It is made of two tokens, but its bytes are merged otherwise: a, bc, d.
    let others = [&b"bc"[..], b"ab", b"cd", b"abcd"].map(<[u8]>::to_vec);
    assert!(matches!(
        Tokenizer::from_tokens([&bytes[..], &others].concat()),
        Err(Error::Unreachable(259))
    ));
    assert!(matches!(
        Tokenizer::from_tokens(bytes[..255].to_vec()),
        Err(Error::Size(255))
    ));
    assert!(matches!(
        Tokenizer::from_tokens(vec![vec![0]; 256]),
        Err(Error::Bytes)
    ));
}

/// Two of these tokens have the same 32-bit hash in the automaton for long texts, unless it is given another factor.
#[test]
fn tokens_whose_hashes_collide() {
    let bytes = (0..=255).map(|byte| vec![byte]);
    let words = "ss bg bgq ssbgq qa ot otu qaotu".split(' ');
    let tokens: Vec<Vec<u8>> = bytes.chain(words.map(|word| word.into())).collect();
    let tokenizer = Tokenizer::from_tokens(tokens).unwrap();
    let text = b"ssbgqaotu, qaotussbgq.".repeat(1000);
    let ids = tokenizer.encode(&text);
    assert_eq!(tokenizer.decode(&ids), text);
    assert!(ids.len() < text.len() / 2);
}

#[test]
fn encoding_is_the_textbook_one() {
    let tokens = parse_vocabulary(VOCABULARY).unwrap();
    for text in [
        "the theory of everything, then.\r\n",
        "aaaaaaaaaaaaaaaaa",
        "    if (x == 10) {\n",
        "Привет, мир",
        "\0\0the",
    ] {
        let parts = textbook(&tokens, text.as_bytes());
        let ours: Vec<Vec<u8>> = TOKENIZER
            .encode(text.as_bytes())
            .into_iter()
            .map(|id| TOKENIZER.token(id).to_vec())
            .collect();
        assert_eq!(ours, parts, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_round_trip(text in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(TOKENIZER.decode(&TOKENIZER.encode(&text)), text);
    }

    #[test]
    fn repetitive_text_round_trips(unit in "[a-c \n]{1,4}", times in 1usize..2000) {
        let text = unit.repeat(times).into_bytes();
        let ids = TOKENIZER.encode(&text);
        prop_assert!(ids.len() <= text.len());
        prop_assert_eq!(TOKENIZER.decode(&ids), text);
    }
}
