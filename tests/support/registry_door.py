"""A registry's front door that a test may slam (registry.py is the registry).

    with Door(registry) as door:        # the same images under door.image(name)
        door.fail(429, times=2)         # answers to the next requests for a manifest
        door.cut(connections=3)         # the next ones end before a byte is said
        door.meet(2)                    # so many repositories must be asked for at the same time
        door.close_port(); door.open_port()
"""
import collections
import contextlib
import http.server
import json
import socket
import ssl
import struct
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.door.answer(self)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    # A port that was closed is opened again at once.
    allow_reuse_address = True
    daemon_threads = True

    def finish_request(self, request, client_address):
        if self.door.is_cut():
            # An RST, as from a machine that has just lost the service.
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        with self.door.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request, client_address):
        """A client that gives up is no news here."""


class Door:
    """Passes GET and HEAD on to the registry, under the same address and certificate; a test says what goes wrong."""

    def __init__(self, registry):
        self.registry = registry
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(registry.folder / "registry.crt", registry.folder / "registry.key")
        self.lock = threading.Lock()
        self.cuts = 0
        self.failures = collections.deque()
        self.meeting = None
        self.met = set()
        # Of manifests, by repository: how often one was asked for.
        self.asked = collections.Counter()
        self.port = 0
        self.server = None

    def __enter__(self):
        self.open_port()
        return self

    def __exit__(self, *_):
        self.close_port()

    @property
    def host(self):
        return f"{self.registry.address}:{self.port}"

    def image(self, name):
        return f"{self.host}/{name}"

    def open_port(self):
        self.server = _Server((self.registry.address, self.port), _Handler)
        self.server.door = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close_port(self):
        """Connections are refused from now on."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def cut(self, connections):
        with self.lock:
            self.cuts = connections

    def fail(self, status, times):
        """The next requests for a manifest get this status."""
        with self.lock:
            self.failures.extend([status] * times)

    def meet(self, repositories):
        """So many repositories must be asked for at the same time: no manifest is handed out before."""
        self.meeting = threading.Barrier(repositories)

    def is_cut(self):
        with self.lock:
            self.cuts -= 1
            return self.cuts >= 0

    def _failure(self, repository):
        with self.lock:
            self.asked[repository] += 1
            first = repository not in self.met
            self.met.add(repository)
            failure = self.failures.popleft() if self.failures else None
        if first and self.meeting is not None:
            try:
                self.meeting.wait(60)
            except threading.BrokenBarrierError:
                return 404
        return failure

    def answer(self, handler):
        failure = None
        if "/manifests/" in handler.path and "Authorization" in handler.headers:
            failure = self._failure(handler.path.split("/manifests/")[0].removeprefix("/v2/"))
        if failure is not None:
            body = json.dumps({"errors": [{"code": {429: "TOOMANYREQUESTS"}.get(failure, "UNAVAILABLE"),
                                           "message": "said the door"}]}).encode()
            self._send(handler, failure, {"Content-Type": "application/json"}, body)
            return
        with contextlib.closing(self.registry.connect()) as connection:
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            # One by one: Accept stands there several times.
            for key, value in handler.headers.items():
                if key.lower() != "connection":
                    connection.putheader(key, value)
            connection.endheaders()
            answer = connection.getresponse()
            self._send(handler, answer.status, answer.headers, answer.read())

    @staticmethod
    def _send(handler, status, headers, body):
        handler.send_response(status)
        for key, value in headers.items():
            if key.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                handler.send_header(key, value)
        # Of a HEAD the length that the body would have.
        length = headers.get("Content-Length") if handler.command == "HEAD" else None
        handler.send_header("Content-Length", length or str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)
