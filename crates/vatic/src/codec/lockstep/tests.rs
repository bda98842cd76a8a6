use super::*;
use crate::parallel::limit;

/// A predictor whose weights depend on all that a stream was fed; and which part of so many it has of the rows.
struct Toy(Vec<u32>, [usize; 2]);

impl Predictor for Toy {
    type Batch = Vec<u32>;

    fn predict(&mut self, tokens: &[u16], batch: &mut Vec<u32>) -> Result<usize> {
        let [number, parts] = self.1;
        let start = |n| tokens.len() * n / parts;
        let streams = self.0.len();
        batch.clear();
        for (i, &token) in tokens.iter().enumerate() {
            let state = &mut self.0[i % streams];
            *state = state
                .wrapping_mul(747_796_405)
                .wrapping_add(u32::from(token) + 1);
            if (start(number)..start(number + 1)).contains(&i) {
                batch.push(*state);
            }
        }
        Ok(batch.len())
    }
}

fn log(shape: Shape, pieces: &[&[u16]], known: bool) -> Vec<(usize, u32, u16)> {
    let transcript = if known {
        Transcript::Known(pieces)
    } else {
        Transcript::Unknown
    };
    let predictors = |shape: &Shape| {
        let groups = shape.groups(transcript);
        let parts = if shape.splits(transcript) {
            groups.len()
        } else {
            1
        };
        let streams = groups.iter().map(|group| group.streams).sum::<usize>();
        assert_eq!(streams, shape.streams * parts);
        let part = |n| [if parts == 1 { 0 } else { n }, parts];
        Ok((groups.iter().enumerate())
            .map(|(n, group)| Toy(vec![0; group.streams], part(n)))
            .collect())
    };
    let mut next = vec![0; pieces.len()];
    let mut log = Vec::new();
    let ran = run(&shape, transcript, predictors, |stream, batch, row| {
        let token = *pieces[stream].get(next[stream])?;
        next[stream] += 1;
        log.push((stream, batch[row], token));
        Some(token)
    });
    ran.unwrap();
    log
}

#[test]
fn groups_and_threads_and_blocks_change_nothing() {
    for length in [0, 1, 5, 16, 63, 64, 65, 997u32] {
        let tokens: Vec<u16> = (0..length).map(|i| (i * i % 5) as u16).collect();
        for streams in [1, 2, 8, 32, 64] {
            let pieces = crate::codec::tokens::pieces(&tokens, streams);
            let pieces: Vec<&[u16]> = pieces.iter().map(Vec::as_slice).collect();
            let shape = Shape {
                streams,
                boundary: 0,
                threads: 1,
                team: 1,
                split: 1,
            };
            let plain = log(shape, &pieces, false);
            assert_eq!(plain.len(), tokens.len());
            for (threads, team) in [(1, 1), (2, 1), (5, 1), (2, 2), (5, 4)] {
                let shape = Shape {
                    threads,
                    team,
                    split: team,
                    ..shape
                };
                assert_eq!(log(shape, &pieces, true), plain);
                assert_eq!(log(shape, &pieces, false), plain);
            }
        }
    }
}

/// Where fewer threads are to be had than were wanted, those do the work.
#[test]
fn threads_that_are_not_to_be_had_change_nothing() {
    let tokens: Vec<u16> = (0..997u32).map(|i| (i * i % 5) as u16).collect();
    for streams in [1, 2, 16] {
        let pieces = crate::codec::tokens::pieces(&tokens, streams);
        let pieces: Vec<&[u16]> = pieces.iter().map(Vec::as_slice).collect();
        for (threads, team) in [(2, 1), (5, 1), (2, 2), (5, 4)] {
            let shape = Shape {
                streams,
                boundary: 0,
                threads,
                team,
                split: team,
            };
            let plain = log(shape, &pieces, false);
            for there_are in 0..6 {
                for known in [false, true] {
                    let limited = || log(shape, &pieces, known);
                    assert_eq!(limit::of(there_are, limited), plain);
                }
            }
        }
    }
}

#[test]
fn a_predictor_that_cannot_be_made_ends_it_all() {
    let pieces: [&[u16]; 2] = [&[1, 2], &[3]];
    for transcript in [Transcript::Unknown, Transcript::Known(&pieces)] {
        for threads in [1, 2] {
            let shape = Shape {
                streams: 2,
                boundary: 0,
                threads,
                team: 1,
                split: 1,
            };
            let none = |_: &Shape| -> Result<Vec<Toy>> { Err(crate::Error::Truncated) };
            let ran = run(&shape, transcript, none, |_, _, _| None);
            assert!(matches!(ran, Err(crate::Error::Truncated)));
        }
    }
}

#[test]
fn every_token_is_coded_once_in_order() {
    let tokens = [1, 2, 3, 4, 0, 1, 2];
    let pieces = crate::codec::tokens::pieces(&tokens, 4);
    let pieces: Vec<&[u16]> = pieces.iter().map(Vec::as_slice).collect();
    let shape = Shape {
        streams: 4,
        boundary: 0,
        threads: 2,
        team: 1,
        split: 1,
    };
    let order: Vec<(usize, u16)> = log(shape, &pieces, true)
        .iter()
        .map(|entry| (entry.0, entry.2))
        .collect();
    assert_eq!(
        order,
        [(0, 1), (1, 3), (2, 0), (3, 2), (0, 2), (1, 4), (2, 1)]
    );
}

#[test]
fn a_failing_predictor_ends_it_all() {
    struct Fails(usize);
    impl Predictor for Fails {
        type Batch = ();

        fn predict(&mut self, tokens: &[u16], (): &mut ()) -> Result<usize> {
            self.0 += 1;
            if self.0 < 3 {
                Ok(tokens.len())
            } else {
                Err(crate::Error::Truncated)
            }
        }
    }
    for (threads, team) in [(1, 1), (2, 1), (2, 2)] {
        let shape = Shape {
            streams: 16,
            boundary: 0,
            threads,
            team,
            split: 1,
        };
        let predictors = |shape: &Shape| {
            let groups = shape.groups(Transcript::Unknown);
            Ok(groups.iter().map(|_| Fails(0)).collect())
        };
        let ran = run(&shape, Transcript::Unknown, predictors, |_, (), _| Some(0));
        assert!(matches!(ran, Err(crate::Error::Truncated)));
    }
}

/// What has failed stays so, whoever has the turn at that time.
#[test]
fn a_predictor_that_fails_while_another_group_is_coded_ends_it_all() {
    struct Fails(bool, usize);
    impl Predictor for Fails {
        type Batch = ();

        fn predict(&mut self, tokens: &[u16], (): &mut ()) -> Result<usize> {
            self.1 += 1;
            if self.0 && self.1 == 2 {
                std::thread::sleep(Duration::from_millis(20));
                return Err(crate::Error::Truncated);
            }
            Ok(tokens.len())
        }
    }
    let shape = Shape {
        streams: 4,
        boundary: 0,
        threads: 2,
        team: 1,
        split: 1,
    };
    let predictors = |_: &Shape| Ok(vec![Fails(true, 0), Fails(false, 0)]);
    let ran = run(&shape, Transcript::Unknown, predictors, |stream, (), _| {
        if stream >= 2 {
            std::thread::sleep(Duration::from_millis(40));
        }
        Some(0)
    });
    assert!(matches!(ran, Err(crate::Error::Truncated)));
}
