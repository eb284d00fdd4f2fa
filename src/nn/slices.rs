//! Between candle's storages and slices.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of a contiguous CPU storage.
pub(super) fn of<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> Result<&'a [f32]> {
    let Some((from, to)) = layout.contiguous_offsets() else {
        bail!("a kernel got a tensor that is not contiguous")
    };
    Ok(&storage.as_slice::<f32>()?[from..to])
}

/// Calls `work` with the numbers of a tensor, made contiguous first.
pub(super) fn with<R>(
    tensor: &Tensor,
    work: impl FnOnce(&[f32]) -> Result<R>,
) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => work(of(storage, layout)?),
        _ => bail!("a CPU kernel got a tensor of another device"),
    }
}
