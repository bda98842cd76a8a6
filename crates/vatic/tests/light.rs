//! Light work beside a transformer: it is said in the frame, costs little, and is left where there is nothing to be saved.

use std::io::Cursor;

use vatic::{DecodeOptions, Mode, Model, Options, Prior};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
const HANDBOOK: &[u8] = include_bytes!("../../../fixtures/handbook.md");

fn swift() -> Options {
    Options::new().model(Some(Model::swift()))
}

/// Whether each frame is light, and decodes.
fn light(packed: &[u8]) -> Vec<bool> {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    info.frames.iter().map(|frame| frame.light).collect()
}

/// A text without repeats from which on work is light.
fn text() -> Vec<u8> {
    let mut text = [STORY, HANDBOOK].concat();
    let mut shift = 1;
    while text.len() < 40_000 {
        // The same words in another order.
        let mut lines: Vec<&[u8]> = STORY.split_inclusive(|&byte| byte == b' ').collect();
        let middle = lines.len() * shift / 7 % lines.len();
        lines.rotate_left(middle);
        lines.sort_by_key(|word| (word.len() * shift) % 11);
        text.extend(lines.concat());
        shift += 1;
    }
    text
}

#[test]
fn it_is_said_and_costs_little() {
    let content = text();
    let options = swift().mode(Mode::Auto).least_gain(0);
    let usual = vatic::compress(&content, &options).unwrap();
    let packed = vatic::compress(&content, &options.clone().light(true)).unwrap();
    assert_eq!((light(&usual), light(&packed)), (vec![false], vec![true]));
    assert!(
        usual.len() < packed.len() && packed.len() * 100 < usual.len() * 107,
        "{} {}",
        usual.len(),
        packed.len()
    );
    // Nobody has to be told, and threads change nothing.
    for threads in [1, 3] {
        let options = options.clone().light(true).threads(threads);
        assert!(vatic::compress(&content, &options).unwrap() == packed);
        let options = DecodeOptions::new().threads(threads);
        assert!(vatic::decompress_with(&packed, &options).unwrap() == content);
    }
    let (mut part, range) = (Vec::new(), 30_000..30_100);
    let decode = DecodeOptions::new();
    vatic::decompress_range(Cursor::new(&packed), range, &mut part, &decode).unwrap();
    assert!(part == content[30_000..30_100]);
}

/// Frames of the same model that are decoded side by side look back as far as each of them says.
#[test]
fn light_frames_and_others_are_decoded_side_by_side() {
    let piece = &STORY[..STORY.len().min(5000)];
    let options = swift().mode(Mode::Tokens).streams_log2(Some(0));
    let [usual, packed] =
        [false, true].map(|light| vatic::compress(piece, &options.clone().light(light)).unwrap());
    assert!(usual != packed);
    let together = [&usual[..], &packed, &usual, &packed, &packed].concat();
    assert_eq!(light(&together), [false, true, false, true, true]);
    for ahead in [false, true] {
        let mut decoded = Vec::new();
        let options = DecodeOptions::new().read_ahead(ahead).threads(2);
        vatic::copy_decompress(&together[..], &mut decoded, &options).unwrap();
        assert!(decoded == piece.repeat(5), "{ahead}");
    }
    let many = vatic::decompress_many(&[&usual, &packed, &usual], &DecodeOptions::new());
    assert!(many.into_iter().all(|content| content.unwrap().0 == piece));
}

#[test]
fn small_files_messages_priors_and_bytes_stay_as_they_are() {
    let same = |content: &[u8], options: Options| {
        let usual = vatic::compress(content, &options).unwrap();
        assert!(vatic::compress(content, &options.light(true)).unwrap() == usual);
    };
    same(&STORY[..3000], swift());
    same(&text(), swift().mode(Mode::Bytes));
    same(&text(), Options::new().model(None));
    let prior = Prior::learn(&[HANDBOOK], &swift().light(true)).unwrap();
    assert!(prior.to_bytes() == Prior::learn(&[HANDBOOK], &swift()).unwrap().to_bytes());
    same(
        &STORY[..3000],
        swift().mode(Mode::Tokens).prior(Some(prior)),
    );
    let message = |options| vatic::message::compress(&STORY[..900], &options).unwrap();
    let usual = message(swift());
    assert!(message(swift().light(true)) == usual);
    let back = vatic::message::decompress(&usual, &swift().light(true), 900).unwrap();
    assert!(back == STORY[..900]);
}
