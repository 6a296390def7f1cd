import json
import os

from support import Answer, HelperTest


class Cache(HelperTest):
    def setUp(self):
        super().setUp()
        self.cache = os.path.join(self.folder, "cache", "group", "key", "cache.zip")

    def archive(self, *arguments, **more):
        return self.run_helper("cache-archiver", "--file", self.cache, "--timeout", "10", "--retry-time", "1ms", *arguments, **more)

    def extract(self, *arguments, **more):
        return self.run_helper("cache-extractor", "--file", self.cache, "--timeout", "10", "--retry-time", "1ms", *arguments, **more)

    def age(self, path, seconds):
        os.utime(path, (seconds, seconds))

    def test_round_trip_through_the_local_file(self):
        self.file("deps/lib", "v1", 0o755)
        messages = self.archive("--path", "deps/", "--metadata", '{"cachekey":"key-1"}')
        self.assertIn("deps/: found 2 matching artifact files and directories", messages)
        self.assertIn("Cache will be stored only locally.", messages)
        with open(os.path.join(os.path.dirname(self.cache), "metadata.json"), encoding="utf-8") as source:
            self.assertEqual(json.load(source), {"cachekey": "key-1"})
        self.file("deps/lib", "v2")
        messages = self.extract()
        self.assertIn("Instead a local version of cache will be extracted.", messages)
        self.assertEqual(self.read("deps/lib"), "v1")
        self.assertTrue(os.access(os.path.join(self.project, "deps/lib"), os.X_OK))

    def test_missing_cache_is_a_warning_and_exit_status_1(self):
        self.assertIn("WARNING: Cache file does not exist", self.extract(status=1))

    def test_damaged_cache(self):
        os.makedirs(os.path.dirname(self.cache))
        with open(self.cache, "w", encoding="utf-8") as out:
            out.write("no zip")
        self.assertIn("FATAL:", self.extract(status=1))

    def test_nothing_to_cache(self):
        self.assertIn("No files to cache.", self.archive("--path", "deps"))
        self.assertFalse(os.path.exists(self.cache))

    def test_unchanged_files_are_not_archived_again(self):
        path = self.file("deps/lib")
        self.age(path, 1000)
        self.age(os.path.dirname(path), 1000)
        self.archive("--path", "deps")
        before = os.stat(self.cache).st_ino
        self.assertIn("Archive is up to date!", self.archive("--path", "deps"))
        self.assertEqual(os.stat(self.cache).st_ino, before)
        self.age(path, os.stat(self.cache).st_mtime + 10)
        self.assertNotIn("up to date", self.archive("--path", "deps"))
        self.assertNotEqual(os.stat(self.cache).st_ino, before)

    def test_alternate_file_is_taken_over(self):
        self.file("deps/lib", "old key")
        self.archive("--path", "deps")
        alternate = os.path.join(self.folder, "alternate.zip")
        os.rename(self.cache, alternate)
        self.assertIn("Renamed alternate", self.archive("--path", "deps", "--alternate-file", alternate))
        self.assertTrue(os.path.exists(self.cache))
        self.assertFalse(os.path.exists(alternate))

    def test_uploads_to_a_presigned_url(self):
        self.file("a")
        server = self.serve(Answer(503), Answer(200))
        messages = self.archive("--path", "a", "--url", server.url + "/b/key?signature=hidden", "--header", "x-amz-meta-a: b")
        self.assertEqual([request.method for request in server.requests], ["PUT", "PUT"])
        request = server.requests[1]
        self.assertEqual((request.path, request.query), ("/b/key", {"signature": "hidden"}))
        self.assertEqual((request.headers["x-amz-meta-a"], request.headers["Content-Type"]), ("b", "application/octet-stream"))
        with open(self.cache, "rb") as source:
            self.assertEqual(request.body, source.read())
        self.assertNotIn("hidden", messages)

    def test_refused_upload(self):
        self.file("a")
        server = self.serve(Answer(403))
        self.assertIn("FATAL: received: 403 Forbidden", self.archive("--path", "a", "--url", server.url, status=1))
        self.assertEqual(len(server.requests), 1)

    def test_too_big_to_upload(self):
        self.file("a")
        server = self.serve(Answer(200))
        self.assertIn("is too big (Limit is set to 10)", self.archive("--path", "a", "--url", server.url, "--max-uploaded-archive-size", "10"))
        self.assertEqual(server.requests, [])

    def stored(self):
        self.file("deps/lib", "remote")
        self.archive("--path", "deps")
        with open(self.cache, "rb") as source:
            content = source.read()
        os.unlink(self.cache)
        os.unlink(os.path.join(self.project, "deps/lib"))
        return content

    def test_downloads_from_a_presigned_url(self):
        server = self.serve(Answer(200, self.stored(), {"Last-Modified": "Sun, 09 Sep 2001 01:46:40 GMT"}))
        messages = self.extract("--url", server.url + "/b/cache.zip?signature=hidden")
        self.assertIn("Downloading cache from " + server.url + "/b/cache.zip", messages)
        self.assertNotIn("hidden", messages)
        self.assertEqual(self.read("deps/lib"), "remote")
        self.assertEqual(os.stat(self.cache).st_mtime, 1_000_000_000)
        self.assertIn("cache.zip is up to date", self.extract("--url", server.url + "/b/cache.zip"))

    def test_alternate_url_when_it_is_newer(self):
        content = self.stored()
        old = self.serve(Answer(404))
        new = self.serve(Answer(200, content, {"Last-Modified": "Sun, 09 Sep 2001 01:46:40 GMT"}))
        self.extract("--url", old.url, "--alternate-url", new.url)
        self.assertEqual(self.read("deps/lib"), "remote")
        self.assertEqual([request.method for request in old.requests], ["HEAD"])
        self.assertEqual([request.method for request in new.requests], ["HEAD", "GET"])

    def test_remote_cache_that_does_not_exist(self):
        self.assertIn("WARNING: file does not exist", self.extract("--url", self.serve(Answer(404)).url, status=1))

    def test_server_errors_are_tried_again(self):
        server = self.serve(Answer(500))
        self.assertIn("WARNING: received: 500", self.extract("--url", server.url, status=1))
        self.assertEqual(len(server.requests), 3)

    def test_accepts_every_flag_of_the_official_helper(self):
        self.file("a")
        common = ("--transfer-meter-frequency", "0s", "--transfer-buffer-size", "1", "--chunk-size", "1", "--concurrency", "1", "--env-file", "/nowhere")
        self.archive(
            *("--path", "a", "--exclude", "b", "--verbose", "--untracked=false", "--compression-level", "fastest"),
            *("--compression-format", "zip", "--check-url", "http://127.0.0.1", *common),
        )
        self.extract("--alternate-gocloud-url", "", "--head-url", "", "--alternate-head-url", "", "--retry", "1", *common)
