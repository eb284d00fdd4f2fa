//! Compressed files: gzip (RFC 1952).

use crate::error::{Error, Result};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::borrow::Cow;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// The first bytes of a compressed file.
const MAGIC: &[u8] = b"\x1f\x8b";

/// The largest content: a small file may claim to hold terabytes.
const MOST: u64 = 1 << 31;

/// The content of `bytes`, which are as they are if they are not compressed;
/// `path` names the file in messages.
///
/// # Errors
///
/// If the file is damaged or its content is larger than 2 GiB.
pub(crate) fn plain<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    if bytes.starts_with(MAGIC) {
        return unpacked(path, bytes).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(bytes))
}

/// The content of compressed `bytes`.
///
/// # Errors
///
/// As [`plain`].
pub(crate) fn unpacked(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let wrong = |message: String| Error::input(path, "", 0, message);
    let mut content = vec![];
    MultiGzDecoder::new(bytes)
        .take(MOST + 1)
        .read_to_end(&mut content)
        .map_err(|error| {
            wrong(format!("this gzip file is damaged ({error}); get it again"))
        })?;
    if content.len() as u64 > MOST {
        return Err(wrong("its content is larger than 2 GiB".to_owned()));
    }
    Ok(content)
}

/// `content`, compressed: equal content gives equal bytes.
pub(crate) fn packed(content: &[u8]) -> Vec<u8> {
    let mut to = GzEncoder::new(vec![], Compression::best());
    let done = to.write_all(content).and_then(|()| to.finish());
    done.expect("a vector takes all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back() {
        let path = Path::new("runs.csv.gz");
        let text = b"a,b\n1,2\n".repeat(1000);
        let small = packed(&text);
        assert!(small.len() < 200);
        assert_eq!(small, packed(&text));
        assert_eq!(plain(path, &small).expect("whole")[..], text[..]);
        assert_eq!(plain(path, &text).expect("plain")[..], text[..]);
        let error = plain(path, &small[..50]).expect_err("cut off");
        assert!(error.to_string().contains("runs.csv.gz"), "{error}");
    }
}
