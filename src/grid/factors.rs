//! Files with the factors of a `table` schedule: CSV `step,factor`, or with
//! momenta `step,factor,momentum`, or a one-dimensional `.npy` array.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file, in bytes: three million rows of CSV.
const MOST_BYTES: u64 = 64 << 20;

/// The columns of a file without and with momenta.
const HEADERS: [&[&str]; 2] =
    [&["step", "factor"], &["step", "factor", "momentum"]];

/// Factors, and momenta or none.
type Columns = (Vec<f64>, Vec<f64>);

/// Reads the factors at `path`, one per step, and its momenta if it has them.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be read, [`Error::Input`] on this file if it
/// holds no factors.
pub(super) fn read(path: &Path) -> Result<Columns> {
    let mut bytes = vec![];
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(Error::io(path))?;
    let refuse = |message: &str| Err(Error::input(path, "", 0, message));
    if bytes.len() as u64 > MOST_BYTES {
        return refuse(
            "the file is larger than 64 MiB, a table has one row a step",
        );
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return match npy(&bytes) {
            Some(factors) => Ok((factors, vec![])),
            None => refuse(
                "this array cannot be read, save a one-dimensional one of \
                 little-endian float64 or float32: `numpy.save(path, \
                 factors.astype('<f8'))`",
            ),
        };
    }
    match String::from_utf8(bytes) {
        Ok(text) => table(path, &text),
        Err(_) => refuse(
            "this is neither UTF-8 text nor a .npy array, give a CSV file \
             with the header `step,factor`",
        ),
    }
}

/// Rows under one of the headers, steps from 0 without gaps.
fn table(path: &Path, text: &str) -> Result<Columns> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut header: Option<&[&str]> = None;
    let (mut factors, mut momenta) = (vec![], vec![]);
    for row in rows.records() {
        let row = row.expect("text, with any number of fields");
        let wrong = |message: &str| {
            let at = row.position().map_or(0, csv::Position::byte);
            let at = usize::try_from(at).unwrap_or(text.len());
            // The reader counts the ends of lines before a row to it.
            let gap = text[at..].len() - text[at..].trim_start().len();
            Err(Error::input(path, text, at + gap, message))
        };
        let Some(header) = header else {
            header = HEADERS
                .into_iter()
                .find(|names| row.iter().eq(names.iter().copied()));
            if header.is_none() {
                return wrong("the header must be `step,factor`");
            }
            continue;
        };
        if row.len() != header.len() {
            return wrong(match header.len() {
                2 => "a row must be a step and a factor, as in `0,0.5`",
                _ => {
                    "a row must be a step, a factor and a momentum, as in \
                     `0,0.5,0.9`"
                }
            });
        }
        if row[0].parse() != Ok(factors.len()) {
            let step = factors.len();
            return wrong(&format!("the step of this row must be {step}"));
        }
        let columns = [&mut factors, &mut momenta];
        for (i, column) in (1..row.len()).zip(columns) {
            match row[i].parse::<f64>() {
                Ok(number) if number.is_finite() => column.push(number),
                _ => {
                    return wrong(&format!(
                        "the {} of this row must be a finite number",
                        header[i]
                    ));
                }
            }
        }
    }
    if factors.is_empty() {
        let message = "the table has no rows, give one `step,factor` a step";
        return Err(Error::input(path, text, text.len(), message));
    }
    Ok((factors, momenta))
}

