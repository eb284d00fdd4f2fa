//! SQLite databases, read only.

use crate::error::{Error, Result};
use crate::results::{Cells, Header, Sheet, Source};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The first bytes of every SQLite 3 file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// An open database.
pub(super) struct Database {
    path: PathBuf,
    #[cfg(feature = "sqlite")]
    connection: rusqlite::Connection,
}

impl Database {
    /// Whether these are the bytes of one.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the database at `path` without a lock and without a file beside
    /// it, so one that another program is writing is refused.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or has changes that are not in the file yet.
    #[cfg(feature = "sqlite")]
    pub(super) fn open(path: &Path) -> Result<Self> {
        use rusqlite::{Connection, OpenFlags};
        for end in ["-wal", "-journal"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(end);
            let beside = PathBuf::from(beside);
            if beside.metadata().is_ok_and(|file| file.len() > 0) {
                return Err(Error::Invalid(format!(
                    "{}: `{}` beside it has changes that are not in the \
                     database yet; end the program that writes it, or copy \
                     it with `sqlite3 FILE '.backup COPY'`",
                    path.display(),
                    beside.file_name().unwrap_or_default().to_string_lossy()
                )));
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let whole = std::path::absolute(path).map_err(Error::io(path))?;
        let uri = format!("file:{}?immutable=1", escaped(&whole));
        let connection = Connection::open_with_flags(uri, flags)
            .map_err(|e| unreadable(path, &e))?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// What a query gives, as text; NULL is empty.
    ///
    /// # Errors
    ///
    /// If the database lacks what the query asks for, or is broken.
    #[cfg(feature = "sqlite")]
    pub(super) fn rows(&self, query: &str) -> Result<Vec<Vec<String>>> {
        use rusqlite::types::ValueRef;
        let wrong = |e| unreadable(&self.path, &e);
        let mut query = self.connection.prepare(query).map_err(wrong)?;
        let columns = query.column_count();
        let mut rows = query.query([]).map_err(wrong)?;
        let mut found = vec![];
        while let Some(row) = rows.next().map_err(wrong)? {
            let cell = |column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => String::new(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                })
            };
            let cells: rusqlite::Result<Vec<String>> =
                (0..columns).map(cell).collect();
            found.push(cells.map_err(wrong)?);
        }
        Ok(found)
    }

    /// Refuses: this program was built without SQLite.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(feature = "sqlite"))]
    pub(super) fn open(path: &Path) -> Result<Self> {
        Err(Error::Invalid(format!(
            "{}: this is an SQLite database, and this `lrscout` was built \
             without the feature `sqlite`; export the runs as CSV",
            path.display()
        )))
    }

    /// Nothing.
    ///
    /// # Errors
    ///
    /// None.
    #[cfg(not(feature = "sqlite"))]
    pub(super) fn rows(&self, _: &str) -> Result<Vec<Vec<String>>> {
        Ok(vec![])
    }

    /// Whether it has all of these tables.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn has_tables(&self, names: &[&str]) -> Result<bool> {
        let tables = self.rows("SELECT name FROM sqlite_master")?;
        Ok(names.iter().all(|name| tables.iter().any(|t| t == &[*name])))
    }
}

/// A path in a URI.
#[cfg(feature = "sqlite")]
fn escaped(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let text = text.replace('%', "%25").replace('?', "%3f");
    let text = text.replace('#', "%23");
    // A drive of Windows stands behind a slash.
    if text.starts_with('/') { text } else { format!("/{text}") }
}

#[cfg(feature = "sqlite")]
fn unreadable(path: &Path, error: &rusqlite::Error) -> Error {
    let mut said = error.to_string();
    if let Some((end, _)) = said.char_indices().nth(120) {
        said.truncate(end);
    }
    Error::Invalid(format!(
        "{}: the database cannot be read ({said}); copy it again, or export \
         the runs as CSV",
        path.display()
    ))
}

/// A table of triples row, column, cell: rows and columns in the order in
/// which they appear first. Rows that only later triples name are left out:
/// the first column of triples names all rows. `key` is the column of the
/// rows' own names.
pub(super) fn table(path: &Path, key: &str, triples: &[Vec<String>]) -> Sheet {
    let mut header = Header::default();
    header.column(key);
    let mut rows: Vec<Vec<(String, usize)>> = vec![];
    let mut known: HashMap<&str, usize> = HashMap::new();
    let first = triples.first().map(|triple| triple[1].as_str());
    for triple in triples {
        let [row, column, cell] = triple.as_slice() else { continue };
        let at = match known.get(row.as_str()) {
            Some(at) => *at,
            None if Some(column.as_str()) == first => {
                known.insert(row, rows.len());
                rows.push(vec![(row.clone(), rows.len())]);
                rows.len() - 1
            }
            None => continue,
        };
        let place = header.column(column);
        let cells = &mut rows[at];
        cells.resize(cells.len().max(place + 1), (String::new(), at));
        cells[place] = (cell.clone(), at);
    }
    for (at, cells) in rows.iter_mut().enumerate() {
        cells.resize(header.names().len(), (String::new(), at));
    }
    let rows = rows.into_iter().enumerate();
    let rows = rows.map(|(at, cells)| Cells { source: 0, at, cells });
    let source = Source { path: path.to_owned(), text: None };
    Sheet::of_cells(vec![source], header.names(), rows.collect())
}
