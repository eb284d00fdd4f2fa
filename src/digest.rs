//! Contents by a short name of theirs: the first 128 bits of BLAKE3, in hex.

use std::io::Read;

/// Takes bytes in pieces.
#[derive(Default)]
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes all that `reader` gives.
    ///
    /// # Errors
    ///
    /// If it cannot be read to its end.
    pub(crate) fn read(&mut self, reader: impl Read) -> std::io::Result<()> {
        self.0.update_reader(reader)?;
        Ok(())
    }

    /// The 32 hex digits of what was taken.
    pub(crate) fn hex(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

/// The digest of `bytes`.
pub(crate) fn of(bytes: &[u8]) -> String {
    let mut digest = Digest::default();
    digest.update(bytes);
    digest.hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_begins_like_blake3s() {
        // From BLAKE3's own test vectors: input lengths 0 and 1.
        assert_eq!(of(b""), "af1349b9f5f9a1a6a0404dea36dcc949");
        assert_eq!(of(&[0]), "2d3adedff11b61f14c886e35afa03673");
        let mut pieces = Digest::default();
        pieces.update(b"a");
        pieces.read(&b"bc"[..]).expect("readable");
        assert_eq!(pieces.hex(), of(b"abc"));
    }
}
