//! Where the pictures are whose scans are read: what a sender wants to know before it codes.

use super::segments::{Segments, is_read};
use std::ops::Range;

/// The pictures that JPEG has compressed, in order, of those that are coded as such by [`Vocabulary::bytes`](crate::Vocabulary::bytes):
/// baseline and extended sequential ones (ITU-T T.81) of eight bits, from their first byte to the last one of their last scan or to its end
/// marker. Whether a scan is what it should be is not looked at.
///
/// ```
/// // Eight by eight pixels of grey: tables, frame and scan, whose last byte is filled with ones.
/// let steps = [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
/// let codes = |kind| [&[0xFF, 0xC4, 0, 20, kind, 1][..], &[0; 16]].concat();
/// let picture = [
///     &[0xFF, 0xD8][..],
///     &steps,
///     &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0],
///     &codes(0x00),
///     &codes(0x10),
///     &[0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 63, 0, 0b0011_1111, 0xFF, 0xD9],
/// ]
/// .concat();
/// let content = [&b"before"[..], &picture, b"after"].concat();
/// let found = vatic_coder::pictures(&content);
/// assert_eq!((found.len(), found[0].clone()), (1, 6..6 + picture.len()));
/// ```
pub fn pictures(content: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    // Headers within headers, of pictures that are none, would be read again and again.
    let mut effort = EFFORT * content.len();
    while let Some(ahead) = content[at..].iter().position(|&byte| byte == 0xFF) {
        at += ahead;
        match length(&content[at..], &mut effort) {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// So many bytes of headers are read for each byte of content, at most.
const EFFORT: usize = 4;

/// The length of the picture that `content` begins with, if it begins with one that has a scan. What is read of its headers is taken from `effort`.
fn length(content: &[u8], effort: &mut usize) -> Option<usize> {
    if !content.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return None;
    }
    let (mut segments, mut rest, mut found) = (Segments::default(), &content[2..], None);
    while let Some((&0xFF, after)) = rest.split_first() {
        let fill = after.iter().take_while(|&&byte| byte == 0xFF).count();
        let (&marker, after) = match after[fill..].split_first() {
            Some(marker) => marker,
            None => break,
        };
        if marker == 0xD9 && found.is_some() {
            return Some(content.len() - after.len());
        }
        let body = (after.split_first_chunk())
            .filter(|_| is_read(marker))
            .and_then(|(&length, after)| {
                after.split_at_checked(usize::from(u16::from_be_bytes(length)).checked_sub(2)?)
            });
        let Some((body, after)) = body else {
            break;
        };
        *effort = effort.checked_sub(body.len() + 4)?;
        match segments.read(marker, body) {
            None => break,
            Some(false) => rest = after,
            Some(true) => {
                rest = &after[scan(after)..];
                found = Some(content.len() - rest.len());
            }
        }
    }
    found
}

/// How long the scan is that `content` begins with: up to a marker that is no restart.
fn scan(content: &[u8]) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
    content.windows(2).position(ends).unwrap_or(content.len())
}
