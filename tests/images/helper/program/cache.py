"""cache-archiver and cache-extractor: a zip in a local file, copied to and from a URL where one is given."""
import calendar
import json
import os
import tempfile
import time
from urllib.parse import urlsplit, urlunsplit

import archive
import http_client
import log
from files import Selection
from log import Fatal
from options import boolean, duration, expand, parse

_TRANSFER = {
    "file": (str, ""),
    "url": (str, ""),
    "gocloud-url": (str, ""),
    "env-file": (str, ""),
    "timeout": (int, 10),
    "retry": (int, 2),
    "retry-time": (duration, 1.0),
    "transfer-meter-frequency": (duration, 0.0),
    "transfer-buffer-size": (int, 0),
    "chunk-size": (int, 0),
    "concurrency": (int, 0),
}
_ARCHIVER = _TRANSFER | {
    "alternate-file": (str, ""),
    "path": (list, None),
    "exclude": (list, None),
    "untracked": (boolean, False),
    "verbose": (boolean, False),
    "check-url": (str, ""),
    "header": (list, None),
    "metadata": (str, ""),
    "compression-level": (str, ""),
    "compression-format": (str, ""),
    "max-uploaded-archive-size": (int, 0),
}
_ARCHIVER_ENVIRONMENT = {
    "compression-level": "CACHE_COMPRESSION_LEVEL",
    "compression-format": "CACHE_COMPRESSION_FORMAT",
}
_EXTRACTOR = _TRANSFER | {
    "alternate-url": (str, ""),
    "alternate-gocloud-url": (str, ""),
    "head-url": (str, ""),
    "alternate-head-url": (str, ""),
}
_HTTP_TIME = "%a, %d %b %Y %H:%M:%S GMT"


class Warned(Exception):
    """Ends the program with exit status 1 after a warning: what a job shrugs off."""


class _Retry(Exception):
    pass


def archive_cache(arguments):
    options = parse(_ARCHIVER, _ARCHIVER_ENVIRONMENT, arguments)
    if not options["file"]:
        raise Fatal("Missing --file")
    metadata = _metadata(options["metadata"])
    _take_alternate(options["file"], options["alternate-file"])
    selection = Selection(
        [expand(path) for path in options["path"]], [expand(path) for path in options["exclude"]], options["untracked"]
    )
    if not selection.enumerate():
        log.warning("No files to cache.")
        return
    if not selection.newer_than(options["file"]):
        if options["alternate-file"] in ("", options["file"]):
            log.info("Archive is up to date!")
        elif options["url"] and _exists(options):
            log.info("Primary cache already exists remotely, skipping upload")
        else:
            log.info("Primary cache does not exist remotely, uploading existing archive")
            _upload(options)
        return
    if options["compression-format"].lower() in ("tarzstd", "zipzstd"):
        log.warning(f"{options['compression-format']} is not supported here: the cache is written as zip")
    _write(options["file"], selection.files, archive.level(options["compression-level"]))
    with open(os.path.join(os.path.dirname(options["file"]), "metadata.json"), "w", encoding="utf-8") as out:
        json.dump(metadata, out)
    _upload(options)


def _metadata(text):
    if not text:
        return {}
    try:
        return {key.lower(): value for key, value in json.loads(text).items() if key}
    except (ValueError, AttributeError) as problem:
        raise Fatal(f"invalid value for flag --metadata: {problem}") from None


def _take_alternate(path, alternate):
    if alternate in ("", path) or os.path.exists(path) or not os.path.exists(alternate):
        return
    os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
    os.rename(alternate, path)
    log.info("Renamed alternate cache file to primary")


