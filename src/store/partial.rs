//! Parts of a result that is not finished, so that an interrupted computation
//! continues after them. They only save work: a part that cannot be stored or
//! read is computed again.

use super::{Store, payload, sealed, sweep, write_atomically};
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::path::PathBuf;

impl Store {
    /// Stores the part `name` of the result of cell `id`.
    pub(crate) fn put_part<T: Serialize>(
        &self,
        id: &str,
        name: &str,
        part: &T,
    ) {
        let Ok(payload) = serde_json::to_vec(part) else { return };
        let bytes = sealed(&format!("{id}/{name}"), &payload);
        let kept = write_atomically(&self.part(id, name), &bytes);
        if let Err(error) = kept {
            self.note(format!(
                "a part of a result could not be stored: {error}"
            ));
        }
    }

    /// The part `name` of the result of cell `id`, if it was stored.
    pub(crate) fn part_of<T: DeserializeOwned>(
        &self,
        id: &str,
        name: &str,
    ) -> Option<T> {
        let bytes = fs::read(self.part(id, name)).ok()?;
        let payload = payload(&format!("{id}/{name}"), &bytes)?;
        serde_json::from_slice(payload).ok()
    }

    /// Removes all parts of the result of cell `id`, which is now complete.
    pub(super) fn drop_parts(&self, id: &str) {
        // Best effort: remaining parts do no harm.
        let _ = fs::remove_dir_all(self.parts(id));
    }

    /// Removes the parts of complete results, and old unfinished files.
    pub(super) fn sweep_parts(&self) {
        let cells = fs::read_dir(self.root.join("parts"));
        for cell in cells.into_iter().flatten().flatten() {
            let name = cell.file_name();
            let id = name.to_str().unwrap_or_default();
            if self.path(id).exists() {
                self.drop_parts(id);
            } else {
                sweep(&cell.path());
            }
        }
    }

    fn parts(&self, id: &str) -> PathBuf {
        self.root.join("parts").join(id)
    }

    fn part(&self, id: &str, name: &str) -> PathBuf {
        self.parts(id).join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{damaged, store};
    use super::*;

    #[test]
    fn parts_come_back_whole_or_not_at_all() {
        let (_folder, store) = store();
        let part = || store.part_of::<Vec<f64>>("abcd", "first");
        assert_eq!(part(), None);
        store.put_part("abcd", "first", &vec![0.1, 2.0]);
        assert_eq!(part(), Some(vec![0.1, 2.0]));
        assert_eq!(store.part_of::<Vec<f64>>("abcd", "second"), None);
        let path = store.part("abcd", "first");
        let whole = fs::read(&path).expect("readable");
        for bytes in damaged(&whole) {
            fs::write(&path, bytes).expect("writable");
            assert_eq!(part(), None);
        }
        // One of another result does not pass for it.
        fs::create_dir_all(store.parts("efgh")).expect("writable");
        fs::write(store.part("efgh", "first"), whole).expect("writable");
        assert_eq!(store.part_of::<Vec<f64>>("efgh", "first"), None);
        // The result itself makes them useless, whoever put it there.
        store.put("abcd", &1).expect("writable");
        assert!(!store.parts("abcd").exists());
        store.put_part("abcd", "first", &1);
        store.sweep();
        assert!(!store.parts("abcd").exists() && store.parts("efgh").exists());
        store.drop_parts("abcd");
        assert!(!store.parts("abcd").exists());
        assert_eq!(store.take_notes(), Vec::<String>::new());
    }
}
