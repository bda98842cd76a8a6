//! Members: the magic number and the frames up to the last, as a sequence of headers, payloads and contents.

pub(crate) mod ahead;
mod decode;
mod encode;
mod scan;

pub(crate) use ahead::ROOM;
pub(crate) use decode::{FrameDecoder, Ready};
pub(crate) use encode::{After, FrameEncoder, FrameSource};
pub(crate) use scan::{Found, Scanner};
