//! Coding as a whole: what comes out is what went in, at the size that was accounted for, on any machine.

use proptest::prelude::*;
use std::sync::Arc;
use vatic_coder::{
    Decoder, Encoder, Experts, Groups, Model, Options, Sums, Tree, Vocabulary, Weights,
};

/// A reproducible source of numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }
}

fn bytes() -> (Arc<Vocabulary>, Arc<Tree>) {
    (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()))
}

/// 500 tokens: the bytes and some words, with counts as text has them.
fn words() -> (Arc<Vocabulary>, Arc<Tree>) {
    let mut numbers = Numbers(5);
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    while tokens.len() < 500 {
        let word: Vec<u8> = (0..2 + numbers.next() % 6)
            .map(|_| b" etaoinsh\n,0"[numbers.next() as usize % 12])
            .collect();
        if !tokens.contains(&word) {
            tokens.push(word);
        }
    }
    tokens.sort();
    let counts: Vec<u32> = tokens
        .iter()
        .map(|_| 1 + 1000 / (1 + numbers.next() % 1000))
        .collect();
    (
        Arc::new(Vocabulary::from_tokens(&tokens).unwrap()),
        Arc::new(Tree::new(&counts).unwrap()),
    )
}

/// Weights of a step: none, or pseudo-random ones, the same on both sides.
fn weights(step: usize, leaves: usize) -> Option<Vec<u32>> {
    let mut numbers = Numbers(step as u64);
    match step % 5 {
        0 => None,
        1 => Some(vec![1; leaves]),
        2 => Some(
            (0..leaves)
                .map(|i| if i == step % leaves { 1 << 30 } else { 1 })
                .collect(),
        ),
        _ => Some(
            (0..leaves)
                .map(|_| 1 + (numbers.next() >> (numbers.next() % 31)) / leaves as u32)
                .collect(),
        ),
    }
}

/// What a transformer with two levels of output would foretell that gave these weights in one: groups have the sums of their leaves.
struct Foretold {
    groups: Groups,
    sums: Sums,
    of_groups: Vec<u32>,
    /// A hidden state of [`WIDTH`] levels.
    state: Vec<i8>,
}

/// Of the hidden states, no multiple of what vectors hold.
const WIDTH: usize = 37;

impl Foretold {
    fn new(groups: Groups) -> Foretold {
        Foretold {
            groups,
            sums: Sums::default(),
            of_groups: Vec::new(),
            state: Vec::new(),
        }
    }

    fn with<T>(&mut self, leaves: Option<&[u32]>, f: impl FnOnce(Option<Weights>) -> T) -> T {
        let Some(leaves) = leaves else { return f(None) };
        let groups = &self.groups;
        self.of_groups.clear();
        let sum = |n| leaves[groups.leaves(n)].iter().sum::<u32>();
        self.of_groups.extend((0..groups.len()).map(sum));
        self.state.clear();
        self.state
            .extend(leaves.iter().cycle().take(WIDTH).map(|&leaf| leaf as i8));
        let mut within =
            |n, weights: &mut [u32]| weights.copy_from_slice(&leaves[groups.leaves(n)]);
        f(Some(Weights::new(
            groups,
            &self.of_groups,
            &self.state,
            &mut within,
            &mut self.sums,
        )))
    }
}

