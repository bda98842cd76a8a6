//! What was learnt, saved and loaded.

use crate::support::*;
use vatic_coder::{Encoder, Experts, Groups, Model, Options};

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
    // A run of nothing before the others, and a number that goes on for ever, are written by nobody.
    let remembered = u32::from_le_bytes(prior[15..19].try_into().unwrap()) as usize;
    for more in [&[0, 0][..], &[0x80; 9]] {
        let mut odd = prior.clone();
        let at = 19 + 2 * remembered;
        odd.splice(at..at, more.iter().copied());
        let mut pupil = Model::new(&set.0, &set.1, &options, 1, 10).unwrap();
        assert!(pupil.load(&odd).is_err(), "{more:?}");
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
        memory_log2: 20,
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

/// The weights with which a transformer's guess is trusted from the start are not lost to a prior that learnt nothing.
#[test]
fn a_prior_of_nothing_changes_nothing() {
    let set = words();
    let options = Options {
        memory_log2: 20,
        width: WIDTH,
        ..Options::default()
    };
    let new = || Model::new(&set.0, &set.1, &options, 1, 300).unwrap();
    let code = |mut model: Model| {
        let mut room = Foretold::new(Groups::balanced(&set.1, &[1; 500], 60, 32));
        let mut encoder = Encoder::new();
        for n in 1..300 {
            // From the first token on.
            let leaves = weights(n, 500);
            room.with(leaves.as_deref(), |w| {
                model.encode(0, w, (n * n % 313) as u16, &mut encoder);
            });
        }
        encoder.finish()
    };
    let mut pupil = new();
    pupil.load(&new().save()).unwrap();
    assert_eq!(code(pupil), code(new()));
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
            experts: Experts::ALL.without(Experts::named("o2").unwrap()),
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
    let thorough = Options {
        thorough: true,
        ..options.clone()
    };
    assert!(new(&thorough).load(&prior).is_err());
    assert!(new(&options).load(&new(&thorough).save()).is_err());
    assert!(new(&thorough).load(&new(&thorough).save()).is_ok());
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
