//! Coding as a whole: what comes out is what went in, at the size that was accounted for, on any machine.

mod head;
mod leaps;
mod priors;
mod support;

use leaps::leap_round_trip;
use proptest::prelude::*;
use std::sync::Arc;
use support::*;
use vatic_coder::{Decoder, Encoder, Experts, Groups, Model, Options, Source, Tree, Vocabulary};

#[test]
fn accounts_are_the_real_size() {
    let text = to_tokens(TEXT.repeat(20).as_bytes());
    let (first, rest) = text.split_at(text.len() / 2);
    for (set, foretold) in [(bytes(), false), (single_tokens(), true)] {
        let (coded, paid) = round_trip(
            &set,
            &Options::default(),
            &[first.to_vec(), rest.to_vec()],
            foretold,
            None,
        );
        let paid = paid as f64 / 65536.0 / 8.0;
        assert!(
            (coded.len() as f64 - paid).abs() <= 2.0 + paid * 1e-4,
            "{} bytes for {paid}",
            coded.len()
        );
    }
}

#[test]
fn each_input_has_its_account() {
    let usual = ["o2", "o5", "word", "field", "match", "order0"];
    let further = ["o1", "o8", "letters", "outline", "run4"];
    check_accounts(false, &usual);
    check_accounts(true, &[&usual[..], &further[..]].concat());
}

fn check_accounts(thorough: bool, names: &[&str]) {
    let (vocabulary, tree) = bytes();
    let options = Options {
        report: true,
        thorough,
        ..Options::default()
    };
    let text = TEXT.repeat(10);
    let mut model = Model::new(&vocabulary, &tree, &options, 1, text.len() as u64).unwrap();
    let mut encoder = Encoder::new();
    for &byte in text.as_bytes() {
        model.encode(0, None, byte.into(), &mut encoder);
    }
    let report = model.report();
    for &name in names {
        let source = report
            .sources
            .iter()
            .find(|source| source.name == name)
            .unwrap();
        assert!(
            source.cost > report.paid,
            "no input alone ({name}) does as well as all together"
        );
        assert!(
            source.cost < (text.len() as u64 * 8) << 16,
            "{name} knows something"
        );
    }
}

/// What an expert alone would have paid does not depend on what a transformer foretells beside it.
#[test]
fn accounts_of_experts_are_their_own() {
    let (vocabulary, tree) = words();
    let options = Options {
        report: true,
        width: WIDTH,
        ..Options::default()
    };
    let tokens: Vec<u16> = (0..1500u32).map(|i| (i * i % 313) as u16).collect();
    let report = |foretold: bool| {
        let mut model = Model::new(&vocabulary, &tree, &options, 1, 3000).unwrap();
        let mut room = Foretold::new(Groups::balanced(&tree, &[1; 500], 60, 32));
        for (n, &token) in tokens.iter().enumerate() {
            let leaves = weights(n, 500).filter(|_| foretold);
            room.with(leaves.as_deref(), |w| {
                model.encode(0, w, token, &mut Encoder::new());
            });
        }
        model.report().sources
    };
    let (alone, beside) = (report(false), report(true));
    for name in ["order0", "match", "short", "run2", "run6", "t2", "word"] {
        let cost = |sources: &[Source]| sources.iter().find(|s| s.name == name).unwrap().cost;
        assert_eq!(cost(&alone), cost(&beside), "{name}");
    }
    let transformer = |sources: &[Source]| sources.last().unwrap().clone();
    assert_eq!(transformer(&alone).name, "transformer");
    assert_ne!(transformer(&alone), transformer(&beside));
}

/// Experts for bytes are for coding without a transformer.
#[test]
fn what_is_foretold_of_bytes_is_not_looked_at() {
    let pieces = [to_tokens(TEXT.as_bytes())];
    let coded = |foretold| round_trip(&bytes(), &Options::default(), &pieces, foretold, None).0;
    assert_eq!(coded(true), coded(false));
}

