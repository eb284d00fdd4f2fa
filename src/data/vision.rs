//! Picture sets from a folder of the user: MNIST and Fashion-MNIST as idx
//! files, CIFAR-10 in its binary form.
//!
//! The feature `hub` adds downloads by candle-datasets, with several hundred
//! crates and minutes of build time. Folders are always read by this file: the
//! readers of candle-datasets neither check the number of labels nor
//! decompress.

use super::pack::Idx;
use super::plain::{Plain, standardise_all};
use crate::error::{Error, Result};
use crate::gzip;
use crate::spec::{CIFAR_FILES, MNIST_FILES};
use std::path::{Path, PathBuf};

/// Share of the training pictures, at the end, that is validation.
const VALID_SHARE: usize = 10;

/// Number of classes of each of the three sets.
const CLASSES: u32 = 10;

/// Pictures in their official order, and labels.
struct Pictures {
    shape: Vec<usize>,
    train: (Vec<f32>, Vec<u32>),
    test: (Vec<f32>, Vec<u32>),
}

/// MNIST, from the four idx files in `dir`, or from the hub.
///
/// # Errors
///
/// If a file is missing or damaged, or the hub is not reachable.
pub(super) fn mnist(dir: Option<PathBuf>) -> Result<Plain> {
    match dir {
        Some(dir) => split(idx_folder(&dir)?, &dir.display().to_string()),
        None => split(hub::mnist()?, "mnist"),
    }
}

/// Fashion-MNIST, which has the format of MNIST.
///
/// # Errors
///
/// As [`mnist`].
pub(super) fn fashion_mnist(dir: Option<PathBuf>) -> Result<Plain> {
    match dir {
        Some(dir) => split(idx_folder(&dir)?, &dir.display().to_string()),
        None => split(hub::fashion_mnist()?, "fashion-mnist"),
    }
}

/// CIFAR-10, from the six binary files in `dir`, or from the hub.
///
/// # Errors
///
/// As [`mnist`].
pub(super) fn cifar10(dir: Option<PathBuf>) -> Result<Plain> {
    match dir {
        Some(dir) => split(cifar_folder(&dir)?, &dir.display().to_string()),
        None => split(hub::cifar10()?, "cifar-10"),
    }
}

/// Splits off the validation part and standardises; `source` is for messages.
fn split(pictures: Pictures, source: &str) -> Result<Plain> {
    let Pictures { shape, mut train, test } = pictures;
    let refuse =
        |what: String| Err(Error::Invalid(format!("{source}: {what}")));
    let width: usize = shape.iter().product();
    let n = train.1.len();
    if n < VALID_SHARE || test.1.is_empty() || width == 0 {
        return refuse(format!(
            "{n} training and {} test pictures of shape {shape:?} are too \
             few to train on",
            test.1.len()
        ));
    }
    for (name, (values, labels)) in [("training", &train), ("test", &test)] {
        if values.len() != labels.len() * width {
            return refuse(format!(
                "{} {name} labels for {} pixels in pictures of shape \
                 {shape:?}: the files do not belong together",
                labels.len(),
                values.len()
            ));
        }
        if let Some(label) = labels.iter().find(|&&label| label >= CLASSES) {
            return refuse(format!(
                "a {name} label is {label}, but there are only {CLASSES} \
                 classes: check that this is the right file"
            ));
        }
    }
    let cut = n - n / VALID_SHARE;
    let valid = (train.0.split_off(cut * width), train.1.split_off(cut));
    let mut inputs = [train.0, valid.0, test.0];
    standardise_all(&mut inputs);
    let targets = [train.1, valid.1, test.1];
    Ok(Plain::classify(shape, CLASSES as usize, inputs, targets))
}

/// `dir`/`name`, or its compressed form `name`.gz, uncompressed.
fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
    let path = dir.join(name);
    if path.is_file() {
        return std::fs::read(&path).map_err(Error::io(&path));
    }
    let compressed = dir.join(format!("{name}.gz"));
    if compressed.is_file() {
        let bytes =
            std::fs::read(&compressed).map_err(Error::io(&compressed))?;
        return gzip::unpacked(&compressed, &bytes);
    }
    Err(Error::Invalid(format!(
        "missing file `{}`: `dir` is the folder of the files themselves, such \
         as torchvision's `MNIST/raw` or `cifar-10-batches-bin`",
        path.display()
    )))
}

/// The four files of MNIST.
fn idx_folder(dir: &Path) -> Result<Pictures> {
    let idx = |name: &str| {
        Idx::parse(&read(dir, name)?)
            .map_err(|message| Error::Corrupt { path: dir.join(name), message })
    };
    let pair = |images: &str, labels: &str| -> Result<(Idx, Idx)> {
        let (images, labels) = (idx(images)?, idx(labels)?);
        let fits = images.shape.len() == 3
            && labels.shape.len() == 1
            && images.shape[0] == labels.shape[0];
        if fits {
            return Ok((images, labels));
        }
        Err(Error::Invalid(format!(
            "{}: images of shape {:?} with labels of shape {:?}: the files \
             do not belong together",
            dir.display(),
            images.shape,
            labels.shape
        )))
    };
    let [train_images, train_labels, test_images, test_labels] = MNIST_FILES;
    let train = pair(train_images, train_labels)?;
    let test = pair(test_images, test_labels)?;
    let shape = [&[1], &train.0.shape[1..]].concat();
    let [train, test] =
        [train, test].map(|(images, labels)| (images.values, labels.labels()));
    Ok(Pictures { shape, train, test })
}

