//! Of several models, each frame gets the one that predicts it best.
#![cfg(all(feature = "model-base", feature = "model-swift"))]

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use vatic::{DecodeOptions, Error, Mode, Model, ModelId, ModelRef, Options, Prior};
use vatic_transformer::ModelFile;

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
const SWIFT: &[u8] = include_bytes!("../../../models/swift/model.safetensors");

fn tokens() -> Options {
    Options::new().mode(Mode::Tokens)
}

/// `swift`, but it expects digits wherever it is.
fn expecting_digits() -> Model {
    let mut file = ModelFile::from_bytes(SWIFT).unwrap();
    let mut by_id: Vec<&[u8]> = file.tokens.iter().map(Vec::as_slice).collect();
    by_id.sort_unstable();
    for (start, bias) in file.starts.iter().zip(&mut file.head_bias) {
        if by_id[*start as usize][0].is_ascii_digit() {
            *bias += 4.0;
        }
    }
    Model::from_bytes(&file.to_bytes().unwrap()).unwrap()
}

/// Digits without any sense.
fn digits(n: usize) -> Vec<u8> {
    let mut state = 1u64;
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        b'0' + ((state >> 33) % 10) as u8
    };
    (0..n).map(step).collect()
}

/// The models of the frames.
fn models_of(packed: &[u8]) -> Vec<ModelRef> {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    info.frames.iter().filter_map(|frame| frame.model).collect()
}

fn chosen(options: &Options, text: &[u8]) -> ModelId {
    options.model_for(text).unwrap().unwrap().id()
}

#[test]
fn the_choice_is_nearly_the_best_that_there_is() {
    let models = [Model::swift(), expecting_digits()];
    let fixtures = FIXTURES.map(<[u8]>::to_vec);
    for fixture in fixtures.into_iter().chain([digits(5000)]) {
        for content in [&fixture[..300], &fixture[..fixture.len().min(5000)]] {
            let size = |models: &[Model]| {
                let options = tokens().models(models.iter().cloned());
                vatic::compress(content, &options).unwrap().len()
            };
            let best = models.iter().map(|model| size(std::slice::from_ref(model)));
            let best = best.min().unwrap();
            // The one that is not inside the program is named in eight bytes instead of one.
            let packed = size(&models);
            assert!(
                packed <= best + best / 50 + 8,
                "{packed} of {}, where {best} are possible",
                content.len()
            );
        }
    }
}

/// Samples of a table are too small to show what experts will have learnt at its end.
#[test]
fn no_way_is_much_better_than_the_one_that_is_chosen() {
    let mut numbers = String::new();
    for n in 0..4000u32 {
        let code = 0x2F00 + n * 3 % 977;
        numbers += &format!("{:04X}\t{:04X}\t{}\n", 0x3400 + n, code, code % 7);
    }
    let files = [
        numbers.as_bytes(),
        include_bytes!("../../../fixtures/stations.csv"),
        include_bytes!("../../../fixtures/service.log"),
        include_bytes!("../../../fixtures/wave.bin"),
    ];
    for (n, content) in files.into_iter().enumerate() {
        let size = |options: Options| {
            let options = options.model(Some(Model::swift()));
            vatic::compress(content, &options).unwrap().len()
        };
        let by_bytes = size(Options::new().mode(Mode::Bytes));
        let by_tokens = size(Options::new().mode(Mode::Tokens));
        for (least_gain, thorough) in [(5, false), (0, true)] {
            let options = Options::new().least_gain(least_gain).thorough(thorough);
            let chosen = size(options);
            let note = format!("{n}: {chosen} of {by_bytes} and {by_tokens}");
            assert!(chosen <= by_bytes, "{note}");
            let percent = 100 + least_gain as usize;
            assert!(chosen * 100 <= by_tokens * percent, "{note}");
        }
    }
}

