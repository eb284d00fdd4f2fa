//! Slices of candle's storages.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of a contiguous CPU storage.
pub(super) fn of<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> Result<&'a [f32]> {
    let Some((from, to)) = layout.contiguous_offsets() else {
        bail!("a kernel received a tensor that is not contiguous")
    };
    Ok(&storage.as_slice::<f32>()?[from..to])
}

/// Calls `work` with the numbers of contiguous CPU tensors.
pub(super) fn with_all<R>(
    tensors: &[&Tensor],
    work: impl FnOnce(&[&[f32]]) -> Result<R>,
) -> Result<R> {
    let held: Vec<_> =
        tensors.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let slices: Vec<&[f32]> = held
        .iter()
        .map(|(storage, layout)| match &**storage {
            Storage::Cpu(storage) => of(storage, layout),
            _ => bail!("a CPU kernel received a tensor of another device"),
        })
        .collect::<Result<_>>()?;
    work(&slices)
}

/// The numbers of a tensor of u32 on the CPU.
pub(super) fn indices(tensor: &Tensor) -> Result<Vec<u32>> {
    tensor.flatten_all()?.to_vec1::<u32>()
}