/// Codes pieces in lockstep, checks the way back, and returns the coded bytes and the accounted bits (in 2^-16).
fn round_trip(
    (vocabulary, tree): &(Arc<Vocabulary>, Arc<Tree>),
    options: &Options,
    pieces: &[Vec<u16>],
    foretold: bool,
    prior: Option<&[u8]>,
) -> (Vec<u8>, u64) {
    let length = pieces.iter().map(Vec::len).sum::<usize>() as u64;
    let steps = pieces.iter().map(Vec::len).max().unwrap_or(0);
    let order = || {
        (0..steps)
            .flat_map(|t| (0..pieces.len()).map(move |s| (t, s)))
            .filter(|&(t, s)| t < pieces[s].len())
    };
    let new = || {
        let mut model = Model::new(vocabulary, tree, options, pieces.len(), length).unwrap();
        if let Some(prior) = prior {
            model.load(prior).unwrap();
        }
        model
    };
    let groups = Groups::balanced(tree, &vec![1; tree.len()], tree.len() / 8, 16);
    let mut room = Foretold::new(groups);
    let mut model = new();
    let mut encoder = Encoder::new();
    for (t, s) in order() {
        let leaves = if foretold {
            weights(t * 3 + s, vocabulary.len())
        } else {
            None
        };
        room.with(leaves.as_deref(), |w| {
            model.encode(s, w, pieces[s][t], &mut encoder);
        });
    }
    let report = model.report();
    assert_eq!(report.tokens, length);
    let coded = encoder.finish();
    let mut model = new();
    let mut decoder = Decoder::new(&coded);
    for (t, s) in order() {
        let leaves = if foretold {
            weights(t * 3 + s, vocabulary.len())
        } else {
            None
        };
        assert_eq!(
            room.with(leaves.as_deref(), |w| model.decode(s, w, &mut decoder)),
            pieces[s][t],
            "token {t} of stream {s}"
        );
    }
    (coded, report.paid)
}

fn to_tokens(data: &[u8]) -> Vec<u16> {
    data.iter().map(|&byte| byte.into()).collect()
}

const TEXT: &str = "id,name,value\n17,alpha,3.25\n18,beta,3.50\n19,gamma,3.75\n\
    It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.\n";

