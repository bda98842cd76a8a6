use super::planes::{Planes, all};
use super::scan::Segment;
use super::*;
use crate::numbers::write as write_number;
use proptest::prelude::*;
use vatic_jpeg::{Frame, Huffman};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Content, frame and scans of a file's picture, and what stands before it.
struct Taken {
    before: Vec<u8>,
    content: Vec<u8>,
    frame: Frame,
    scans: Vec<Scan>,
}

fn take(file: &[u8]) -> Option<Taken> {
    let picture = apart(file, usize::MAX, &mut crate::unpack::Steps::new(1 << 30))?;
    let recipe = &mut &picture.recipe[..];
    assert_eq!(read_size(recipe).unwrap(), picture.content.len());
    let (planes, _) = sequential::read(&picture.content, usize::MAX).unwrap();
    let count = read_number(recipe).unwrap();
    let scans = (0..count).map(|_| Scan::read(recipe, &planes.frame).unwrap());
    let scans = scans.collect();
    assert!(recipe.is_empty());
    Some(Taken {
        before: file[..picture.before].to_vec(),
        content: picture.content,
        frame: planes.frame,
        scans,
    })
}

/// The file of a picture in such scans.
fn made(taken: &Taken, scans: &[Scan]) -> Result<Vec<u8>, Error> {
    let mut recipe = Vec::new();
    write_number(taken.content.len() as u64, &mut recipe);
    write_number(scans.len() as u64, &mut recipe);
    scans.iter().for_each(|scan| scan.write(&mut recipe));
    let mut out = taken.before.clone();
    let mut give = |bytes: &[u8]| {
        out.extend(bytes);
        Ok(())
    };
    again(&taken.content, &mut &recipe[..], usize::MAX, &mut give)?;
    out.extend([0xFF, 0xD9]);
    Ok(out)
}

const FILES: [&str; 4] = ["hills.jpg", "restarts.jpg", "grey.jpg", "scans.jpg"];

#[test]
fn scans_of_libjpeg_follow_from_its_rules() {
    for name in FILES {
        let file = file(name);
        let taken = take(&file).expect(name);
        assert_eq!(made(&taken, &taken.scans).unwrap(), file, "{name}");
        for scan in &taken.scans {
            assert!(scan.ends.is_empty() && scan.has_limit, "{name}");
            let is_told = |segment: &Segment| match segment {
                Segment::Codes(codes) => codes.iter().any(|(_, code)| code.is_some()),
                Segment::Other(..) => false,
            };
            assert!(!scan.before.iter().any(is_told), "{name}");
        }
    }
}

