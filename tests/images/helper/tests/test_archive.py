import gzip
import io
import os
import stat
import zipfile

from support import HelperTest

import archive
from log import Fatal


class Zip(HelperTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.project)
        self.path = os.path.join(self.folder, "a.zip")

    def pack(self, *names, level="default"):
        with open(self.path, "wb") as out:
            archive.write(out, "zip", {name: os.lstat(name) for name in names}, archive.level(level))

    def unpack(self):
        target = os.path.join(self.folder, "target")
        os.makedirs(target, exist_ok=True)
        archive.extract(self.path, target)
        return target

    def test_keeps_modes_times_links_and_empty_directories(self):
        self.file("run.sh", "#!/bin/sh\n", 0o755)
        self.file("secret", "s", 0o600)
        os.mkdir("empty")
        os.chmod("empty", 0o710)
        os.symlink("run.sh", "link")
        os.symlink("nowhere", "broken")
        os.utime("run.sh", (1_000_000_001, 1_000_000_001))
        self.pack("run.sh", "secret", "empty", "link", "broken")
        target = self.unpack()
        run = os.stat(f"{target}/run.sh")
        self.assertEqual((stat.S_IMODE(run.st_mode), run.st_mtime), (0o755, 1_000_000_001))
        self.assertEqual(stat.S_IMODE(os.stat(f"{target}/secret").st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(f"{target}/empty").st_mode), 0o710)
        self.assertEqual(os.readlink(f"{target}/link"), "run.sh")
        self.assertEqual(os.readlink(f"{target}/broken"), "nowhere")

    def test_replaces_what_is_there(self):
        self.file("a", "new")
        self.pack("a")
        target = os.path.join(self.folder, "target")
        os.mkdir(target)
        os.symlink("/etc/passwd", f"{target}/a")
        self.unpack()
        self.assertFalse(os.path.islink(f"{target}/a"))
        with open(f"{target}/a", encoding="utf-8") as source:
            self.assertEqual(source.read(), "new")

    def test_keeps_other_files_of_a_directory(self):
        self.file("d/a")
        self.pack("d", "d/a")
        os.makedirs(f"{self.folder}/target/d")
        with open(f"{self.folder}/target/d/b", "w", encoding="utf-8"):
            pass
        self.assertEqual(sorted(os.listdir(f"{self.unpack()}/d")), ["a", "b"])

    def test_refuses_to_leave_the_directory(self):
        with zipfile.ZipFile(self.path, "w") as out:
            out.writestr("../evil", "x")
        with self.assertRaisesRegex(Fatal, "outside"):
            self.unpack()
        self.assertFalse(os.path.exists(f"{self.folder}/evil"))

    def test_writes_nothing_through_its_own_links(self):
        with zipfile.ZipFile(self.path, "w") as out:
            link = zipfile.ZipInfo("d")
            link.create_system = 3
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            out.writestr(link, "..")
            out.writestr("d/evil", "x")
        self.unpack()
        self.assertFalse(os.path.exists(f"{self.folder}/evil"))

    def test_levels(self):
        self.file("zeros", "0" * 100000)
        sizes = {}
        for level in ("fastest", "default", "slowest"):
            self.pack("zeros", level=level)
            sizes[level] = os.path.getsize(self.path)
        self.assertGreater(sizes["fastest"], 100000)
        self.assertLess(sizes["default"], 1000)
        self.assertLessEqual(sizes["slowest"], sizes["default"])


class OtherFormats(HelperTest):
    def write(self, archive_format, *names):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.project)
        out = io.BytesIO()
        archive.write(out, archive_format, {name: os.lstat(name) for name in names}, 5)
        return out.getvalue()

    def test_gzip_is_a_stream_for_each_file_with_its_name_and_path(self):
        self.file("r/a.xml", "<a/>")
        self.file("r/b.xml", "<b/>")
        content = self.write("gzip", "r/b.xml", "r/a.xml")
        self.assertEqual(gzip.decompress(content), b"<a/><b/>")
        self.assertIn(b"a.xml\0r/a.xml\0", content)
        self.assertIn(b"b.xml\0r/b.xml\0", content)

    def test_gzip_escapes_names(self):
        self.file("ä%.xml", "x")
        self.assertIn(b"e:%C3%A4%25.xml\0", self.write("gzip", "ä%.xml"))

    def test_gzip_refuses_directories(self):
        self.file("r/a")
        with self.assertRaisesRegex(Fatal, "not a regular file"):
            self.write("gzip", "r")

    def test_raw_is_one_file(self):
        self.file("a", "as it is")
        self.file("b")
        self.assertEqual(self.write("raw", "a"), b"as it is")
        with self.assertRaisesRegex(Fatal, "only one file"):
            self.write("raw", "a", "b")
