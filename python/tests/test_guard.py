"""Files of the user, which are links in the folder of a task, stay as they are."""

import os
import sqlite3
import tempfile
import unittest
from pathlib import Path

from play import play
from test_launch import FAKE


class Guard(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        root = Path(self.temporary.name)
        self.user, self.run = root / "user", root / "run"
        for folder in (self.user / "many", self.run / "out"):
            folder.mkdir(parents=True)
        for name in ("a.txt", "b.txt", "c.txt", "many/x", "many/y", "own.txt"):
            (self.user / name).write_text("user")
        for name in ("a.txt", "b.txt", "c.txt", "many"):
            (self.run / name).symlink_to(self.user / name)
        with sqlite3.connect(self.user / "data.db") as data:
            data.execute("create table t (x)")
        (self.run / "data.db").symlink_to(self.user / "data.db")

    def test_keeps_them(self):
        (self.run / "train.py").write_text(
            "import os, pathlib, shutil, sqlite3, sys\n"
            "open('a.txt', 'w').write('new')\n"
            "open('b.txt', 'a').write('+')\n"
            "with open('c.txt', 'r+') as f:\n"
            "    assert f.read() == 'user'\n"
            "    f.write('+')\n"
            "assert open('many/x').read() == 'user'\n"
            "assert os.path.islink('many')\n"
            "pathlib.Path('many/z').write_text('new')\n"
            "os.remove('many/x')\n"
            "os.rename('many/y', 'many/w')\n"
            "os.mkdir('many/sub')\n"
            "open('out/model.pt', 'wb').write(b'new')\n"
            f"open({str(self.user / 'own.txt')!r}, 'a').write('meant')\n"
            "with sqlite3.connect('data.db') as data:\n"
            "    data.execute('insert into t values (1)')\n"
        )
        run = play(
            ["train.py"],
            [0.1],
            cwd=str(self.run),
            env={"PYTHONPATH": FAKE},
            launch={"record": False, "run_dir": str(self.run)},
        )
        self.assertEqual(run.error, "no_optimizer", run.errors)

        def text(folder, name):
            return (folder / name).read_text()

        for name in ("a.txt", "b.txt", "c.txt", "many/x", "many/y"):
            self.assertEqual(text(self.user, name), "user", name)
        self.assertEqual(sorted(os.listdir(self.user / "many")), ["x", "y"])
        self.assertEqual(sorted(os.listdir(self.run / "many")), ["sub", "w", "z"])
        self.assertEqual(text(self.run, "a.txt"), "new")
        self.assertEqual(text(self.run, "b.txt"), "user+")
        self.assertEqual(text(self.run, "c.txt"), "user+")
        # A path out of the folder is what the script means.
        self.assertEqual(text(self.user, "own.txt"), "usermeant")
        with sqlite3.connect(self.user / "data.db") as data:
            self.assertEqual(data.execute("select count(*) from t").fetchone(), (0,))


if __name__ == "__main__":
    unittest.main()