/// A list of styles as documents have it: where bytes leave next to nothing of it, tokens are not tried.
#[test]
fn what_repeats_itself_takes_no_transformer_s_time() {
    let names = ["Grid", "List", "Shading", "Table", "Colorful"];
    let edges = ["top", "left", "bottom", "right", "insideH", "insideV"];
    let mut styles = String::from("<w:styles>\n");
    for n in 0..320u32 {
        let (name, accent) = (names[n as usize % 5], n % 7);
        styles += &format!("<w:style w:type=\"table\" w:styleId=\"{name}{n}\">\n");
        styles += &format!("<w:name w:val=\"{name} {n} Accent {accent}\"/>\n<w:tblBorders>\n");
        for edge in edges {
            let color = (n / 7 + 1).wrapping_mul(0x9E_3779) & 0xFF_FFFF;
            styles += &format!("<w:{edge} w:val=\"single\" w:sz=\"8\" w:color=\"{color:06X}\"/>\n");
        }
        styles += "</w:tblBorders>\n<w:pPr><w:spacing w:after=\"0\" w:line=\"240\"/></w:pPr>\n</w:style>\n";
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hear = seen.clone();
    let options = Options::new()
        .model(Some(Model::swift()))
        .progress(move |at| hear.lock().unwrap().push(at.content_bytes));
    let packed = vatic::compress(styles.as_bytes(), &options).unwrap();
    assert!(models_of(&packed).is_empty());
    // Both ways were to be tried, of which bytes have the first fifth of the progress.
    let (all, seen) = (styles.len() as u64, seen.lock().unwrap());
    assert!(seen.iter().any(|&at| (1..=all / 5).contains(&at)));
    assert!(!seen.iter().any(|&at| (all / 5 + 1..all).contains(&at)));
    assert_eq!(seen.last(), Some(&all));
    assert_eq!(vatic::decompress(&packed).unwrap(), styles.as_bytes());
}

#[test]
fn frames_of_one_file_choose_for_themselves() {
    let size = 1 << 16;
    let story: Vec<u8> = STORY.iter().copied().cycle().take(size).collect();
    let content = [story, digits(size)].concat();
    let special = expecting_digits();
    let options = tokens()
        .models([Model::swift(), special.clone()])
        .frame_size(size);
    let packed = vatic::compress(&content, &options).unwrap();
    let models = models_of(&packed);
    assert_eq!(models.len(), 2);
    assert!(models[0].names(&Model::swift().id()));
    assert!(models[1].names(&special.id()));
    assert!(matches!(
        vatic::decompress(&packed),
        Err(Error::UnknownModel { .. })
    ));
    let decode = DecodeOptions::new().model(special);
    assert_eq!(vatic::decompress_with(&packed, &decode).unwrap(), content);
}

#[test]
fn what_is_given_is_chosen_from() {
    assert_eq!(chosen(&Options::new(), CHINESE), Model::base().id());
    let swift = Options::new().model(Some(Model::swift()));
    assert_eq!(chosen(&swift, CHINESE), Model::swift().id());
    let none = Options::new().models([]);
    assert!(none.model_for(STORY).unwrap().is_none());
    // The first of equals, and any order.
    let both = [Model::swift(), expecting_digits()];
    let there = Options::new().models(both.clone());
    let back = Options::new().models(both.iter().rev().cloned());
    for text in [STORY, &digits(3000)] {
        assert_eq!(chosen(&there, text), chosen(&back, text));
    }
    assert_eq!(chosen(&there, b""), both[0].id());
    assert_eq!(chosen(&back, b""), both[1].id());
}

#[test]
fn a_prior_brings_its_model() {
    let samples: Vec<&[u8]> = STORY.split(|&byte| byte == b'\n').take(40).collect();
    let special = expecting_digits();
    let options = Options::new()
        .memory_log2(16)
        .models([Model::swift(), special.clone()]);
    let prior = Prior::learn(&samples, &options.clone().model(Some(special.clone()))).unwrap();
    // A story, but the prior was learnt with another model than would be chosen for it.
    let with = options.prior(Some(prior.clone()));
    let packed = vatic::compress(&STORY[..3000], &with).unwrap();
    assert!(models_of(&packed)[0].names(&special.id()));
    let decode = DecodeOptions::new().prior(prior).model(special);
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
    let one = Options::new().model(Some(Model::swift()));
    let two = Options::new().models([expecting_digits(), Model::swift()]);
    for fixture in FIXTURES {
        let text = &fixture[..600];
        let message = vatic::message::compress(text, &two).unwrap();
        let back = vatic::message::decompress(&message, &two, 600).unwrap();
        assert_eq!(back, text);
        // One bit says which of two models.
        let plain = vatic::message::compress(text, &one).unwrap();
        assert!(message.len() <= plain.len() + 1);
    }
    // Of three models two bits name four: one that there is not.
    let few = two.models([expecting_digits(), Model::swift(), Model::base()]);
    let refused = (0..=255u8)
        .map(|byte| vatic::message::decompress(&[20, byte, 1, 2, 3], &few, 100))
        .filter(
            |result| matches!(result, Err(Error::Corrupt { what, .. }) if what.contains("model")),
        )
        .count();
    assert_eq!(refused, 64);
}
