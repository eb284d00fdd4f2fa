//! Folders of MNIST and CIFAR.

use super::*;
use crate::gzip;

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let rank = u8::try_from(shape.len()).expect("a small rank");
    let mut bytes = vec![0, 0, 8, rank];
    bytes.extend(shape.iter().flat_map(|e| e.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A folder of 40 training and 10 test pictures of 3x3.
fn mnist_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, n) in [("train", 40_u8), ("t10k", 10)] {
        let pixels: Vec<u8> = (0..n).flat_map(|i| [i; 9]).collect();
        let labels: Vec<u8> = (0..n).map(|i| i % 10).collect();
        let images = idx(&[n.into(), 3, 3], &pixels);
        write(dir.path(), &format!("{name}-images-idx3-ubyte"), &images);
        let labels = idx(&[n.into()], &labels);
        write(dir.path(), &format!("{name}-labels-idx1-ubyte"), &labels);
    }
    dir
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).expect("a file");
}

fn read_mnist(dir: &Path) -> Result<Dataset> {
    let spec = DatasetSpec::Mnist { dir: Some("".into()) };
    let data = load(&spec, 0.0, dir, &Device::Cpu)?;
    data.check()?;
    Ok(data)
}

#[test]
fn a_folder_of_mnist_is_read() {
    let dir = mnist_folder();
    let data = read_mnist(dir.path()).expect("a folder");
    assert_eq!(data.input_shape(), [1, 3, 3]);
    assert_eq!(
        [data.train.len(), data.valid.len(), data.test.len()],
        [36, 4, 10]
    );
    let labels = |part: &Split| values(&part.targets);
    assert_eq!(labels(&data.valid), [6.0, 7.0, 8.0, 9.0], "the last tenth");
    // Training values are 0 to 35, nine of each.
    let deviation = ((36.0_f64 * 36.0 - 1.0) / 12.0).sqrt();
    close(values(&data.train.inputs)[0], -17.5 / deviation, 1e-6, "first");
    close(values(&data.valid.inputs)[0], 18.5 / deviation, 1e-6, "valid");

    let name = "train-images-idx3-ubyte";
    let bytes = std::fs::read(dir.path().join(name)).expect("a file");
    std::fs::remove_file(dir.path().join(name)).expect("a file");
    let zipped = gzip::packed(&bytes);
    write(dir.path(), "train-images-idx3-ubyte.gz", &zipped);
    let again = read_mnist(dir.path()).expect("a compressed file serves");
    assert_eq!(
        again.fingerprint().expect("a digest"),
        data.fingerprint().expect("a digest")
    );
    write(dir.path(), "train-images-idx3-ubyte.gz", &zipped[..50]);
    assert!(read_mnist(dir.path()).is_err(), "cut short");
}

#[test]
fn broken_folders_of_mnist_are_refused() {
    let message = |name: &str, bytes: &[u8]| {
        let dir = mnist_folder();
        write(dir.path(), name, bytes);
        let got = read_mnist(dir.path()).expect_err("no data set").to_string();
        got.replace(&dir.path().display().to_string(), "DIR")
    };
    let labels = "train-labels-idx1-ubyte";
    assert!(message(labels, &idx(&[39], &[0; 39])).ends_with(
        "images of shape [40, 3, 3] with labels of shape [39]: the files \
             do not belong together"
    ));
    assert!(message(labels, &idx(&[40], &[77; 40])).ends_with(
        "a training label is 77, but there are only 10 classes: check that \
         this is the right file"
    ));
    assert_eq!(
        message(labels, &idx(&[40], &[0; 7])),
        "DIR/train-labels-idx1-ubyte: an idx file of shape [40] with 7 values"
    );
    for (bytes, fault) in [
        (&b""[..], "not an idx file: it does not start with two zero bytes"),
        (
            b"PK\x03\x04",
            "not an idx file: it does not start with two zero bytes",
        ),
        (&[0, 0, 8, 0, 1], "an idx file without extents"),
        (&[0, 0, 8, 255, 1], "an idx file cut short in its header"),
        (
            &[0, 0, 9, 1, 0, 0, 0, 0],
            "idx type 0x09 is unknown, expected 0x08 \
                                     (u8) or 0x0b (i16)",
        ),
        (
            &[0, 0, 11, 1, 0, 0, 0, 1, 0, 1, 2],
            "an idx file that ends within a value",
        ),
    ] {
        let got = message(labels, bytes);
        assert!(got.ends_with(fault), "{got}");
    }
    let huge = idx(&[u32::MAX; 3], &[]);
    assert!(
        message("train-images-idx3-ubyte", &huge).contains("with 0 values")
    );
    let wide = idx(&[10, 4, 4], &[0; 160]);
    assert!(message("t10k-images-idx3-ubyte", &wide).ends_with(
        "10 test labels for 160 pixels in pictures of shape [1, 3, 3]: \
             the files do not belong together"
    ));
    let dir = tempfile::tempdir().expect("a folder");
    let missing = read_mnist(dir.path()).expect_err("nothing there");
    assert!(missing.to_string().ends_with(
        "`dir` is the folder of the files themselves, such as \
             torchvision's `MNIST/raw` or `cifar-10-batches-bin`"
    ));
}

#[test]
fn a_folder_of_cifar_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let record = |label: u8| {
        let mut bytes = vec![label];
        bytes.extend((0..3072_u32).map(|i| {
            u8::try_from(u32::from(label) + i / 1024).expect("small")
        }));
        bytes
    };
    for i in 1..=5_u8 {
        let bytes: Vec<u8> = (0..2).flat_map(|k| record(i + k)).collect();
        write(dir.path(), &format!("data_batch_{i}.bin"), &bytes);
    }
    write(dir.path(), "test_batch.bin", &record(9));
    let spec = DatasetSpec::Cifar10 { dir: Some("".into()) };
    let read = || load(&spec, 0.0, dir.path(), &Device::Cpu);
    let data = read().expect("a folder");
    assert_eq!(data.input_shape(), [3, 32, 32]);
    assert_eq!(
        [data.train.len(), data.valid.len(), data.test.len()],
        [9, 1, 1]
    );
    let labels = [1., 2., 2., 3., 3., 4., 4., 5., 5.];
    assert_eq!(values(&data.train.targets), labels);
    let first = values(&data.train.inputs);
    let (red, green, blue) = (first[1023], first[1024], first[2048]);
    assert!(red == first[0] && red < green && green < blue, "planes");
    write(dir.path(), "test_batch.bin", &record(10));
    let got = read().expect_err("label 10").to_string();
    assert!(
        got.contains("a test label is 10, but there are only 10 classes"),
        "{got}"
    );
    write(dir.path(), "data_batch_3.bin", &[0; 3074]);
    let got = read().expect_err("a wrong length").to_string();
    assert!(
        got.ends_with(
            "data_batch_3.bin: 3074 bytes are not a whole number of pictures \
             of 3073"
        ),
        "{got}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_idx_file_makes_it_panic(
        kind in 7..13_u8,
        rank in 0..4_u8,
        rest in proptest::collection::vec(0..4_u8, 0..40),
    ) {
        let bytes = [&[0, 0, kind, rank], &rest[..]].concat();
        if let Ok(idx) = Idx::parse(&bytes) {
            let values = idx.shape.iter().product::<usize>();
            proptest::prop_assert_eq!(values, idx.values.len());
            proptest::prop_assert_eq!(
                idx.rows(0..idx.shape[0]).len(),
                values
            );
        }
    }
}