/// Tables, whose fields stand below each other, and records without lines.
#[test]
fn bytes_are_learnt_by_where_they_stand() {
    let mut table = String::new();
    let mut records = Vec::new();
    for n in 0..400u32 {
        table += &format!(
            "{},{},Town {},{}\n",
            10_000 + 7 * n,
            n % 9,
            n % 5,
            n * n % 1009
        );
        records.extend(n.to_le_bytes());
        records.extend([0, (n % 3) as u8, 0, (n * n % 251) as u8]);
    }
    for (content, part) in [(table.as_bytes(), "field"), (&records, "by-place")] {
        let size = |experts| {
            let options = Options {
                experts,
                ..Options::default()
            };
            round_trip(&bytes(), &options, &[to_tokens(content)], false, None)
                .0
                .len()
        };
        let without = Experts::ALL.without(Experts::named(part).unwrap());
        let (all, without) = (size(Experts::ALL), size(without));
        assert!(all * 100 < without * 99, "{part}: {all} {without}");
    }
}

/// Thorough work tells a table of numbers by what stands around a number in the rows before; it is for single bytes only.
#[test]
fn thorough_work_finds_more() {
    let mut numbers = Numbers(5);
    let mut table = vec![[0i32; 16]; 300];
    for row in 1..300 {
        for column in 0..16 {
            let step = (numbers.next() >> 8) as i32 % 3 - 1;
            let above = table[row - 1][column];
            let beside = if column > 0 {
                table[row][column - 1]
            } else {
                above
            };
            table[row][column] = (above + beside) / 2 + step + 7;
        }
    }
    let table: Vec<u8> = (table.concat().iter())
        .flat_map(|&n| (n as u16).to_be_bytes())
        .collect();
    let size = |set: &(Arc<Vocabulary>, Arc<Tree>), thorough| {
        let options = Options {
            thorough,
            ..Options::default()
        };
        let (coded, _) = round_trip(set, &options, &[to_tokens(&table)], false, None);
        coded.len()
    };
    let (usual, thorough) = (size(&bytes(), false), size(&bytes(), true));
    assert!(thorough * 100 < usual * 95, "{thorough} {usual}");
    let set = single_tokens();
    assert_eq!(size(&set, false), size(&set, true));
}

/// A tree of single bytes may be deeper than eight levels.
#[test]
fn bytes_may_have_an_uneven_tree() {
    let counts: Vec<u32> = (0..256u32).map(|byte| 1 << (byte % 29)).collect();
    let set = (
        Arc::new(Vocabulary::bytes()),
        Arc::new(Tree::new(&counts).unwrap()),
    );
    assert!((0..256).any(|byte| set.1.depth_of(byte) > 12));
    let pieces = [(0..2000u32).map(|i| (i * i % 251) as u16).collect()];
    for thorough in [false, true] {
        let options = Options {
            thorough,
            ..Options::default()
        };
        round_trip(&set, &options, &pieces, false, None);
        round_trip(&set, &options, &pieces, true, None);
    }
}

#[test]
fn without_experts_the_weights_are_coded_at_their_entropy() {
    let set = words();
    let options = Options {
        experts: Experts::NONE,
        ..Options::default()
    };
    let mut model = Model::new(&set.0, &set.1, &options, 1, 20_000).unwrap();
    let mut encoder = Encoder::new();
    let mut room = Foretold::new(Groups::balanced(&set.1, &[1; 500], 60, 32));
    let mut numbers = Numbers(9);
    let mut bits = 0.0;
    for step in 0..20_000 {
        let leaves: Vec<u32> = weights(3 + 5 * (step % 50), 500).unwrap();
        let total: u64 = leaves.iter().map(|&w| u64::from(w)).sum();
        // A token drawn by the weights.
        let mut rest = (u64::from(numbers.next()) << 31 | u64::from(numbers.next())) % total;
        let token = leaves
            .iter()
            .position(|&w| {
                let here = rest < u64::from(w);
                rest = rest.wrapping_sub(u64::from(w));
                here
            })
            .unwrap();
        bits -= (f64::from(leaves[token]) / total as f64).log2();
        room.with(Some(&leaves), |w| {
            model.encode(0, w, token as u16, &mut encoder);
        });
    }
    let size = encoder.finish().len() as f64 * 8.0;
    assert!(
        size < bits * 1.001 + 16.0,
        "{size} bits for an entropy of {bits}"
    );
}

