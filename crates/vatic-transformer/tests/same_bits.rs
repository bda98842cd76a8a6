//! The result does not depend on how it is computed: kernel, batch, block, session, time.

mod common;

use common::{model, tokens};
use std::sync::Arc;
use vatic_transformer::{Error, Leaves, Model, Row, Session, kernels};

/// Scores' bits, weights of groups, and weights of all tokens given their groups.
type Foretold = [Vec<u32>; 3];

/// What is foretold after each of `tokens`, one at a time with the given kernel.
fn one_by_one(model: &Arc<Model>, tokens: &[u16], kernel: &str) -> Vec<Foretold> {
    let mut session = Session::with_kernel_named(model, 1, 1, kernel).unwrap();
    session.keep_scores(true);
    let mut leaves = Leaves::with_kernel_named(model, kernel).unwrap();
    (tokens.iter())
        .map(|&token| {
            session.step(&[token]).unwrap();
            result(&session, &mut leaves, 0)
        })
        .collect()
}

fn result(session: &Session, leaves: &mut Leaves, row: usize) -> Foretold {
    let predictions = session.predictions();
    let scores = session.scores(row).iter().map(|score| score.to_bits());
    let groups = 0..session.model().group_starts().len();
    [
        scores.collect(),
        predictions.groups(row).to_vec(),
        groups
            .flat_map(|group| leaves.weights(predictions, row, group).to_vec())
            .collect(),
    ]
}

#[test]
fn every_kernel_gives_the_golden_hash() {
    let (model, tokens) = (model(), tokens(400));
    for kernel in kernels::names() {
        let mut hasher = blake3::Hasher::new();
        for foretold in one_by_one(&model, &tokens, kernel) {
            for word in foretold.iter().flatten() {
                hasher.update(&word.to_le_bytes());
            }
        }
        // If this has to change, files made before can no longer be read: see the numerics module.
        let golden = "41789095da187d96b82e20653b1fd091";
        assert_eq!(hasher.finalize().to_hex()[..32], *golden, "kernel {kernel}");
    }
}

#[test]
fn blocks_of_any_length_equal_single_steps() {
    let (model, tokens) = (model(), tokens(300));
    let kernel = kernels::names().next().unwrap();
    let expected = one_by_one(&model, &tokens, kernel);
    for block in [1, 2, 3, 7, 16, 33, 300] {
        let mut session = Session::new(&model, 1, block).unwrap();
        session.keep_scores(true);
        let mut leaves = Leaves::new(&model).unwrap();
        for (piece, expected) in tokens.chunks(block).zip(expected.chunks(block)) {
            session.prefill(0, piece).unwrap();
            for (row, expected) in expected.iter().enumerate() {
                assert!(
                    result(&session, &mut leaves, row) == *expected,
                    "block {block}, row {row}"
                );
            }
        }
        assert_eq!(session.position(0), 300);
    }
}

/// What each of some sessions makes of its rows, all at the same time.
fn side_by_side(sessions: &mut [Session], rows: &[Vec<Row>]) -> Vec<Result<(), Error>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (sessions.iter_mut().zip(rows))
            .map(|(session, rows)| scope.spawn(|| session.advance(rows)))
            .collect();
        (threads.into_iter())
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Feeds the first of a team some rows, step after step, while the others work with it; what each of them says at last, and the others.
fn at_work(
    mut team: Vec<Session>,
    steps: impl IntoIterator<Item = Vec<Row>>,
    mut done: impl FnMut(usize, &Session),
) -> (Vec<Result<(), Error>>, Vec<Session>) {
    let first = team.remove(0);
    std::thread::scope(|scope| {
        let help = |mut session: Session| {
            let result = loop {
                if let Err(error) = session.advance(&[]) {
                    break Err(error);
                }
                assert!(session.predictions().is_empty());
            };
            (result, session)
        };
        let threads: Vec<_> = (team.into_iter())
            .map(|session| scope.spawn(move || help(session)))
            .collect();
        // Owned here, so that the others end even when `done` panics.
        let mut first = first;
        let mut results = vec![Ok(())];
        for (n, rows) in steps.into_iter().enumerate() {
            results[0] = first.advance(&rows);
            if results[0].is_err() {
                break;
            }
            done(n, &first);
        }
        drop(first);
        let mut others = Vec::new();
        for thread in threads {
            let (result, session) = thread.join().unwrap();
            results.push(result);
            others.push(session);
        }
        (results, others)
    })
}

