import io
import os
import subprocess
import zipfile

from support import Answer, HelperTest, uploaded_file


def zip_of(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


class Uploader(HelperTest):
    def upload(self, server, *arguments, **more):
        return self.run_helper(
            *("artifacts-uploader", "--url", server.url + "/", "--token", "glcbt-64_secretsecret", "--id", "42"),
            *("--timeout", "1h0m0s", "--response-header-timeout", "10m0s", "--retry-time", "1ms", *arguments),
            **more,
        )

    def names(self, request):
        with zipfile.ZipFile(io.BytesIO(uploaded_file(request)[1])) as archive:
            return archive.namelist()

    def test_sends_a_zip_as_one_multipart_request(self):
        self.file("public/index.html", "<html>")
        self.file("public/css/a.css")
        server = self.serve(Answer(201))
        messages = self.upload(
            server, "--path", "public/", "--expire-in", "1 week", "--artifact-format", "zip", "--artifact-type", "archive", "--name", "site"
        )
        (request,) = server.requests
        self.assertEqual((request.method, request.path), ("POST", "/api/v4/jobs/42/artifacts"))
        self.assertEqual(request.query, {"artifact_format": "zip", "artifact_type": "archive", "expire_in": "1 week"})
        self.assertEqual(request.headers["JOB-TOKEN"], "glcbt-64_secretsecret")
        self.assertEqual(request.headers["Transfer-Encoding"], "chunked")
        self.assertEqual(uploaded_file(request)[0], "site.zip")
        self.assertEqual(self.names(request), ["public/", "public/css/", "public/css/a.css", "public/index.html"])
        self.assertIn("public/: found 4 matching artifact files and directories", messages)
        self.assertIn('Uploading artifacts as "archive" to coordinator... 201 Created', messages)
        self.assertIn("id=42 responseStatus=201 Created token=glcbt-64", messages)
        self.assertNotIn("secret", messages)

    def test_missing_path_is_a_warning(self):
        self.file("a")
        server = self.serve(Answer(201))
        messages = self.upload(server, "--path", "a", "--path", "b")
        self.assertIn("WARNING: b: no matching files. Ensure that the artifact path is relative to the working directory", messages)
        self.assertEqual(self.names(server.requests[0]), ["a"])

    def test_nothing_found_is_no_failure(self):
        server = self.serve(Answer(201))
        self.assertIn("ERROR: No files to upload", self.upload(server, "--path", "b"))
        self.assertEqual(server.requests, [])

    def test_excludes(self):
        for path in ("d/a.o", "d/a.c", "d/e/b.o"):
            self.file(path)
        server = self.serve(Answer(201))
        messages = self.upload(server, "--path", "d", "--exclude", "d/**/*.o")
        self.assertEqual(self.names(server.requests[0]), ["d/", "d/a.c", "d/e/"])
        self.assertIn("d/**/*.o: excluded 2 files", messages)

    def test_paths_outside_of_the_project_are_refused(self):
        with open(os.path.join(self.folder, "outside"), "w", encoding="utf-8"):
            pass
        server = self.serve(Answer(201))
        messages = self.upload(server, "--path", "../outside", "--path", "/etc/passwd")
        self.assertIn("artifact path is not a subpath of project directory: ../outside", messages)
        self.assertIn("artifact path is not a subpath of project directory: /etc/passwd", messages)
        self.assertEqual(server.requests, [])

    def test_absolute_path_inside(self):
        path = self.file("a")
        server = self.serve(Answer(201))
        self.upload(server, "--path", path)
        self.assertEqual(self.names(server.requests[0]), ["a"])

    def test_untracked(self):
        subprocess.run(["git", "init", "-q"], cwd=self.project, check=True)
        self.file("tracked")
        subprocess.run(["git", "add", "tracked"], cwd=self.project, check=True)
        self.file(".gitignore", "ignored\n")
        self.file("ignored")
        self.file("new")
        server = self.serve(Answer(201))
        self.assertIn("untracked: found 3 files", self.upload(server, "--untracked"))
        self.assertEqual(self.names(server.requests[0]), [".gitignore", "ignored", "new"])

    def test_variables_in_paths_and_names(self):
        self.file("out-x/a")
        server = self.serve(Answer(201))
        self.upload(server, "--path", "out-$WHAT/${FILE}", "--name", "${NONE:-n}-$WHAT", WHAT="x", FILE="a")
        self.assertEqual(uploaded_file(server.requests[0])[0], "n-x.zip")
        self.assertEqual(self.names(server.requests[0]), ["out-x/a"])

    def test_report_formats(self):
        self.file("r.env", "A=1\n")
        server = self.serve(Answer(201))
        self.upload(server, "--path", "r.env", "--artifact-format", "gzip", "--artifact-type", "dotenv", "--name", "x/.env")
        self.upload(server, "--path", "r.env", "--artifact-format", "raw", "--artifact-type", "metrics", "--name", "m.txt")
        self.assertEqual(uploaded_file(server.requests[0])[0], ".env.gz")
        self.assertEqual(uploaded_file(server.requests[1]), ("m.txt", b"A=1\n"))

    def test_refusals_are_final(self):
        self.file("a")
        for status, reason in ((400, "invalid argument"), (401, "invalid argument"), (403, "permission denied"), (404, "invalid argument"), (413, "too large")):
            with self.subTest(status=status):
                server = self.serve(Answer(status, b'{"message":"not so"}', {"Content-Type": "application/json"}))
                messages = self.upload(server, "--path", "a", status=1)
                self.assertIn(f"FATAL: {reason}", messages)
                self.assertIn(f"{status} ", messages)
                self.assertIn("(not so)", messages)
                self.assertEqual(len(server.requests), 1)

    def test_server_errors_are_tried_again(self):
        self.file("a", "x" * 300000)
        server = self.serve(Answer(500), Answer(503), Answer(201))
        messages = self.upload(server, "--path", "a")
        self.assertIn("WARNING: Retrying...", messages)
        self.assertEqual(len(server.requests), 3)
        self.assertEqual(len({uploaded_file(request)[1] for request in server.requests}), 1)

    def test_tries_are_counted(self):
        self.file("a")
        for status, tries in ((500, 3), (503, 6)):
            server = self.serve(Answer(status))
            self.upload(server, "--path", "a", status=1)
            self.assertEqual(len(server.requests), tries)

    def test_redirected_upload(self):
        self.file("a")
        other = self.serve(Answer(201))
        server = self.serve(Answer(307, headers={"Location": other.url + "/api/v4/jobs/42/artifacts"}))
        self.upload(server, "--path", "a")
        self.assertEqual(self.names(other.requests[0]), ["a"])

    def test_no_server(self):
        self.file("a")
        server = self.serve()
        server.close()
        self.addCleanup(lambda: None)
        self.assertIn("FATAL:", self.upload(server, "--path", "a", status=1))

    def test_accepts_every_flag_of_the_official_helper(self):
        self.file("a")
        server = self.serve(Answer(201))
        self.upload(
            server,
            *("--path=a", "--verbose", "--compression-level", "fast", "--ci-debug-trace=false", "--transfer-meter-frequency", "0s"),
            *("--generate-artifacts-metadata", "--runner-id", "1", "--repo-url", "u", "--repo-digest", "d", "--job-name", "j"),
            *("--executor-name", "e", "--runner-name", "r", "--metadata-parameter", "A", "--metadata-parameter", "B"),
            *("--started-at", "s", "--ended-at", "e", "--schema-version", "v1", "--tls-ca-file", "/nowhere"),
        )
        self.assertEqual(self.names(server.requests[0]), ["a"])

    def test_bad_command_lines(self):
        for arguments, text in (
            (["--nonsense", "1"], "flag provided but not defined: --nonsense"),
            (["--path"], "flag needs an argument: --path"),
            (["--timeout", "soon"], "invalid value 'soon' for flag --timeout"),
        ):
            self.assertIn(text, self.run_helper("artifacts-uploader", *arguments, status=1))
        self.assertIn("Missing runner credentials", self.run_helper("artifacts-uploader", status=1))


class Downloader(HelperTest):
    def download(self, server, *arguments, **more):
        return self.run_helper(
            *("artifacts-downloader", "--url", server.url, "--token", "glcbt-64_secretsecret", "--id", "7"),
            *("--retry-time", "1ms", *arguments),
            **more,
        )

    def test_extracts_into_the_project(self):
        server = self.serve(Answer(200, zip_of(**{"public/a": "A", "b": "B"})))
        messages = self.download(server)
        (request,) = server.requests
        self.assertEqual((request.method, request.path, request.query), ("GET", "/api/v4/jobs/7/artifacts", {}))
        self.assertEqual(request.headers["JOB-TOKEN"], "glcbt-64_secretsecret")
        self.assertEqual((self.read("public/a"), self.read("b")), ("A", "B"))
        self.assertIn("Downloading artifacts from coordinator... ok", messages)

    def test_redirect_to_another_host_gets_no_token(self):
        storage = self.serve(Answer(200, zip_of(a="A")))
        server = self.serve(Answer(302, headers={"Location": storage.url + "/bucket/x?signature=1"}))
        self.download(server, "--direct-download")
        self.assertEqual(server.requests[0].query, {"direct_download": "true"})
        self.assertEqual(storage.requests[0].path, "/bucket/x")
        self.assertNotIn("JOB-TOKEN", storage.requests[0].headers)
        self.assertEqual(self.read("a"), "A")

    def test_redirect_on_the_same_host_keeps_the_token(self):
        server = self.serve(Answer(302, headers={"Location": "/elsewhere"}), Answer(200, zip_of(a="A")))
        self.download(server)
        self.assertEqual(server.requests[1].headers["JOB-TOKEN"], "glcbt-64_secretsecret")

    def test_endless_redirects(self):
        server = self.serve(Answer(302, headers={"Location": "/again"}))
        self.assertIn("stopped after 10 redirects", self.download(server, "--retry", "0", status=1))

    def test_refusals_are_final(self):
        for status, reason in ((401, "permission denied"), (403, "permission denied"), (404, "file does not exist")):
            with self.subTest(status=status):
                server = self.serve(Answer(status))
                self.assertIn(f"FATAL: {reason}", self.download(server, status=1))
                self.assertEqual(len(server.requests), 1)

    def test_server_errors_are_tried_again(self):
        server = self.serve(Answer(502), Answer(500), Answer(200, zip_of(a="A")))
        self.download(server)
        self.assertEqual(self.read("a"), "A")
        server = self.serve(Answer(500))
        self.download(server, status=1)
        self.assertEqual(len(server.requests), 3)

    def test_cut_off_body_is_tried_again(self):
        whole = zip_of(a="A" * 5000)
        cut = Answer(200, whole[:-100], {"Content-Length": str(len(whole))})
        server = self.serve(cut, Answer(200, whole))
        self.download(server)
        self.assertEqual(self.read("a"), "A" * 5000)

    def test_damaged_archive(self):
        self.assertIn("FATAL:", self.download(self.serve(Answer(200, b"no zip")), status=1))

    def test_arguments_from_the_environment(self):
        server = self.serve(Answer(200, zip_of(a="A")))
        self.run_helper("artifacts-downloader", CI_SERVER_URL=server.url, CI_JOB_TOKEN="t", CI_JOB_ID="9", FF_USE_DIRECT_DOWNLOAD="true")
        self.assertEqual((server.requests[0].path, server.requests[0].query), ("/api/v4/jobs/9/artifacts", {"direct_download": "true"}))

    def test_incomplete_arguments(self):
        messages = self.run_helper("artifacts-downloader", "--url", "http://127.0.0.1", status=1)
        self.assertIn("Missing runner credentials (--token)", messages)
        self.assertIn("FATAL: Incomplete arguments", messages)

    def test_round_trip(self):
        self.file("d/run", "#!", 0o755)
        os.symlink("run", os.path.join(self.project, "d/link"))
        server = self.serve(Answer(201))
        self.run_helper("artifacts-uploader", "--url", server.url, "--token", "t", "--id", "1", "--path", "d")
        subprocess.run(["rm", "-r", "d"], cwd=self.project, check=True)
        self.download(self.serve(Answer(200, uploaded_file(server.requests[0])[1])))
        self.assertTrue(os.access(os.path.join(self.project, "d/run"), os.X_OK))
        self.assertEqual(os.readlink(os.path.join(self.project, "d/link")), "run")


class Version(HelperTest):
    def test_version(self):
        self.assertRegex(self.run_helper("--version"), r"^Version: +19\.4\.0\n")

    def test_unknown_command(self):
        self.assertIn("Command nonsense not found", self.run_helper("nonsense", status=1))
