use super::*;
use proptest::prelude::*;
use written::lines as written;

#[path = "../../../vatic/tests/common/base64.rs"]
mod written;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 7u32;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(step).collect()
}

proptest! {
    #[test]
    fn lines_of_all_lengths_come_back(
        length in 3100usize..3400,
        width in prop_oneof![Just(0usize), Just(76), Just(64), 32usize..200],
        between in prop::sample::select(&["\n", "\r\n", "\\n", "\\r\\n", "\n ", "\r\n\t", "\n        ", "\" +\n    \"", "\n# "][..]),
        after in prop_oneof![Just(""), Just("\n"), Just("\r\n--x"), Just("=="), Just("A"), Just("\",")],
    ) {
        let content: Vec<u8> = noise(length).iter().map(|byte| byte & 0x5F).collect();
        let text = written(&content, width, between);
        let data = [text.as_bytes(), after.as_bytes()].concat();
        let taken = take(&data);
        // One character more makes the last four others.
        if after != "A" {
            prop_assert!(taken.content == content);
            prop_assert_eq!(taken.length, text.len());
        }
        prop_assert!(taken.length > 0 && taken.is_same(&data[..taken.length]));
        prop_assert!(taken.recipe.len() <= 5 + between.len());
    }

    #[test]
    fn what_is_damaged_comes_back_or_stays(
        width in prop_oneof![Just(0usize), 40usize..80],
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"=\nA/-\r\\n "[..])), 1..5),
    ) {
        let mut data = written(&noise(3000), width, "\n").into_bytes();
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let mut at = 0;
        while at < data.len() {
            let taken = take(&data[at..]);
            prop_assert!(taken.length == 0 || taken.is_same(&data[at..at + taken.length]));
            prop_assert!(taken.passed > 0);
            at += taken.length.max(taken.passed);
        }
    }

    #[test]
    fn any_recipe_is_refused_or_makes_something(
        content in prop::collection::vec(any::<u8>(), 0..200),
        recipe in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..20),
    ) {
        let mut length = 0;
        let mut give = |bytes: &[u8]| {
            length += bytes.len();
            Ok(())
        };
        let done = again(&content, &mut &recipe[..], &mut give);
        prop_assert!(done.is_err() || length >= done.clone().unwrap() / 3 * 4, "{:?}", done);
    }
}

#[test]
fn what_only_looks_like_it_stays() {
    let from = |characters: &str| -> Vec<u8> {
        let all = characters.as_bytes();
        noise(4000)
            .iter()
            .map(|&byte| all[usize::from(byte) * all.len() / 256])
            .collect()
    };
    for characters in [
        "ACGT",
        "ACDEFGHIKLMNPQRSTVWY",
        "0123456789abcdef",
        "0123456789ABCDEF",
        "abcdefghijklmnopqrstuvwxyz",
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    ] {
        let one = from(characters);
        let lines: Vec<u8> = one
            .chunks(60)
            .flat_map(|line| [line, b"\n"].concat())
            .collect();
        for data in [&one, &lines] {
            let taken = take(data);
            assert_eq!(taken.length, 0, "{characters}");
            assert!(
                taken.passed + 1 >= data.len(),
                "{} of {}",
                taken.passed,
                data.len()
            );
        }
    }
    // Too little, and too little that is noise; what may be taken apart is none.
    let text = |content: &[u8]| take(written(content, 64, "\n").as_bytes()).length;
    assert!(text(&noise(383)) == 0 && text(&noise(4000)) == 0 && text(&noise(4100)) > 0);
    assert!(text(&[b"\x1F\x8B\x08", &noise(500)[..]].concat()) > 0);
    assert_eq!(text(&b"only a few words.".repeat(20)), 0);
    assert!(text(&b"only a few words.".repeat(25)) > 0);
}

#[test]
fn bits_that_are_left_over_are_part_of_no_byte() {
    // "QQ==" is A, and so is "QR==" to those who do not look.
    let text = written(&noise(5000), 76, "\n");
    for (last, whole) in [
        ("QQ==", true),
        ("QR==", false),
        ("QUE=", true),
        ("QUF=", false),
        ("QQ=", false),
        ("Q", false),
    ] {
        let data = [&text[..text.len() - 4], last].concat();
        let taken = take(data.as_bytes());
        let length = if whole { data.len() } else { text.len() - 4 };
        assert_eq!(taken.length, length, "{last}");
    }
}

#[test]
fn one_line_ends_where_it_ends() {
    let line = written(&noise(5001), 0, "");
    for after in [
        "\nThe next line",
        "=\nThe next line",
        "\", \"and\": \"more\"",
        "\n\n",
        "",
    ] {
        let data = [line.as_bytes(), after.as_bytes()].concat();
        let taken = take(&data);
        assert_eq!(
            (taken.length, taken.content.len()),
            (line.len(), 5001),
            "{after}"
        );
    }
}