/// Whether a session says that its team has ended.
fn over(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::Team))
}

fn row(stream: usize, token: u16) -> Row {
    Row { stream, token }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "has no threads")]
fn a_team_computes_what_one_does() {
    let (model, tokens) = (model(), tokens(60));
    let kernel = kernels::names().next().unwrap();
    let expected = one_by_one(&model, &tokens, kernel);
    let mut leaves = Leaves::new(&model).unwrap();
    // More members than heads, and than some matrices have panels, too.
    for (members, streams) in [(1, 2), (2, 1), (2, 5), (3, 2), (5, 7), (40, 1)] {
        let mut team = Session::team(&model, members, streams, 1).unwrap();
        (team.iter_mut()).for_each(|session| session.keep_scores(true));
        // Each stream begins a step after the one before it.
        let steps = (0..tokens.len()).map(|step| {
            let rows = (0..streams).map_while(|s| Some(row(s, tokens[step.checked_sub(s)?])));
            rows.collect::<Vec<Row>>()
        });
        let (results, _) = at_work(team, steps, |step, session| {
            for stream in 0..streams.min(step + 1) {
                assert!(
                    result(session, &mut leaves, stream) == expected[step - stream],
                    "{members} members, {streams} streams, step {step}, stream {stream}"
                );
            }
        });
        assert!(
            results[0].is_ok() && results[1..].iter().all(over),
            "{results:?}"
        );
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "has no threads")]
fn a_team_may_be_given_up_and_taken_up_again() {
    // More than a thousand calls: then it is tried again how quick the first is alone, whatever has been found out before.
    let (model, tokens) = (model(), tokens(1_060));
    let mut alone = Session::new(&model, 1, tokens.len()).unwrap();
    alone.prefill(0, &tokens).unwrap();
    let team = Session::team(&model, 2, 1, 1).unwrap();
    let steps = tokens.iter().map(|&token| vec![row(0, token)]);
    let (results, _) = at_work(team, steps, |step, session| {
        let (found, expected) = (session.predictions(), alone.predictions());
        assert!(found.groups(0) == expected.groups(step), "step {step}");
    });
    assert!(results[0].is_ok() && over(&results[1]), "{results:?}");
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "has no threads")]
fn rows_that_are_split_are_the_same() {
    let (model, tokens) = (model(), tokens(60));
    let kernel = kernels::names().next().unwrap();
    let expected = one_by_one(&model, &tokens, kernel);
    let mut leaves = Leaves::new(&model).unwrap();
    for (members, block) in [(2, 16), (3, 7), (5, 3), (4, 60)] {
        let mut split = Session::split(&model, members, 1, block).unwrap();
        split
            .iter_mut()
            .for_each(|session| session.keep_scores(true));
        // Blocks that no number of members divides, some with fewer rows than members.
        for (n, tokens) in tokens.chunks(block).enumerate() {
            let rows: Vec<Row> = (tokens.iter())
                .map(|&token| Row { stream: 0, token })
                .collect();
            for done in side_by_side(&mut split, &vec![rows.clone(); members]) {
                done.unwrap();
            }
            let mut next = n * block;
            for session in &split {
                for row in 0..session.part(rows.len()).len() {
                    let same = result(session, &mut leaves, row) == expected[next];
                    assert!(same, "{members} members, blocks of {block}, token {next}");
                    next += 1;
                }
            }
            assert_eq!(next, n * block + rows.len());
        }
    }
    // One that is no longer there.
    let mut split = Session::split(&model, 2, 1, 4).unwrap();
    split.pop();
    let row = Row {
        stream: 0,
        token: 1,
    };
    assert!(matches!(split[0].advance(&[row; 4]), Err(Error::Team)));
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "has no threads")]
fn a_team_ends_when_one_of_it_does() {
    let model = model();
    // Longer than it takes until they work together.
    let steps = || (0..40).map(|_| vec![row(0, 1)]);
    // The first fails.
    let team = Session::team(&model, 3, 1, 1).unwrap();
    let bad = steps().chain([vec![row(0, u16::MAX)]]);
    let (results, mut others) = at_work(team, bad, |_, _| ());
    assert!(
        matches!(results[0], Err(Error::Token { .. })),
        "{results:?}"
    );
    assert!(over(&results[1]) && over(&results[2]), "{results:?}");
    assert!(over(&others[0].advance(&[])));
    // One that takes no rows is given some.
    let mut team = Session::team(&model, 2, 1, 1).unwrap();
    let refused = team[1].advance(&[row(0, 1)]);
    assert!(matches!(refused, Err(Error::Rows(_))), "{refused:?}");
    let (results, _) = at_work(team, steps(), |_, _| ());
    assert!(results.iter().all(over), "{results:?}");
    // One that is no longer there.
    let mut team = Session::team(&model, 2, 1, 1).unwrap();
    team.pop();
    let (results, _) = at_work(team, steps(), |_, _| ());
    assert!(over(&results[0]), "{results:?}");
}