#[test]
fn experts_learn() {
    let text = to_tokens(TEXT.repeat(50).as_bytes());
    let (coded, _) = round_trip(
        &bytes(),
        &Options::default(),
        std::slice::from_ref(&text),
        false,
        None,
    );
    assert!(
        coded.len() < 300,
        "{} bytes for {} that repeat",
        coded.len(),
        text.len()
    );
}

#[test]
fn a_record_structure_is_found() {
    // 32-bit counters beside noise: only the distance of 12 bytes tells.
    let mut numbers = Numbers(1);
    let mut data = Vec::new();
    for i in 0..4000u32 {
        data.extend((1000 + i / 7).to_be_bytes());
        data.extend([1, 2, 3, 4]);
        data.extend([0, 0, (numbers.next() >> 8) as u8, 7]);
    }
    let (coded, _) = round_trip(
        &bytes(),
        &Options::default(),
        &[to_tokens(&data)],
        false,
        None,
    );
    assert!(
        coded.len() < 5200,
        "{} bytes, of which 4000 are noise",
        coded.len()
    );
}

#[test]
fn a_match_in_another_stream_is_found() {
    let mut numbers = Numbers(3);
    let noise: Vec<u16> = (0..3000)
        .map(|_| (numbers.next() >> 5) as u16 & 0xFF)
        .collect();
    let mut late = vec![7; 2000];
    late.extend(&noise);
    let (coded, _) = round_trip(
        &bytes(),
        &Options::default(),
        &[noise.clone(), late],
        false,
        None,
    );
    assert!(
        coded.len() < 3600,
        "{} bytes for 3000 of noise and their copy",
        coded.len()
    );
}

#[test]
fn single_leaf_and_empty_frames() {
    let single = (
        Arc::new(Vocabulary::from_tokens(&["x"]).unwrap()),
        Arc::new(Tree::new(&[1]).unwrap()),
    );
    assert!(
        round_trip(&single, &Options::default(), &[vec![0; 100]], true, None)
            .0
            .is_empty()
    );
    assert!(
        round_trip(&bytes(), &Options::default(), &[vec![]], true, None)
            .0
            .is_empty()
    );
}

#[test]
fn misuse_is_told() {
    let (vocabulary, tree) = bytes();
    let options = Options::default();
    assert!(Model::new(&vocabulary, &words().1, &options, 1, 1).is_err());
    assert!(Model::new(&vocabulary, &tree, &options, 0, 1).is_err());
    assert!(Model::new(&vocabulary, &tree, &options, 1025, 1).is_err());
}

