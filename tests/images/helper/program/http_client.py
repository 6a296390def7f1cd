"""HTTP with the standard library: streamed bodies, redirects that leave a secret header behind on another host."""
import http.client
import os
from urllib.parse import urljoin, urlsplit

_BLOCK = 1 << 18


class Failure(Exception):
    """No usable answer: no connection, cut off, time-out."""


class Client:
    def __init__(self, ca_file="", cert_file="", key_file="", timeout=None):
        self._ca_file, self._cert_file, self._key_file = ca_file, cert_file, key_file
        self._timeout = timeout

    def _connect(self, url):
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname, url.port, timeout=self._timeout)
        if url.scheme != "https":
            raise Failure("only http or https scheme supported")
        import ssl

        context = ssl.create_default_context()
        if self._ca_file and os.path.exists(self._ca_file):
            context.load_verify_locations(self._ca_file)
        if self._cert_file and self._key_file:
            context.load_cert_chain(self._cert_file, self._key_file)
        return http.client.HTTPSConnection(url.hostname, url.port, timeout=self._timeout, context=context)

    def request(self, method, url, headers=None, body=None, chunked=False):
        """One request without redirects: the response, not read yet."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = self._connect(parts)
            connection.request(method, target, body=body, headers=headers or {}, encode_chunked=chunked)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as problem:
            # A server that refuses early closes while the body is still being sent; its answer may be there.
            try:
                return connection.getresponse()
            except Exception:
                raise Failure(f"{method} {url.split('?')[0]}: {problem}") from problem

    def get(self, url, headers=None, secret=()):
        """GET over redirects. secret: names of headers that only the first host may see."""
        headers = dict(headers or {})
        for _ in range(10):
            response = self.request("GET", url, headers)
            if response.status not in (301, 302, 303, 307, 308) or not response.getheader("Location"):
                response.final_host = urlsplit(url).netloc
                return response
            following = urljoin(url, response.getheader("Location"))
            response.close()
            if _origin(following) != _origin(url):
                for name in secret:
                    headers.pop(name, None)
            url = following
        raise Failure("stopped after 10 redirects")


def _origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def save(response, path):
    """The body into a file; a body cut short is a Failure."""
    try:
        with open(path, "wb") as out:
            while block := response.read(_BLOCK):
                out.write(block)
    except (OSError, http.client.HTTPException) as problem:
        raise Failure(f"reading the response: {problem}") from problem
    if response.length:
        raise Failure(f"the response was cut off {response.length} bytes before its end")


def status_text(response):
    """`403 Forbidden`, or what a JSON body says."""
    text = f"{response.status} {response.reason}"
    if 200 <= response.status <= 299 or "json" not in response.getheader("Content-Type", ""):
        return text
    import json

    try:
        message = json.loads(response.read(1 << 16)).get("message", "")
    except (ValueError, AttributeError, OSError, http.client.HTTPException):
        return text
    return f"{text} ({message})" if message else text
