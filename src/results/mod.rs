//! The results of a grid as files: every table, and the folder that holds
//! them.
//!
//! `rows` says what the columns are, `folder` which files there are, `sheet`
//! reads any CSV with the place of each cell. Numbers only: no tensor, no
//! statistics, no sentences.

mod folder;
pub(crate) mod rows;
pub(crate) mod runs;
pub(crate) mod sheet;
pub(crate) mod table;

pub(crate) use folder::{FileStems, Folder, board_stem, find_stems};
pub(crate) use runs::{Wanted, read_all};
pub(crate) use sheet::{Cells, Dialect, Header, Row, Sheet, Source, text_of};
pub(crate) use table::{print_rows, write_rows};