/// The array of a `.npy` file, format versions 1 to 3.
fn npy(bytes: &[u8]) -> Option<Vec<f64>> {
    let (length, start) = match bytes.get(6)? {
        1 => (u16::from_le_bytes(*bytes.get(8..)?.first_chunk()?).into(), 10),
        2 | 3 => (u32::from_le_bytes(*bytes.get(8..)?.first_chunk()?), 12),
        _ => return None,
    };
    let data = start + usize::try_from(length).ok()?;
    let header = std::str::from_utf8(bytes.get(start..data)?).ok()?;
    let data = &bytes[data..];
    let shape = header.split_once("'shape': (")?.1.split_once(')')?.0;
    let len: usize = shape.strip_suffix(',')?.parse().ok()?;
    let factors: Vec<f64> = if header.contains("'<f8'") {
        let (numbers, _) = data.as_chunks();
        numbers.iter().map(|&number| f64::from_le_bytes(number)).collect()
    } else if header.contains("'<f4'") {
        let (numbers, _) = data.as_chunks();
        numbers
            .iter()
            .map(|&number| f32::from_le_bytes(number).into())
            .collect()
    } else {
        return None;
    };
    // The schedule itself refuses a number that is no factor, and names its
    // step.
    (factors.len() == len).then_some(factors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> std::result::Result<Vec<f64>, String> {
        columns(bytes).map(|(factors, _)| factors)
    }

    fn columns(bytes: &[u8]) -> std::result::Result<Columns, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.csv");
        std::fs::write(&path, bytes).expect("written");
        read(&path).map_err(|error| {
            let error = error.to_string();
            let name = error.find("f.csv").expect("the file is named");
            error[name..].to_owned()
        })
    }

    #[test]
    fn rows_become_factors() {
        let text = b"\xef\xbb\xbfstep,factor\r\n0,0.5\r\n1, 1\r\n\r\n2,1e-3";
        assert_eq!(columns(text), Ok((vec![0.5, 1.0, 1e-3], vec![])));
        let text = b"step,factor,momentum\n0,0.5,0.9\n1,1,0.85\n";
        assert_eq!(columns(text), Ok((vec![0.5, 1.0], vec![0.9, 0.85])));
    }

    #[test]
    fn arrays_become_factors() {
        let file = |descr: &str, shape: &str, data: &[u8]| {
            let header = format!(
                "{{'descr': '{descr}', 'fortran_order': False, 'shape': \
                 ({shape}), }}\n"
            );
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            let len = u16::try_from(header.len()).expect("short");
            bytes.extend(len.to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(data);
            read_bytes(&bytes)
        };
        let wide: Vec<u8> =
            [1.0, 0.1_f64].iter().flat_map(|x| x.to_le_bytes()).collect();
        let narrow: Vec<u8> =
            [1.0, 0.5_f32].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(file("<f8", "2,", &wide), Ok(vec![1.0, 0.1]));
        assert_eq!(file("<f4", "2,", &narrow), Ok(vec![1.0, 0.5]));
        for wrong in [
            file(">f8", "2,", &wide),
            file("<f8", "3,", &wide),
            file("<f8", "2, 1", &wide),
            file("<f8", "", &wide),
            read_bytes(b"\x93NUMPY\x01\x00\xff\xff"),
            read_bytes(b"\x93NUMPY"),
        ] {
            let message = wrong.expect_err("no such array");
            assert!(message.contains("numpy.save"), "{message}");
        }
    }

    #[test]
    fn wrong_rows_are_named() {
        for (text, message) in [
            ("0,1\n", "f.csv:1:1: the header must be `step,factor`"),
            (
                "step,factor\n0,1\n2,1\n",
                "f.csv:3:1: the step of this row must be 1",
            ),
            (
                "step,factor\n0,x\n",
                "f.csv:2:1: the factor of this row must be a finite number",
            ),
            (
                "step,factor\n0\n",
                "f.csv:2:1: a row must be a step and a factor, as in `0,0.5`",
            ),
            (
                "step,factor\r\n\r\n0,1\r\n2,1",
                "f.csv:4:1: the step of this row must be 1",
            ),
            (
                "step,factor\n0,1,2\n",
                "f.csv:2:1: a row must be a step and a factor, as in `0,0.5`",
            ),
            (
                "step,factor,momentum\n0,1\n",
                "f.csv:2:1: a row must be a step, a factor and a momentum, as \
                 in `0,0.5,0.9`",
            ),
            (
                "step,factor,momentum\n0,1,x\n",
                "f.csv:2:1: the momentum of this row must be a finite number",
            ),
            (
                "step,factor\n",
                "f.csv:2:1: the table has no rows, give one `step,factor` a \
                 step",
            ),
            (
                "",
                "f.csv:1:1: the table has no rows, give one `step,factor` a \
                 step",
            ),
        ] {
            assert_eq!(read_bytes(text.as_bytes()), Err(message.to_owned()));
        }
        let error = read_bytes(b"\xff\xfe").expect_err("UTF-16");
        assert!(error.contains("neither UTF-8 text"), "{error}");
    }
}
