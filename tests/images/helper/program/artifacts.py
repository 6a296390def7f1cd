"""artifacts-uploader and artifacts-downloader: the coordinator's /api/v4/jobs/ID/artifacts."""
import os
import secrets
import tempfile
import time
from urllib.parse import urlencode, urlsplit

import archive
import http_client
import log
from files import Selection
from log import Fatal
from options import boolean, duration, expand, parse

_CREDENTIALS = {
    "url": (str, ""),
    "token": (str, ""),
    "id": (int, 0),
    "tls-ca-file": (str, ""),
    "tls-cert-file": (str, ""),
    "tls-key-file": (str, ""),
    "transfer-meter-frequency": (duration, 0.0),
}
_CREDENTIALS_ENVIRONMENT = {
    "url": "CI_SERVER_URL",
    "token": "CI_JOB_TOKEN",
    "id": "CI_JOB_ID",
    "tls-ca-file": "CI_SERVER_TLS_CA_FILE",
    "tls-cert-file": "CI_SERVER_TLS_CERT_FILE",
    "tls-key-file": "CI_SERVER_TLS_KEY_FILE",
}
_UPLOADER = _CREDENTIALS | {
    "path": (list, None),
    "exclude": (list, None),
    "untracked": (boolean, False),
    "verbose": (boolean, False),
    "name": (str, "artifacts"),
    "expire-in": (str, ""),
    "artifact-format": (str, ""),
    "artifact-type": (str, ""),
    "compression-level": (str, ""),
    "timeout": (duration, 3600.0),
    "response-header-timeout": (duration, 600.0),
    "ci-debug-trace": (boolean, False),
    "retry": (int, 2),
    "retry-time": (duration, 1.0),
    # The statement about how artifacts were made; a stand-in makes none.
    "generate-artifacts-metadata": (boolean, False),
    "runner-id": (str, ""),
    "repo-url": (str, ""),
    "repo-digest": (str, ""),
    "job-name": (str, ""),
    "executor-name": (str, ""),
    "runner-name": (str, ""),
    "metadata-parameter": (list, None),
    "started-at": (str, ""),
    "ended-at": (str, ""),
    "schema-version": (str, ""),
}
_UPLOADER_ENVIRONMENT = _CREDENTIALS_ENVIRONMENT | {
    "compression-level": "ARTIFACT_COMPRESSION_LEVEL",
    "ci-debug-trace": "CI_DEBUG_TRACE",
}
_DOWNLOADER = _CREDENTIALS | {
    "direct-download": (boolean, False),
    "archiver-staging-dir": (str, ""),
    "retry": (int, 2),
    "retry-time": (duration, 1.0),
}
_DOWNLOADER_ENVIRONMENT = _CREDENTIALS_ENVIRONMENT | {
    "direct-download": "FF_USE_DIRECT_DOWNLOAD",
    "archiver-staging-dir": "ARCHIVER_STAGING_DIR",
}
_EXTENSIONS = {"": ".zip", "zip": ".zip", "gzip": ".gz"}
_TRIES, _TRIES_UNAVAILABLE = 3, 6


def upload(arguments):
    options = parse(_UPLOADER, _UPLOADER_ENVIRONMENT, arguments)
    if not options["url"] or not options["token"]:
        raise Fatal("Missing runner credentials")
    if options["id"] <= 0:
        raise Fatal("Missing build ID")
    paths = [expand(path) for path in options["path"]]
    exclude = [expand(path) for path in options["exclude"]]
    files = Selection(paths, exclude, options["untracked"]).enumerate()
    if not files:
        log.error("No files to upload")
        return
    base = os.path.basename(expand(options["name"]).rstrip("/"))
    name = (base if base not in ("", ".", "..") else "default") + _EXTENSIONS.get(options["artifact-format"], "")
    with tempfile.TemporaryFile() as content:
        archive.write(content, options["artifact-format"], files, archive.level(options["compression-level"]))
        _send(options, name, content)