def _write(path, files, compression):
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, 0o700, exist_ok=True)
    # Renamed when complete, so that a job next door never reads half of it.
    handle, part = tempfile.mkstemp(prefix="archive_", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            archive.write(out, "zip", files, compression)
        os.rename(part, path)
    except BaseException:
        os.unlink(part)
        raise


def _upload(options):
    if options["gocloud-url"]:
        raise Fatal("gocloud URLs are not supported here")
    if not options["url"]:
        log.info(
            "No URL provided, cache will not be uploaded to shared cache server. Cache will be stored only locally."
        )
        return
    size = os.path.getsize(options["file"])
    if options["max-uploaded-archive-size"] and size > options["max-uploaded-archive-size"]:
        log.info(
            f"Cache archive size ({size}) is too big (Limit is set to {options['max-uploaded-archive-size']}). "
            "Cache will be stored only locally."
        )
        return
    _with_retries(options, lambda: _put(options))


def _put(options):
    headers = {"Content-Type": "application/octet-stream"}
    for header in options["header"]:
        name, colon, value = header.partition(":")
        if colon:
            if name.strip().lower() == "content-type":
                headers.pop("Content-Type", None)
            headers[name.strip()] = value.strip()
    status = os.stat(options["file"])
    headers["Last-Modified"] = time.strftime(_HTTP_TIME, time.gmtime(status.st_mtime))
    headers["Content-Length"] = str(status.st_size)
    log.info(f"Uploading {os.path.basename(options['file'])} to {_clean(options['url'])}")
    with open(options["file"], "rb") as body:
        response = _client(options).request("PUT", options["url"], headers, body)
    _check(response)


def _exists(options):
    try:
        response = _client(options).request("HEAD", options["check-url"] or options["url"])
    except http_client.Failure:
        return False
    return response.status == 200


def extract_cache(arguments):
    options = parse(_EXTRACTOR, {}, arguments)
    if not options["file"]:
        raise Warned("Missing cache file")
    if options["gocloud-url"]:
        raise Warned("gocloud URLs are not supported here")
    if options["url"]:
        try:
            _with_retries(options, lambda: _download(options))
        except Fatal as problem:
            raise Warned(str(problem)) from None
    else:
        log.info(
            "No URL provided, cache will not be downloaded from shared cache server. "
            "Instead a local version of cache will be extracted."
        )
    if not os.path.exists(options["file"]):
        raise Warned("Cache file does not exist")
    archive.extract(options["file"], os.getcwd())


def _download(options):
    path = options["file"]
    os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
    url = _newer_url(options)
    try:
        response = _client(options).get(url)
    except http_client.Failure as problem:
        raise _Retry(str(problem)) from problem
    if response.status == 404:
        raise Fatal("file does not exist")
    _check(response)
    modified = _http_time(response.getheader("Last-Modified"))
    if os.path.exists(path) and modified <= os.path.getmtime(path):
        log.info(f"{os.path.basename(path)} is up to date")
        return
    log.info(f"Downloading {os.path.splitext(os.path.basename(path))[0]} from {_clean(url)}")
    handle, part = tempfile.mkstemp(prefix="cache", dir=os.path.dirname(path) or ".")
    os.close(handle)
    try:
        http_client.save(response, part)
        if modified:
            os.utime(part, (time.time(), modified))
        os.rename(part, path)
    except http_client.Failure as problem:
        os.unlink(part)
        raise _Retry(str(problem)) from problem


def _newer_url(options):
    if not options["alternate-url"]:
        return options["url"]
    times = []
    for head in (options["head-url"] or options["url"], options["alternate-head-url"] or options["alternate-url"]):
        try:
            response = _client(options).request("HEAD", head)
            times.append(_http_time(response.getheader("Last-Modified")) if response.status == 200 else -1)
        except http_client.Failure:
            times.append(-1)
    return options["alternate-url"] if times[1] > times[0] else options["url"]


def _client(options):
    return http_client.Client(timeout=max(options["timeout"], 1) * 60)


def _check(response):
    if 200 <= response.status <= 299:
        return
    text = f"received: {response.status} {response.reason}"
    if response.status >= 500:
        raise _Retry(text)
    raise Fatal(text)


def _with_retries(options, action):
    for attempt in range(options["retry"] + 1):
        try:
            return action()
        except (_Retry, http_client.Failure) as problem:
            reason = str(problem)
        if attempt < options["retry"]:
            time.sleep(options["retry-time"])
            log.warning("Retrying...", error=reason)
    raise Fatal(reason)


def _http_time(text):
    try:
        return calendar.timegm(time.strptime(text or "", _HTTP_TIME))
    except ValueError:
        return 0


def _clean(url):
    """Without the query, where presigned URLs keep their signature, and without a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
