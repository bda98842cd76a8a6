//! The head: what it learns, and what it refuses.

use crate::support::*;
use vatic_coder::{Encoder, Experts, Groups, Model, Options, Sums, Weights};

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