def _send(options, name, content):
    query = urlencode(
        {
            key: value
            for key, value in (
                ("artifact_format", options["artifact-format"]),
                ("artifact_type", options["artifact-type"]),
                ("expire_in", options["expire-in"]),
            )
            if value
        }
    )
    what = f' as "{options["artifact-type"]}"' if options["artifact-type"] else ""
    prefix = f"Uploading artifacts{what} to coordinator..."
    client = _client(options, options["timeout"] or None)
    coordinator = options["url"]
    tries = 0
    while True:
        tries += 1
        url = _jobs_url(coordinator, options["id"]) + (f"?{query}" if query else "")
        unavailable = False
        try:
            boundary = secrets.token_hex(30)
            response = client.request(
                "POST",
                url,
                {
                    "JOB-TOKEN": options["token"],
                    "Content-Type": f"multipart/form-data; boundary={boundary}",
                    # As the official helper sends it: the length is not known before the archive is made.
                    "Transfer-Encoding": "chunked",
                },
                body=_form(boundary, name, content),
                chunked=True,
            )
        except http_client.Failure as problem:
            log.error(f"{prefix} error", error=problem, **_fields(options))
            reason = str(problem)
        else:
            fields = _fields(options, response)
            text = http_client.status_text(response)
            if response.status == 201:
                log.info(f"{prefix} {text}", **fields)
                return
            if response.status == 307 and response.getheader("Location"):
                moved = urlsplit(response.getheader("Location"))
                coordinator = f"{moved.scheme}://{moved.netloc}"
                log.info("Upload request redirected", location=response.getheader("Location"), **{"new-url": coordinator})
                reason = "request redirected"
            elif response.status == 403:
                log.error(f"{prefix} {text}", **fields)
                raise Fatal("permission denied")
            elif response.status == 413:
                log.error(f"{prefix} {text}", **fields)
                raise Fatal("too large")
            elif response.status == 503:
                log.error(f"{prefix} {text}", **fields)
                unavailable, reason = True, "service unavailable"
            elif 400 <= response.status <= 499 and response.status not in (408, 429):
                # No other answer can be expected from asking again.
                log.error(f"{prefix} {text}", **fields)
                raise Fatal("invalid argument")
            else:
                log.warning(f"{prefix} {text}", **fields)
                reason = "invalid argument"
        if tries >= (_TRIES_UNAVAILABLE if unavailable else _TRIES):
            raise Fatal(reason)
        log.warning("Retrying...", context="artifacts-uploader", error=reason)
        time.sleep(options["retry-time"])


def _form(boundary, name, content):
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    yield (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    content.seek(0)
    while block := content.read(1 << 18):
        yield block
    yield f"\r\n--{boundary}--\r\n".encode()


def download(arguments):
    options = parse(_DOWNLOADER, _DOWNLOADER_ENVIRONMENT, arguments)
    for flag, text in (("url", "URL"), ("token", "runner credentials"), ("id", "build ID")):
        if not options[flag]:
            log.warning(f"Missing {text} (--{flag})")
    if not options["url"] or not options["token"] or options["id"] <= 0:
        raise Fatal("Incomplete arguments")
    handle, path = tempfile.mkstemp(prefix="artifacts", dir=options["archiver-staging-dir"] or None)
    os.close(handle)
    try:
        for attempt in range(options["retry"] + 1):
            if attempt:
                time.sleep(options["retry-time"])
                log.warning("Retrying...", error="invalid argument")
            if _fetch(options, path, attempt):
                break
        else:
            raise Fatal("invalid argument")
        archive.extract(path, os.getcwd())
    finally:
        os.unlink(path)


def _fetch(options, path, attempt):
    """True when the file is there; False when it is worth another try."""
    prefix = "Downloading artifacts from coordinator..."
    url = _jobs_url(options["url"], options["id"])
    if options["direct-download"] and attempt == 0:
        url += "?direct_download=true"
    try:
        response = _client(options, 3600).get(url, {"JOB-TOKEN": options["token"]}, secret=("JOB-TOKEN",))
        fields = _fields(options, response) | {"host": response.final_host}
        if response.status == 200:
            http_client.save(response, path)
            log.info(f"{prefix} ok", **fields)
            return True
    except http_client.Failure as problem:
        log.error(f"{prefix} error {problem}", **_fields(options))
        return False
    text = http_client.status_text(response)
    if response.status == 403:
        log.error(f"{prefix} forbidden", status=text, **fields)
        raise Fatal("permission denied")
    if response.status == 401:
        log.error(f"{prefix} unauthorized", status=text, **fields)
        raise Fatal("permission denied")
    if response.status == 404:
        log.error(f"{prefix} not found", **fields)
        raise Fatal("file does not exist")
    log.warning(f"{prefix} failed", status=text, **fields)
    return False


def _jobs_url(coordinator, job):
    return f"{coordinator.rstrip('/').removesuffix('/ci')}/api/v4/jobs/{job}/artifacts"


def _client(options, timeout):
    return http_client.Client(options["tls-ca-file"], options["tls-cert-file"], options["tls-key-file"], timeout)


def _fields(options, response=None):
    # Enough of the token to tell two apart, as the official helper shows it.
    fields = {"id": options["id"], "token": options["token"][:8] if len(options["token"]) > 16 else "[short]"}
    if response is not None:
        fields["responseStatus"] = f"{response.status} {response.reason}"
    return fields
