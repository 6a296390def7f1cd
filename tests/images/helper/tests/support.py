"""What the helper's tests share: the program run in a project directory, and a coordinator that remembers."""
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from urllib.parse import parse_qs, urlsplit

PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "program")
sys.path.insert(0, PROGRAM)


class Answer:
    def __init__(self, status=200, body=b"", headers=None):
        self.status, self.body, self.headers = status, body, headers or {}


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        parts = urlsplit(target)
        self.path, self.query = parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}


class Server:
    """Answers from `answers` in order, the last one for ever; `requests` holds what came in."""

    def __init__(self, answers):
        self.answers, self.requests = list(answers), []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                server.requests.append(Request(self.command, self.path, self.headers, self._body()))
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_HEAD = _serve

            def _body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def uploaded_file(request):
    """File name and content of a multipart request."""
    boundary = re.search(r"boundary=(\S+)", request.headers["Content-Type"])[1].encode()
    head, _, rest = request.body.partition(b"\r\n\r\n")
    content, end, _ = rest.rpartition(b"\r\n--" + boundary + b"--\r\n")
    if not head.startswith(b"--" + boundary) or not end:
        raise AssertionError(f"not a form of one file: {request.body[:200]!r}")
    return re.search(rb'name="file"; filename="([^"]*)"', head)[1].decode(), content


class HelperTest(unittest.TestCase):
    """Each test has a project directory, self.project, in which the program runs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.project = os.path.join(self.folder, "project")
        os.mkdir(self.project)

    def serve(self, *answers):
        server = Server(answers or [Answer()])
        self.addCleanup(server.close)
        return server

    def file(self, path, content="content", mode=0o644):
        path = os.path.join(self.project, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, mode)
        return path

    def read(self, path):
        with open(os.path.join(self.project, path), "rb") as source:
            return source.read().decode()

    def run_helper(self, *arguments, status=0, **environment):
        """Its messages, colours and padding taken out."""
        clean = {"PATH": os.environ["PATH"], "HOME": self.folder, "GIT_CEILING_DIRECTORIES": self.folder}
        result = subprocess.run(
            [sys.executable, os.path.join(PROGRAM, "main.py"), *arguments],
            cwd=self.project,
            env=clean | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        messages = re.sub(r" +", " ", re.sub(r"\x1b\[[0-9;]*m", "", result.stderr.decode()))
        self.assertEqual(result.returncode, status, messages)
        self.assertNotIn("Traceback", messages)
        return result.stdout.decode() + messages
