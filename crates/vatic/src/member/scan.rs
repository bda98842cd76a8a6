//! Walks from header to header.

use std::io::{self, Read};

use crate::error::{Error, Result};
use crate::format::{FORMAT_VERSION, Header, MAGIC};

/// Knows where in a sequence of members the next bytes stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanner {
    /// Members begun so far.
    pub members: u64,
    /// Whether the last header read was not the member's last.
    inside: bool,
    /// Content bytes of the current member before the next frame.
    offset: u64,
    /// Frames with content so far, over all members.
    frames: u64,
}

/// A header and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub header: Header,
    /// The number of the frame among those with content.
    pub frame: u64,
    /// The number of its member, from 1.
    pub member: u64,
    /// Where the frame's content begins in its member.
    pub offset: u64,
}

impl Found {
    /// Whether its payload ends before it should.
    pub(crate) fn is_cut(&self, payload: &[u8]) -> bool {
        payload.len() < self.header.payload as usize
    }

    /// Its content has another checksum.
    pub(crate) fn is_wrong(&self) -> Error {
        Error::Checksum { frame: self.frame }
    }
}

impl Scanner {
    /// Reads the next header, with the magic number before it where a member begins; the reader then stands at the
    /// payload. `None` where the data properly ends. After an error the scanner is as it was, so that one that ran out of
    /// data can be asked again with more.
    pub(crate) fn next(&mut self, reader: &mut impl Read) -> Result<Option<Found>> {
        let mut after = self.clone();
        if !after.inside {
            if !after.magic(reader)? {
                return Ok(None);
            }
            after.members += 1;
            after.offset = 0;
        }
        let header = Header::read(reader)?;
        let found = Found {
            header,
            frame: after.frames,
            member: after.members,
            offset: after.offset,
        };
        after.inside = !header.last;
        after.offset += u64::from(header.content);
        after.frames += u64::from(header.content > 0);
        *self = after;
        Ok(Some(found))
    }

    /// Whether the data may end here.
    pub(crate) fn may_end(&self) -> bool {
        self.members > 0 && !self.inside
    }

    fn magic(&self, reader: &mut impl Read) -> Result<bool> {
        let mut start = [0; 4];
        let mut have = 0;
        while have < 4 {
            match reader.read(&mut start[have..]) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::reading(error)),
            }
        }
        if have == 4 && start == MAGIC {
            Ok(true)
        } else if have == 0 && self.members > 0 {
            Ok(false)
        } else if have > 0 && have < 4 && start[..have] == MAGIC[..have] {
            Err(Error::Truncated)
        } else if have == 4 && start[..3] == MAGIC[..3] {
            debug_assert_ne!(start[3], FORMAT_VERSION);
            Err(Error::Version { found: start[3] })
        } else if self.members == 0 {
            Err(Error::NotVatic)
        } else {
            Err(Error::TrailingGarbage { found: have })
        }
    }
}
