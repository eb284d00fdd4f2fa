//! Data sets from the user's files, for library users: the same as `csv` and
//! `text` in grids.

use super::{Dataset, load};
use crate::error::Result;
use crate::spec::{DatasetSpec, TableTask};
use candle_core::Device;
use std::path::{Path, PathBuf};

/// A table in a CSV file, with its options: see [`Dataset::csv`].
#[derive(Clone, Debug)]
#[must_use = "a table is read by `load`"]
pub struct CsvFile {
    file: PathBuf,
    target: String,
    drop: Vec<String>,
    task: Option<TableTask>,
    split: [f64; 2],
}

/// A text file, with its options: see [`Dataset::text`].
#[derive(Clone, Debug)]
#[must_use = "a text is read by `load`"]
pub struct TextFile {
    file: PathBuf,
    context: usize,
    split: [f64; 2],
}

impl Dataset {
    /// The table in `file`, to predict column `target` from the others. The
    /// same file gives the same data set as `{ kind = "csv" }` in a grid.
    ///
    /// The file has a header and is separated by commas. A column of numbers
    /// becomes one input; missing values are replaced by the mean. A column of
    /// words becomes one input for each word. Inputs are f32 `(rows, inputs)`,
    /// standardised over the training rows and clipped at 6. Targets are u32
    /// `(rows)` classes or standardised f32 `(rows, 1)` values. Rows are
    /// shuffled by a fixed seed: 70 % are training, 10 % validation and 20 %
    /// test.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lrscout::Dataset;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("wine.csv");
    /// # let rows = (0..50).map(|i| format!("{i},{},{}\n", i % 7, i % 2));
    /// # let header = "acid,colour,good\n".to_owned();
    /// # std::fs::write(&file, header + &rows.collect::<String>())?;
    /// let wine = Dataset::csv(&file, "good").load(&Device::Cpu)?;
    /// assert_eq!(wine.train.inputs.dims(), [35, 2]);
    /// assert_eq!(wine.outputs(), 2);
    ///
    /// let colour = Dataset::csv(&file, "colour")
    ///     .drop_columns(["good"])
    ///     .regress()
    ///     .split(0.2, 0.2)
    ///     .load(&Device::Cpu)?;
    /// assert_eq!(colour.train.inputs.dims(), [30, 1]);
    /// assert_eq!(colour.train.targets.dims(), [30, 1]);
    ///
    /// let error = Dataset::csv(&file, "godo").load(&Device::Cpu).err();
    /// let error = error.expect("no such column").to_string();
    /// assert!(error.ends_with(
    ///     "wine.csv:1:1: unknown column `godo`, did you mean `good`?"
    /// ));
    /// # Ok(())
    /// # }
    /// ```
    pub fn csv(file: impl AsRef<Path>, target: &str) -> CsvFile {
        CsvFile {
            file: file.as_ref().to_owned(),
            target: target.to_owned(),
            drop: vec![],
            task: None,
            split: DatasetSpec::SPLIT,
        }
    }

    /// The UTF-8 text in `file`, to predict each character from those before
    /// it. The same file gives the same data set as `{ kind = "text" }` in a
    /// grid.
    ///
    /// The first 70 % are training, the next 10 % validation and the last 20 %
    /// test. Each part is cut into sequences of 64 characters. Inputs and
    /// targets are u32 `(sequences, context)`. The vocabulary is the characters
    /// of the training part, and one symbol for all others.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lrscout::Dataset;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("book.txt");
    /// # std::fs::write(&file, "to be or not to be ".repeat(50))?;
    /// let book = Dataset::text(&file).context(16).load(&Device::Cpu)?;
    /// assert_eq!(book.input_shape(), [16]);
    /// assert_eq!(book.outputs(), 7 + 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn text(file: impl AsRef<Path>) -> TextFile {
        TextFile {
            file: file.as_ref().to_owned(),
            context: DatasetSpec::CONTEXT,
            split: DatasetSpec::SPLIT,
        }
    }
}

impl CsvFile {
    /// Leaves out columns that are not inputs, such as row numbers.
    pub fn drop_columns<S: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = S>,
    ) -> Self {
        self.drop = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Treats each value of the target as a class. By default, words and up to
    /// 20 distinct integers are classes.
    pub fn classify(mut self) -> Self {
        self.task = Some(TableTask::Classify);
        self
    }

    /// Treats the target as a number.
    pub fn regress(mut self) -> Self {
        self.task = Some(TableTask::Regress);
        self
    }

    /// Replaces the shares of validation and test rows; the others are training
    /// rows.
    pub fn split(mut self, valid: f64, test: f64) -> Self {
        self.split = [valid, test];
        self
    }

    /// Reads it onto `device`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::Error::Io) if the file cannot be read;
    /// [`Input`](crate::Error::Input), with line and column, if it is not
    /// UTF-8 or makes no data set; [`Invalid`](crate::Error::Invalid) if the
    /// shares are not above 0 with a sum below 1.
    pub fn load(self, device: &Device) -> Result<Dataset> {
        let Self { file, target, drop, task, split } = self;
        checked(&DatasetSpec::Csv { file, target, drop, task, split }, device)
    }
}

impl TextFile {
    /// Replaces the number of characters in a sequence, 2 to 4,096.
    pub fn context(mut self, context: usize) -> Self {
        self.context = context;
        self
    }

    /// Replaces the shares of the validation and the test part; the text before
    /// them is the training part.
    pub fn split(mut self, valid: f64, test: f64) -> Self {
        self.split = [valid, test];
        self
    }

    /// Reads it onto `device`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::Error::Io) if the file cannot be read;
    /// [`Input`](crate::Error::Input), with line and column, if it is not
    /// UTF-8 or too short; [`Invalid`](crate::Error::Invalid) if the context
    /// is out of range or the shares are not above 0 with a sum below 1.
    pub fn load(self, device: &Device) -> Result<Dataset> {
        let Self { file, context, split } = self;
        checked(&DatasetSpec::Text { file, context, split }, device)
    }
}

fn checked(spec: &DatasetSpec, device: &Device) -> Result<Dataset> {
    match spec.problem() {
        Some(problem) => Err(problem.into()),
        None => load(spec, 0.0, Path::new(""), device),
    }
}