#[test]
#[allow(clippy::needless_range_loop)]
fn streams_do_not_see_each_other() {
    let (model, tokens) = (model(), tokens(700));
    let kernel = kernels::names().next().unwrap();
    // Seven streams of different lengths, in lockstep, the last ones ending first.
    let streams: Vec<&[u16]> = (0..7).map(|s| &tokens[s * 100..][..100 - 10 * s]).collect();
    let expected: Vec<_> = streams
        .iter()
        .map(|tokens| one_by_one(&model, tokens, kernel))
        .collect();
    let mut leaves = Leaves::new(&model).unwrap();
    let mut session = Session::new(&model, 7, 1).unwrap();
    session.keep_scores(true);
    for t in 0..100 {
        let step: Vec<u16> = streams
            .iter()
            .map_while(|tokens| tokens.get(t).copied())
            .collect();
        session.step(&step).unwrap();
        for row in 0..step.len() {
            assert!(
                result(&session, &mut leaves, row) == expected[row][t],
                "stream {row}, time {t}"
            );
        }
    }
    // Ragged blocks, interleaved, after starting stream 2 anew.
    let mut session = Session::new(&model, 7, 5).unwrap();
    session.keep_scores(true);
    session.prefill(2, &tokens[..5]).unwrap();
    session.reset(2);
    let mut at = [0usize; 7];
    while at.iter().sum::<usize>() < 7 * 40 {
        let mut rows = Vec::new();
        let mut places = Vec::new();
        for turn in 0..5 {
            for stream in 0..7 {
                if (stream + turn + at[0]) % 3 != 0 && at[stream] < 40 {
                    rows.push(Row {
                        stream,
                        token: streams[stream][at[stream]],
                    });
                    places.push((stream, at[stream]));
                    at[stream] += 1;
                }
            }
        }
        session.advance(&rows).unwrap();
        for (row, &(stream, t)) in places.iter().enumerate() {
            assert!(
                result(&session, &mut leaves, row) == expected[stream][t],
                "stream {stream}, time {t}"
            );
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "has no threads")]
fn threads_with_sessions_of_their_own_equal_one() {
    let (model, tokens) = (model(), tokens(120));
    let kernel = kernels::names().next().unwrap();
    let expected: Vec<_> = tokens
        .chunks(60)
        .map(|tokens| one_by_one(&model, tokens, kernel))
        .collect();
    let found: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (tokens.chunks(60))
            .map(|tokens| scope.spawn(|| one_by_one(&model, tokens, kernel)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(found == expected);
}

#[test]
fn refused_calls_change_nothing() {
    let (model, tokens) = (model(), tokens(10));
    let kernel = kernels::names().next().unwrap();
    let expected = one_by_one(&model, &tokens, kernel);
    let mut leaves = Leaves::new(&model).unwrap();
    let mut session = Session::new(&model, 2, 4).unwrap();
    session.keep_scores(true);
    session.prefill(0, &tokens[..4]).unwrap();
    assert!(session.prefill(0, &tokens[..5]).is_err());
    assert!(session.prefill(2, &tokens[..1]).is_err());
    assert!(
        session
            .advance(&[
                Row {
                    stream: 0,
                    token: 1
                },
                Row {
                    stream: 1,
                    token: 512
                }
            ])
            .is_err()
    );
    assert_eq!((session.position(0), session.position(1)), (4, 0));
    session.advance(&[]).unwrap();
    session.prefill(0, &tokens[4..8]).unwrap();
    assert!(result(&session, &mut leaves, 3) == expected[7]);
    assert!(Session::new(&model, 0, 1).is_err());
    assert!(Session::new(&model, usize::MAX, 2).is_err());
    assert!(Session::with_kernel_named(&model, 1, 1, "abacus").is_err());
}