fn some_tokens(leaves: u16) -> impl Strategy<Value = Vec<Vec<u16>>> {
    let piece = prop_oneof![
        prop::collection::vec(0..leaves, 0..200),
        (0..leaves, 0..300usize).prop_map(|(token, n)| vec![token; n]),
        (prop::collection::vec(0..leaves, 1..12), 1..30usize).prop_map(|(unit, n)| unit.repeat(n)),
    ];
    prop::collection::vec(piece, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn repetitions_round_trip(
        pattern in prop::collection::vec(any::<u8>(), 1..300),
        changes in prop::collection::vec((0usize..30_000, any::<u8>()), 0..6),
        length in 1usize..30_000, known in any::<bool>(),
    ) {
        let mut data: Vec<u8> = pattern.iter().copied().cycle().take(length).collect();
        let prior = if known { data.clone() } else { Vec::new() };
        for (at, byte) in changes {
            if let Some(place) = data.get_mut(at) {
                *place = byte;
            }
        }
        leap_round_trip(&data, &prior);
    }

    #[test]
    fn any_tokens_round_trip(pieces in some_tokens(500), parts in any::<u64>(), all in any::<bool>(), memory in 0u8..40,
        foretold in any::<bool>()) {
        let experts = if all { Experts::ALL } else { Experts(parts) };
        let options = Options { experts, memory_log2: memory.min(20), width: WIDTH, thorough: false, report: parts & 1 == 1 };
        round_trip(&words(), &options, &pieces, foretold, None);
    }

    #[test]
    fn any_bytes_round_trip(pieces in some_tokens(256), memory in 0u8..20, foretold in any::<bool>(), thorough in any::<bool>(),
        all in any::<bool>(), parts in any::<u64>()) {
        let experts = if all { Experts::ALL } else { Experts(parts) };
        let options = Options { experts, memory_log2: memory, width: WIDTH, thorough, ..Options::default() };
        round_trip(&bytes(), &options, &pieces, false, None);
        round_trip(&single_tokens(), &options, &pieces, foretold, None);
    }

    #[test]
    fn damaged_priors_are_safe(at in 19usize..30_000, flip in 1u8.., more in prop::collection::vec(any::<u8>(), 0..40)) {
        let set = words();
        let options = Options { memory_log2: 16, width: WIDTH, ..Options::default() };
        let tokens: Vec<u16> = (0..3000u32).map(|i| (i * i % 413) as u16).collect();
        let mut teacher = Model::new(&set.0, &set.1, &options, 1, 3000).unwrap();
        for &token in &tokens {
            teacher.encode(0, None, token, &mut Encoder::new());
        }
        let mut prior = teacher.save();
        let at = at % prior.len();
        prior[at] ^= flip;
        for (n, byte) in more.iter().enumerate() {
            let place = ((at as u64 * (n as u64 + 3) * 7919) % prior.len() as u64) as usize;
            if place >= 19 {
                prior[place] = *byte;
            }
        }
        let mut pupil = Model::new(&set.0, &set.1, &options, 1, 3000).unwrap();
        if pupil.load(&prior).is_ok() {
            let mut decoder = Decoder::new(&more);
            for &token in &tokens {
                pupil.encode(0, None, token, &mut Encoder::new());
                prop_assert!(pupil.decode(0, None, &mut decoder) < 500);
            }
        }
    }

    #[test]
    fn garbage_decodes_to_something(garbage in prop::collection::vec(any::<u8>(), 0..300), foretold in any::<bool>()) {
        let (vocabulary, tree) = words();
        let mut model = Model::new(&vocabulary, &tree, &Options::default(), 3, 900).unwrap();
        let mut decoder = Decoder::new(&garbage);
        let mut room = Foretold::new(Groups::single(&tree));
        for step in 0..900 {
            let leaves = if foretold { weights(step, 500) } else { None };
            let token = room.with(leaves.as_deref(), |w| model.decode(step % 3, w, &mut decoder));
            prop_assert!(token < 500);
        }
    }
}

/// What was coded once must be coded the same for ever, on every machine. If this fails, the format has changed.
#[test]
fn golden() {
    let text = to_tokens(TEXT.repeat(8).as_bytes());
    let (a, b) = text.split_at(500);
    let plain = round_trip(
        &bytes(),
        &Options::default(),
        std::slice::from_ref(&text),
        false,
        None,
    )
    .0;
    let thorough = Options {
        thorough: true,
        ..Options::default()
    };
    let thorough = round_trip(
        &bytes(),
        &thorough,
        std::slice::from_ref(&text),
        false,
        None,
    )
    .0;
    let pieces = round_trip(
        &single_tokens(),
        &Options::default(),
        &[a.to_vec(), b.to_vec()],
        true,
        None,
    )
    .0;
    let mut numbers = Numbers(11);
    let tokens: Vec<u16> = (0..3000)
        .map(|i| {
            if i % 7 < 3 {
                numbers.next() as u16 % 500
            } else {
                i as u16 % 350
            }
        })
        .collect();
    let with_head = Options {
        width: WIDTH,
        ..Options::default()
    };
    let light = Options {
        experts: Experts::LIGHT,
        ..with_head.clone()
    };
    let [words, light] = [with_head, light].map(|options| {
        round_trip(
            &words(),
            &options,
            std::slice::from_ref(&tokens),
            true,
            None,
        )
        .0
    });
    let found =
        [&plain, &thorough, &pieces, &words, &light].map(|coded| (coded.len(), fingerprint(coded)));
    assert_eq!(
        found,
        [
            (89, 5009432903341873839),
            (90, 15231510881439770633),
            (149, 9173422900425126410),
            (1896, 2005400448152650782),
            (2306, 8371982676969291545)
        ]
    );
}