/// The six files of CIFAR-10: records of a label and three planes.
fn cifar_folder(dir: &Path) -> Result<Pictures> {
    const PIXELS: usize = 3 * 32 * 32;
    let mut train = (vec![], vec![]);
    let mut test = (vec![], vec![]);
    for name in CIFAR_FILES {
        let bytes = read(dir, name)?;
        let records = bytes.chunks_exact(1 + PIXELS);
        if !records.remainder().is_empty() || bytes.is_empty() {
            return Err(Error::Corrupt {
                path: dir.join(name),
                message: format!(
                    "{} bytes are not a whole number of pictures of {}",
                    bytes.len(),
                    1 + PIXELS
                ),
            });
        }
        let part =
            if name.starts_with("test") { &mut test } else { &mut train };
        for record in records {
            part.1.push(u32::from(record[0]));
            part.0.extend(record[1..].iter().map(|&b| f32::from(b)));
        }
    }
    Ok(Pictures { shape: vec![3, 32, 32], train, test })
}

/// Downloads.
#[cfg(feature = "hub")]
mod hub {
    use super::{Error, Pictures, Result};
    use candle_core::{DType, Tensor};
    use candle_datasets::vision;

    pub(super) fn mnist() -> Result<Pictures> {
        pictures(vision::mnist::load(), false)
    }

    pub(super) fn fashion_mnist() -> Result<Pictures> {
        pictures(vision::fashion_mnist::load(), false)
    }

    pub(super) fn cifar10() -> Result<Pictures> {
        // candle-datasets gives the hub's pictures transposed.
        pictures(vision::cifar::load(), true)
    }

    /// Square pictures of one or three planes.
    fn pictures(
        loaded: candle_core::Result<vision::Dataset>,
        transposed: bool,
    ) -> Result<Pictures> {
        let convert = || {
            let set = loaded?;
            let image = |images: &Tensor| -> candle_core::Result<Tensor> {
                let upright = if transposed {
                    images.transpose(2, 3)?.contiguous()?
                } else {
                    images.clone()
                };
                upright.flatten_from(1)
            };
            let train = image(&set.train_images)?;
            let test = image(&set.test_images)?;
            let (_, width) = train.dims2()?;
            let planes = if width % 3 == 0 { 3 } else { 1 };
            let side = (width / planes).isqrt();
            let values =
                |images: &Tensor| images.flatten_all()?.to_vec1::<f32>();
            let labels =
                |labels: &Tensor| labels.to_dtype(DType::U32)?.to_vec1::<u32>();
            Ok(Pictures {
                shape: vec![planes, side, side],
                train: (values(&train)?, labels(&set.train_labels)?),
                test: (values(&test)?, labels(&set.test_labels)?),
            })
        };
        convert().map_err(Error::tensor::<candle_core::Error>(
            "reading pictures with candle-datasets",
        ))
    }
}

/// Replaces downloads in builds without the feature `hub`.
#[cfg(not(feature = "hub"))]
mod hub {
    use super::{Error, Pictures, Result};

    pub(super) fn mnist() -> Result<Pictures> {
        refuse("mnist")
    }

    pub(super) fn fashion_mnist() -> Result<Pictures> {
        refuse("fashion-mnist")
    }

    pub(super) fn cifar10() -> Result<Pictures> {
        refuse("cifar-10")
    }

    fn refuse(name: &str) -> Result<Pictures> {
        Err(Error::Invalid(format!(
            "`{name}` without `dir` must be downloaded: give the folder of \
             its files with `dir`, or build with `--features hub`"
        )))
    }
}

#[cfg(all(test, feature = "hub"))]
mod tests {
    use super::*;
    use candle_core::DType;

    /// An idx file: `bytes` of the shape given.
    fn idx(shape: &[u32], bytes: impl Iterator<Item = u8>) -> Vec<u8> {
        let rank = u8::try_from(shape.len()).expect("a small rank");
        let mut file = vec![0, 0, 0x08, rank];
        file.extend(shape.iter().flat_map(|extent| extent.to_be_bytes()));
        file.extend(bytes);
        file
    }

    #[test]
    fn folders_read_as_candle_datasets_reads_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (part, n) in [("train", 20_u32), ("t10k", 5)] {
            let pixels = (0..n * 12).map(|i| (i * 7 % 256) as u8);
            let images = idx(&[n, 3, 4], pixels);
            let labels = idx(&[n], (0..n).map(|i| (i % 10) as u8));
            for (kind, bytes) in
                [("images-idx3", images), ("labels-idx1", labels)]
            {
                let name = format!("{part}-{kind}-ubyte");
                std::fs::write(folder.path().join(name), bytes)
                    .expect("writable");
            }
        }
        let ours = idx_folder(folder.path()).expect("readable");
        let theirs = candle_datasets::vision::mnist::load_dir(folder.path());
        let theirs = theirs.expect("readable");
        let values = |tensor: &candle_core::Tensor| {
            let flat = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
            flat.expect("f32")
        };
        let labels = |tensor: &candle_core::Tensor| {
            let wide = tensor.to_dtype(DType::U32);
            wide.and_then(|t| t.to_vec1::<u32>()).expect("u32")
        };
        assert_eq!(ours.shape, [1, 3, 4]);
        // Theirs are shares of 255, ours bytes: both are standardised later.
        let same = |ours: &[f32], theirs: &[f32]| {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours / 255.0 - theirs).abs() < 1e-6);
            }
        };
        same(&ours.train.0, &values(&theirs.train_images));
        assert_eq!(ours.train.1, labels(&theirs.train_labels));
        same(&ours.test.0, &values(&theirs.test_images));
        assert_eq!(ours.test.1, labels(&theirs.test_labels));
    }
}
