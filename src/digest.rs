//! Contents by a short name of theirs: the first 128 bits of BLAKE3, in hex.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
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

/// A digest of every number in named tensors, in their order.
///
/// # Errors
///
/// If a tensor cannot be read back from its device.
pub(crate) fn tensors<'a>(
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> Result<String> {
    let mut digest = Digest::default();
    for (name, tensor) in tensors {
        digest.update(format!("{name}{:?}", tensor.dims()).as_bytes());
        let bytes = bytes(tensor).map_err(Error::tensor("reading a tensor"))?;
        digest.update(&bytes);
    }
    Ok(digest.hex())
}

fn bytes(tensor: &Tensor) -> candle_core::Result<Vec<u8>> {
    let flat = tensor.flatten_all()?.to_device(&Device::Cpu)?;
    Ok(match flat.dtype() {
        DType::U32 => flat
            .to_vec1::<u32>()?
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect(),
        DType::I64 => flat
            .to_vec1::<i64>()?
            .into_iter()
            .flat_map(i64::to_le_bytes)
            .collect(),
        _ => flat
            .to_dtype(DType::F32)?
            .to_vec1::<f32>()?
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect(),
    })
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
