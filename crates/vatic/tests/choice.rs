//! Of several models, each frame gets the one that predicts it best.
#![cfg(feature = "model-specialists")]

use std::collections::BTreeSet;
use std::io::Cursor;

use vatic::{DecodeOptions, Error, Mode, Model, ModelRef, Options, Prior};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
const CHINESE: &[u8] = include_bytes!("../../../fixtures/chinese.txt");
const FIXTURES: [&[u8]; 6] = [
    STORY,
    CHINESE,
    include_bytes!("../../../fixtures/handbook.md"),
    include_bytes!("../../../fixtures/orders.json"),
    include_bytes!("../../../fixtures/service.log"),
    include_bytes!("../../../fixtures/interval_map.rs"),
];

fn tokens() -> Options {
    Options::new().mode(Mode::Tokens)
}

/// The models of the frames.
fn models_of(packed: &[u8]) -> Vec<ModelRef> {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    info.frames.iter().filter_map(|frame| frame.model).collect()
}

fn name_of(packed: &[u8]) -> String {
    let named = models_of(packed)[0];
    let shipped = Model::shipped();
    let model = shipped.iter().find(|model| named.names(&model.id()));
    model.unwrap().name().into()
}

#[test]
fn the_choice_is_nearly_the_best_that_there_is() {
    let mut chosen = BTreeSet::new();
    for fixture in FIXTURES {
        for content in [&fixture[..300], &fixture[..fixture.len().min(5000)]] {
            let packed = vatic::compress(content, &tokens()).unwrap();
            let sizes = Model::shipped().into_iter().map(|model| {
                let one = tokens().models([model]);
                vatic::compress(content, &one).unwrap().len()
            });
            let best = sizes.min().unwrap();
            assert!(
                packed.len() <= best + best / 50 + 1,
                "{} of {}, where {best} are possible",
                packed.len(),
                content.len()
            );
            chosen.insert(name_of(&packed));
        }
    }
    assert!(chosen.len() > 2, "{chosen:?}");
}

#[test]
fn frames_of_one_file_choose_for_themselves() {
    let size = 1 << 16;
    let fill = |text: &[u8]| -> Vec<u8> { text.iter().copied().cycle().take(size).collect() };
    let content = [fill(STORY), fill(CHINESE)].concat();
    let packed = vatic::compress(&content, &tokens().frame_size(size)).unwrap();
    let models = models_of(&packed);
    assert_eq!(models.len(), 2);
    assert_ne!(models[0], models[1]);
    assert_eq!(vatic::decompress(&packed).unwrap(), content);
}

#[test]
fn what_is_given_is_chosen_from() {
    let model = Model::named("swift-prose").unwrap();
    let options = tokens().models([model.clone()]);
    assert_eq!(
        options.model_for(CHINESE).unwrap().unwrap().id(),
        model.id()
    );
    assert_eq!(
        name_of(&vatic::compress(&CHINESE[..300], &options).unwrap()),
        "swift-prose"
    );
    assert!(
        Options::new()
            .models([])
            .model_for(STORY)
            .unwrap()
            .is_none()
    );
    // The first of equals, and any order.
    let both = [Model::swift(), model];
    let reversed = both.iter().rev().cloned();
    let (there, back) = (
        Options::new().models(both.clone()),
        Options::new().models(reversed),
    );
    let name = |options: &Options, text: &[u8]| options.model_for(text).unwrap().unwrap().id();
    assert_eq!(name(&there, STORY), name(&back, STORY));
    assert_eq!(name(&there, b""), both[0].id());
    assert_eq!(name(&back, b""), both[1].id());
}

#[test]
fn a_prior_brings_its_model() {
    let samples: Vec<&[u8]> = STORY.split(|&byte| byte == b'\n').take(40).collect();
    let options = Options::new().memory_log2(16);
    let world = options
        .clone()
        .models([Model::named("swift-world").unwrap()]);
    let prior = Prior::learn(&samples, &world).unwrap();
    // English, but the prior was learnt with another model than would be chosen for it.
    let with = options.prior(Some(prior.clone()));
    let packed = vatic::compress(&STORY[..3000], &with).unwrap();
    assert_eq!(name_of(&packed), "swift-world");
    let decode = DecodeOptions::new().prior(prior);
    assert_eq!(
        vatic::decompress_with(&packed, &decode).unwrap(),
        &STORY[..3000]
    );
    let other = with.models([Model::swift()]);
    assert!(matches!(
        vatic::compress(STORY, &other),
        Err(Error::OtherModel { .. })
    ));
}

#[test]
fn a_message_says_which_model_it_was_made_with() {
    let one = Options::new().models([Model::swift()]);
    for fixture in FIXTURES {
        let text = &fixture[..600];
        let message = vatic::message::compress(text, &Options::new()).unwrap();
        let back = vatic::message::decompress(&message, &Options::new(), 600).unwrap();
        assert_eq!(back, text);
        let plain = vatic::message::compress(text, &one).unwrap();
        // Three bits say which of five models, and the choice brings more than they cost.
        assert!(
            message.len() <= plain.len() + 1,
            "{} {}",
            message.len(),
            plain.len()
        );
    }
    // Of three models two bits name four: one that there is not.
    let few = Options::new().models(Model::shipped().into_iter().take(3));
    let refused = (0..=255u8)
        .map(|byte| vatic::message::decompress(&[20, byte, 1, 2, 3], &few, 100))
        .filter(
            |result| matches!(result, Err(Error::Corrupt { what, .. }) if what.contains("model")),
        )
        .count();
    assert_eq!(refused, 64);
}
