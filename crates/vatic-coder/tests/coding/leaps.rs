//! Long repetitions, many bytes at a time.

use crate::support::*;
use vatic_coder::{Decoder, Encoder, Model, Options};

/// Codes bytes with leaps and back; a prior may have been learnt from other bytes.
pub fn leap_round_trip(data: &[u8], prior: &[u8]) -> (usize, u64) {
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
