import os
import sys
import tempfile
import unittest

from support import PROGRAM

sys.path.insert(0, PROGRAM)

import globbing  # noqa: E402


class Matches(unittest.TestCase):
    def test_patterns(self):
        for pattern, path, expected in [
            ("a.txt", "a.txt", True),
            ("*.txt", "a.txt", True),
            ("*.txt", ".hidden.txt", True),
            ("*.txt", "dir/a.txt", False),
            ("dir/*", "dir/a.txt", True),
            ("dir/*", "dir/sub/a.txt", False),
            ("dir/**", "dir/sub/a.txt", True),
            ("dir/**", "dir", True),
            ("**/*.txt", "a.txt", True),
            ("**/*.txt", "dir/sub/a.txt", True),
            ("**/sub/**/a.txt", "dir/sub/a.txt", True),
            ("**/sub/**/a.txt", "dir/other/a.txt", False),
            ("a?c", "abc", True),
            ("a?c", "a/c", False),
            ("[a-c].o", "b.o", True),
            ("[!a-c].o", "b.o", False),
            ("[^a-c].o", "d.o", True),
            ("{a,b}.o", "b.o", True),
            ("{a,b}.o", "c.o", False),
            ("{src,lib/{x,y}}/*.o", "lib/y/1.o", True),
            (r"\*.txt", "a.txt", False),
            (r"\*.txt", "*.txt", True),
            ("a.txt", "aXtxt", False),
            ("./dir/*", "dir/a", True),
        ]:
            with self.subTest(pattern=pattern, path=path):
                self.assertEqual(globbing.matches(pattern, path), expected)


class Glob(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        for path in ("a.txt", "d/b.txt", "d/e/c.txt", "d/.h/x.txt"):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w", encoding="utf-8"):
                pass
        os.symlink("..", "d/loop")

    def test_finds_what_is_there(self):
        for pattern, expected in [
            ("a.txt", ["a.txt"]),
            ("missing", []),
            ("missing/*", []),
            ("*.txt", ["a.txt"]),
            ("**/*.txt", ["a.txt", "d/.h/x.txt", "d/b.txt", "d/e/c.txt"]),
            ("d/*", ["d/.h", "d/b.txt", "d/e", "d/loop"]),
            ("d/**/c.txt", ["d/e/c.txt"]),
            ("d/e/**", ["d/e", "d/e/c.txt"]),
            ("{a,d/b}.txt", ["a.txt", "d/b.txt"]),
        ]:
            with self.subTest(pattern=pattern):
                self.assertEqual(globbing.glob(pattern), expected)


if __name__ == "__main__":
    unittest.main()