/// A code that has a word for all symbols: 255 of nine bits, one of ten.
fn flat() -> Huffman {
    let mut counts = [0; 16];
    (counts[8], counts[9]) = (255, 1);
    Huffman::new(counts, (0..=255).rev().collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Shorter runs, other codes and restarts, as other programs may have them.
    #[test]
    fn pictures_of_other_programs_come_back(
        name in prop::sample::select(&FILES[..]),
        most_run in prop_oneof![Just(1u32), 2u32..9, Just(scan::LONGEST_RUN)],
        has_limit in any::<bool>(),
        ends in prop::collection::btree_set(1usize..60, 0..12),
        has_own_codes in any::<bool>(),
        interval in prop_oneof![Just(0u16), 1u16..30],
    ) {
        let taken = take(&file(name)).unwrap();
        let mut scans = taken.scans.clone();
        for scan in &mut scans {
            if has_own_codes {
                for segment in &mut scan.before {
                    if let Segment::Codes(codes) = segment {
                        codes.iter_mut().for_each(|(_, code)| *code = Some(flat()));
                    }
                }
            }
            scan.most_run = most_run;
            scan.has_limit = has_limit;
            scan.ends = ends.iter().copied().collect();
        }
        scans[0].before.push(Segment::Other(scan::INTERVAL, interval.to_be_bytes().to_vec()));
        let file = made(&taken, &scans).unwrap();
        let again = take(&file).unwrap();
        prop_assert_eq!(&again.content, &taken.content);
        prop_assert_eq!(made(&again, &again.scans).unwrap(), file);
        // Of the ends that were told only those are told that say something.
        for (found, made) in again.scans.iter().zip(&scans) {
            prop_assert!(found.ends.len() <= made.ends.len() || most_run > 1);
        }
    }

    #[test]
    fn recipes_that_are_damaged_are_refused_or_make_something(
        name in prop::sample::select(&FILES[..]),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let file = file(name);
        let picture = apart(&file, usize::MAX, &mut crate::unpack::Steps::new(1 << 30)).unwrap();
        let (mut content, mut recipe) = (picture.content, picture.recipe);
        let all = content.len() + recipe.len();
        match at.index(all) {
            at if at < content.len() => content[at] ^= byte,
            at => recipe[at - content.len()] ^= byte,
        }
        let mut out: Vec<u8> = Vec::new();
        let mut give = |bytes: &[u8]| {
            out.extend(bytes);
            if out.len() > 1 << 20 { Err(Error::Length) } else { Ok(()) }
        };
        let done = again(&content, &mut &recipe[..], usize::MAX, &mut give);
        prop_assert!(done.is_err() || done == Ok(content.len()));
    }
}

/// A strip of blocks without a zero, of which the first scan says all but the last bit.
fn strip(blocks: u16) -> (Vec<u8>, Vec<u8>) {
    let [high, low] = (8 * blocks).to_be_bytes();
    let header = [8, 0, 8, high, low, 1, 1, 0x11, 0];
    let mut planes = Planes::new(Frame::read(&header).unwrap()).unwrap();
    for n in 0..usize::from(blocks) {
        *planes.block_mut(n) = std::array::from_fn(|k| if k % 2 == 0 { 3 } else { -2 });
    }
    let segment = [&[0, 11][..], &header].concat();
    let content = sequential::write(&planes, &segment).unwrap();
    let mut recipe = Vec::new();
    write_number(content.len() as u64, &mut recipe);
    write_number(3, &mut recipe);
    recipe.extend([0, 1, 1, 0, 0, 0, 0]);
    recipe.extend([0, 1, 1, 0, 1, 63, 0x01, 0]);
    recipe.extend([0, 1, 1, 0, 1, 63, 0x10]);
    (content, recipe)
}

#[test]
fn what_is_put_off_has_a_limit() {
    let (content, recipe) = strip(40);
    for (rules, longest) in [(0, 15), (2, 40), ((scan::LONGEST_RUN - 7) << 2, 7)] {
        let mut recipe = recipe.clone();
        write_number(rules.into(), &mut recipe);
        let mut data = vec![0xFF, 0xD8];
        let mut give = |bytes: &[u8]| {
            data.extend(bytes);
            Ok(())
        };
        again(&content, &mut &recipe[..], usize::MAX, &mut give).unwrap();
        data.extend([0xFF, 0xD9]);
        let taken = take(&data).unwrap();
        assert!(taken.content == content);
        let last = &taken.scans[2];
        // Runs of seven are none of libjpeg's: where they end is told.
        let ends: Vec<usize> = (1..40usize.div_ceil(longest))
            .map(|n| n * longest)
            .collect();
        assert_eq!(last.has_limit, longest < 40);
        assert_eq!(last.ends, if longest == 7 { ends } else { vec![] });
        assert_eq!(taken.scans[1].ends, []);
    }
}

#[test]
fn pictures_take_no_more_memory_than_is_allowed() {
    let (content, mut recipe) = strip(40);
    recipe.push(0);
    let within = |memory| again(&content, &mut &recipe[..], memory, &mut |_| Ok(()));
    assert_eq!(within(40 * 128), Ok(content.len()));
    assert_eq!(within(40 * 128 - 1), Err(Error::Memory(40 * 128)));
    // Blocks that cannot be there are not made room for.
    let mut claims = content;
    let width = claims
        .windows(2)
        .position(|pair| pair == [0x01, 0x40])
        .unwrap();
    claims[width] = 0xFF;
    let refused = again(&claims, &mut &recipe[..], usize::MAX, &mut |_| Ok(()));
    assert_eq!(refused, Err(Error::Picture));
}

#[test]
fn what_is_no_progressive_picture_stays() {
    let whole = file("hills.jpg");
    for length in 0..whole.len() {
        assert!(take(&whole[..length]).is_none(), "{length}");
    }
    assert!(take(&whole).is_some());
    // No height, and more colours than there is room for.
    let at = whole
        .windows(2)
        .position(|pair| pair == [0xFF, PROGRESSIVE])
        .unwrap();
    for (place, byte) in [
        (at + 1, SEQUENTIAL),
        (at + 6, 0),
        (at + 9, 0),
        (at + 11, 0x44),
    ] {
        let mut other = whole.clone();
        other[place] = byte;
        assert!(take(&other).is_none(), "{place}");
    }
}

#[test]
fn the_usual_scan_of_all_components() {
    let frame = take(&file("hills.jpg")).unwrap().frame;
    let codes: Vec<[usize; 2]> = all(&frame).iter().map(|part| part.codes).collect();
    assert_eq!(codes, [[0; 2], [1; 2], [1; 2]]);
}

#[test]
fn a_sequential_picture_is_one_that_can_be_foretold() {
    let (content, mut recipe) = strip(40);
    recipe.push(0);
    let refused = |content: &[u8]| {
        again(content, &mut &recipe[..], usize::MAX, &mut |_| Ok(())) == Err(Error::Picture)
    };
    assert!(!refused(&content));
    // Nothing of what comes before the scan may be another.
    for at in 0..13 + 4 + 10 {
        let mut other = content.clone();
        other[at] ^= 0x40;
        // The number of the table of steps says nothing here.
        assert!(refused(&other) || at == 12, "{at}");
    }
}