/// FNV-1a, for golden values.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn accounts_are_the_real_size() {
    let text = to_tokens(TEXT.repeat(20).as_bytes());
    let (first, rest) = text.split_at(text.len() / 2);
    for foretold in [false, true] {
        let (coded, paid) = round_trip(
            &bytes(),
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
    let (vocabulary, tree) = bytes();
    let options = Options {
        report: true,
        ..Options::default()
    };
    let text = TEXT.repeat(10);
    let mut model = Model::new(&vocabulary, &tree, &options, 1, text.len() as u64).unwrap();
    let mut encoder = Encoder::new();
    for &byte in text.as_bytes() {
        model.encode(0, None, byte.into(), &mut encoder);
    }
    let report = model.report();
    for name in ["o1", "o6", "word", "match", "order0"] {
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
    round_trip(&set, &Options::default(), &pieces, false, None);
    round_trip(&set, &Options::default(), &pieces, true, None);
}

/// What a hidden state means is learnt though the weights never tell: tokens depend on the sign of one of its features.
#[test]
fn the_head_learns_what_the_weights_leave_out() {
    let set = words();
    let groups = Groups::balanced(&set.1, &[1; 500], 60, 32);
    let (of_groups, mut sums) = (vec![1 << 20; groups.len()], Sums::default());
    let mut coded = |experts: Experts| {
        let options = Options {
            experts,
            width: WIDTH,
            ..Options::default()
        };
        let mut model = Model::new(&set.0, &set.1, &options, 1, 3000).unwrap();
        let (mut encoder, mut numbers) = (Encoder::new(), Numbers(5));
        for _ in 0..3000 {
            let state: Vec<i8> = (0..WIDTH).map(|_| numbers.next() as i8).collect();
            let token = numbers.next() as u16 % 250 + if state[20] < 0 { 250 } else { 0 };
            let mut within = |_: usize, weights: &mut [u32]| weights.fill(1 << 20);
            let weights = Weights::new(&groups, &of_groups, &state, &mut within, &mut sums);
            model.encode(0, Some(weights), token, &mut encoder);
        }
        encoder.finish().len()
    };
    let head = Experts::named("head").unwrap();
    let (with, without) = (coded(Experts::ALL), coded(Experts::ALL.without(head)));
    // One of nine bits a token can be known: 375 bytes.
    assert!(with + 100 < without, "{with} {without}");
}

#[test]
#[should_panic(expected = "the state's width is another")]
fn a_state_of_another_width_is_refused() {
    let set = words();
    let groups = Groups::balanced(&set.1, &[1; 500], 60, 32);
    let options = Options {
        width: WIDTH + 1,
        ..Options::default()
    };
    let mut model = Model::new(&set.0, &set.1, &options, 1, 1).unwrap();
    Foretold::new(groups).with(Some(&[1; 500]), |w| {
        model.encode(0, w, 1, &mut Encoder::new())
    });
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

/// Codes bytes with leaps and back; a prior may have been learnt from other bytes.
fn leap_round_trip(data: &[u8], prior: &[u8]) -> (usize, u64) {
    let (vocabulary, tree) = bytes();
    let new = |prior: &[u8]| {
        let mut model = Model::new(
            &vocabulary,
            &tree,
            &Options::default(),
            1,
            data.len() as u64,
        )
        .unwrap();
        if !prior.is_empty() {
            model.load(prior).unwrap();
        }
        model
    };
    let encode = |model: &mut Model, data: &[u8]| {
        let (mut encoder, mut at, mut decisions) = (Encoder::new(), 0, 0);
        while at < data.len() {
            let leapt = model.encode_leap(&data[at..], &mut encoder);
            if leapt == 0 {
                model.encode(0, None, data[at].into(), &mut encoder);
                decisions += 8;
            }
            at += leapt.max(1);
            decisions += 1;
        }
        (encoder.finish(), decisions)
    };
    let state = if prior.is_empty() {
        Vec::new()
    } else {
        let mut teacher = new(&[]);
        encode(&mut teacher, prior);
        teacher.save()
    };
    let mut model = new(&state);
    let (coded, decisions) = encode(&mut model, data);
    assert_eq!(model.report().tokens, data.len() as u64);
    let (mut model, mut decoder) = (new(&state), Decoder::new(&coded));
    let mut restored = Vec::new();
    while restored.len() < data.len() {
        let left = data.len() - restored.len();
        if model.decode_leap(left, &mut restored, &mut decoder) == 0 {
            restored.push(model.decode(0, None, &mut decoder) as u8);
        }
    }
    assert_eq!(restored, data);
    (coded.len(), decisions)
}

#[test]
fn what_repeats_is_leapt_over() {
    let (size, decisions) = leap_round_trip(&vec![0; 1 << 20], &[]);
    assert!(size < 20 && decisions < 20_000, "{size} {decisions}");
    // A copy of noise, its end cut off, from the same frame and from a prior.
    let mut random = Numbers(7);
    let noise: Vec<u8> = (0..50_000).map(|_| random.next() as u8).collect();
    let (once, _) = leap_round_trip(&noise, &[]);
    let (twice, decisions) = leap_round_trip(&[&noise[..], &noise[..49_990]].concat(), &[]);
    assert!(twice < once + 60, "{twice} {once}");
    assert!(decisions < 9 * 53_000, "{decisions}");
    let (known, _) = leap_round_trip(&noise[..40_000], &noise);
    assert!(known < 100, "{known}");
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
        let options = Options { experts, memory_log2: memory.min(20), width: WIDTH, report: parts & 1 == 1 };
        round_trip(&words(), &options, &pieces, foretold, None);
    }

    #[test]
    fn any_bytes_round_trip(pieces in some_tokens(256), memory in 0u8..20, foretold in any::<bool>()) {
        let options = Options { memory_log2: memory, width: WIDTH, ..Options::default() };
        round_trip(&bytes(), &options, &pieces, foretold, None);
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
            let place = (at * (n + 3) * 7919) % prior.len();
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

#[test]
fn a_prior_helps_from_the_first_byte() {
    let records: Vec<String> = (0..60u32)
        .map(|i| {
            format!(
                "{{\"id\":{},\"user\":\"u{}\",\"ok\":{}}}\n",
                5000 + i * 37,
                i * i % 91,
                i % 3 == 0
            )
        })
        .collect();
    let set = bytes();
    let options = Options {
        memory_log2: 20,
        ..Options::default()
    };
    let mut teacher = Model::new(&set.0, &set.1, &options, 1, 2000).unwrap();
    for byte in records[..50].concat().bytes() {
        teacher.encode(0, None, byte.into(), &mut Encoder::new());
    }
    let prior = teacher.save();
    assert!(prior.len() < 150_000, "{}", prior.len());
    for length in [1, 20] {
        // Tables smaller and larger than the prior's.
        let record = to_tokens(records[50].repeat(length).as_bytes());
        let plain = round_trip(&set, &options, std::slice::from_ref(&record), false, None)
            .0
            .len();
        let primed = round_trip(
            &set,
            &options,
            std::slice::from_ref(&record),
            false,
            Some(&prior),
        )
        .0
        .len();
        assert!(primed * 3 < plain, "{primed} {plain}");
    }
    // Learning goes on, and can be saved again.
    let mut pupil = Model::new(&set.0, &set.1, &options, 2, 100_000).unwrap();
    pupil.load(&prior).unwrap();
    pupil.encode(1, None, 65, &mut Encoder::new());
    let mut third = Model::new(&set.0, &set.1, &options, 1, 10).unwrap();
    third.load(&pupil.save()).unwrap();
}

#[test]
fn a_prior_starts_where_the_teacher_stood() {
    let set = words();
    let options = Options {
        memory_log2: 18,
        width: WIDTH,
        ..Options::default()
    };
    let tokens: Vec<u16> = (0..2000u32).map(|i| (i * i % 313) as u16).collect();
    let mut teacher = Model::new(&set.0, &set.1, &options, 1, 2000).unwrap();
    let mut room = Foretold::new(Groups::balanced(&set.1, &[1; 500], 60, 32));
    for (n, &token) in tokens.iter().enumerate() {
        // With a transformer and without.
        let leaves = if n < 1000 { None } else { weights(n, 500) };
        room.with(leaves.as_deref(), |w| {
            teacher.encode(0, w, token, &mut Encoder::new());
        });
    }
    let mut pupil = Model::new(&set.0, &set.1, &options, 1, 2000).unwrap();
    pupil.load(&teacher.save()).unwrap();
    assert_eq!(pupil.save(), teacher.save());
}

#[test]
fn other_priors_are_refused() {
    let (vocabulary, tree) = bytes();
    let options = Options {
        memory_log2: 16,
        ..Options::default()
    };
    let new = |options: &Options| Model::new(&vocabulary, &tree, options, 1, 5000).unwrap();
    let prior = new(&options).save();
    assert!(new(&options).load(&prior).is_ok());
    assert!(
        new(&Options {
            experts: Experts::ALL.without(Experts::named("o1").unwrap()),
            ..options.clone()
        })
        .load(&prior)
        .is_err()
    );
    assert!(
        new(&Options {
            experts: Experts::NONE,
            ..options.clone()
        })
        .load(&prior)
        .is_err()
    );
    let set = words();
    assert!(
        Model::new(&set.0, &set.1, &options, 1, 5000)
            .unwrap()
            .load(&prior)
            .is_err()
    );
    let large = Model::new(&vocabulary, &tree, &Options::default(), 1, 5000)
        .unwrap()
        .save();
    assert!(new(&options).load(&large).is_err());
    for end in 0..prior.len() {
        assert!(new(&options).load(&prior[..end]).is_err(), "{end}");
    }
    assert!(new(&options).load(&[&prior[..], &[0]].concat()).is_err());
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
    let pieces = round_trip(
        &bytes(),
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
    let words = round_trip(&words(), &with_head, &[tokens], true, None).0;
    let found = [&plain, &pieces, &words].map(|coded| (coded.len(), fingerprint(coded)));
    assert_eq!(
        found,
        [
            (87, 8918432348054374293),
            (89, 1318573063149604788),
            (1799, 18051205779851451358)
        ]
    );
}
