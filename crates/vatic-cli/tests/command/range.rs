//! Parts of a file.

use predicates::str::contains;

use crate::support::{Place, text};

#[test]
fn a_range_is_restored() {
    let place = Place::new();
    let content: Vec<u8> = text().into_iter().cycle().take(200_000).collect();
    place.write("a", &content);
    place
        .vatic(&["-q", "--model", "none", "--frame-size", "64K", "a"])
        .assert()
        .success();
    let range = |range: &str| {
        place
            .vatic(&["-c", "--range", range, "a.vtc"])
            .assert()
            .success()
            .get_output()
            .stdout
            .clone()
    };
    assert_eq!(range("0..10"), content[..10]);
    assert_eq!(range("65530..65550"), content[65530..65550]);
    assert_eq!(range("..3"), content[..3]);
    assert_eq!(range("190000.."), content[190_000..]);
    assert_eq!(range("100..1G"), content[100..]);
    place
        .vatic(&["-dc", "--range", "1G..2G", "a.vtc"])
        .assert()
        .code(1)
        .stderr(contains("a.vtc: the range begins"));
    place
        .vatic(&["-dc", "--range", "5..4", "a.vtc"])
        .assert()
        .code(2);
    place
        .vatic(&["-d", "--range", "0..4"])
        .write_stdin(place.read("a.vtc"))
        .assert()
        .code(1)
        .stderr(contains("random access"));
}

/// A place with `a`, which is one long frame of bytes, and `a.vtc`, damaged near its end.
fn damaged_at_the_end() -> (Place, Vec<u8>) {
    let place = Place::new();
    let lines = |n: u32| format!("{n:>6} {:>10}\n", n.wrapping_mul(2_654_435_761) >> 7);
    let content: Vec<u8> = (0..50_000).map(lines).collect::<String>().into();
    place.write("a", &content);
    let args = ["-q", "--model", "none", "a"];
    place.vatic(&args).assert().success();
    (place.vatic(&["-l", "a.vtc"]).assert()).stdout(contains("bytes"));
    let mut packed = place.read("a.vtc");
    let near_the_end = packed.len() - packed.len() / 20;
    packed[near_the_end] ^= 0x20;
    place.write("a.vtc", &packed);
    (place, content)
}

/// What is printed is there as soon as it is decoded, and no more than that is; a file is there when all of its frames are right.
#[test]
fn a_range_is_printed_without_decoding_what_follows_it() {
    let (place, content) = damaged_at_the_end();
    for (range, part) in [
        ("0..1000", &content[..1000]),
        ("..1", &content[..1]),
        ("70000..71000", &content[70_000..71_000]),
    ] {
        for args in [
            &["--range", range, "a.vtc"][..],
            &["-T1", "-dc", "--range", range, "a.vtc"],
        ] {
            (place.vatic(args).assert())
                .success()
                .stderr("")
                .stdout(part.to_vec());
        }
    }
    let args = ["-d", "-o", "x", "--range", "0..1000", "a.vtc"];
    (place.vatic(&args).assert())
        .code(1)
        .stdout("")
        .stderr(contains("a.vtc: frame 0 is damaged"));
    let args = [
        "--output-dir-flat",
        ".",
        "-f",
        "--range",
        "0..1000",
        "a.vtc",
    ];
    (place.vatic(&args).assert()).code(1);
    assert_eq!(place.names(), ["a", "a.vtc"]);
    assert_eq!(place.read("a"), content);
    // As with -dc, what goes into a file by way of standard output is decoded whole as well.
    let file = std::fs::File::create(place.path("x")).unwrap();
    let mut redirected = place.process(&["-qq", "--range", "0..1000", "a.vtc"]);
    assert_eq!(redirected.stdout(file).status().unwrap().code(), Some(1));
    assert_eq!(place.read("x"), b"");
}

/// The end of a frame is known to be right or wrong, and so is what was printed.
#[test]
fn a_range_to_the_end_of_a_frame_is_checked() {
    let (place, content) = damaged_at_the_end();
    let printed = (place.vatic(&["--range", "1000..", "a.vtc"]).assert())
        .code(1)
        .stderr(contains("a.vtc: frame 0 is damaged"));
    let printed = &printed.get_output().stdout;
    assert!(printed[..content.len() / 2] == content[1000..][..content.len() / 2]);
}

/// A text, by the transformer.
#[test]
fn a_range_of_text_is_printed_without_decoding_what_follows_it() {
    let place = Place::new();
    let story = include_bytes!("../../../../fixtures/story.txt");
    let handbook = include_bytes!("../../../../fixtures/handbook.md");
    let content = [&story[..], handbook].concat();
    place.write("a", &content);
    place.vatic(&["-q", "-1", "a"]).assert().success();
    let mut packed = place.read("a.vtc");
    let near_the_end = packed.len() - packed.len() / 20;
    packed[near_the_end] ^= 0x20;
    place.write("a.vtc", &packed);
    (place.vatic(&["--range", "100..900", "a.vtc"]).assert())
        .success()
        .stdout(content[100..900].to_vec());
    (place
        .vatic(&["--range", "100..900", "-o", "x", "a.vtc"])
        .assert())
    .code(1);
    assert_eq!(place.names(), ["a", "a.vtc"]);
}
