"""Archives: zip (with modes, owners, times and symbolic links), gzip streams, one raw file."""
import os
import shutil
import stat
import struct
import zipfile
import zlib

from log import Fatal
import log

LEVELS = {"fastest": 0, "fast": 1, "default": 5, "slow": 7, "slowest": 9}
_TIMES = 0x5455  # Info-ZIP extended timestamp
_OWNER = 0x7875  # Info-ZIP Unix owner, version 1
_OLDEST = 315532800  # 1980-01-01, where the time of a zip entry begins


def level(name):
    return LEVELS.get((name or "default").lower(), LEVELS["default"])


def write(out, archive_format, files, compression):
    """files: path -> lstat."""
    if archive_format in ("", "zip"):
        _write_zip(out, files, compression)
    elif archive_format == "gzip":
        for path in sorted(files):
            _write_gzip(out, path)
    elif archive_format == "raw":
        if len(files) > 1:
            raise Fatal("only one file can be sent as raw")
        with open(next(iter(files)), "rb") as source:
            shutil.copyfileobj(source, out)
    else:
        raise Fatal(f"unsupported archive format {archive_format!r}")


def _write_zip(out, files, compression):
    import time

    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(files):
            status = files[path]
            if path == ".":
                continue
            directory = stat.S_ISDIR(status.st_mode)
            link = stat.S_ISLNK(status.st_mode)
            if not (directory or link or stat.S_ISREG(status.st_mode)):
                log.warning(f"{path}: not a file, directory or symbolic link; left out")
                continue
            entry = zipfile.ZipInfo(path + "/" * directory, time.gmtime(max(status.st_mtime, _OLDEST))[:6])
            entry.create_system = 3
            entry.external_attr = status.st_mode << 16 | (0x10 if directory else 0)
            entry.extra = struct.pack("<HHBl", _TIMES, 5, 1, int(status.st_mtime)) + struct.pack(
                "<HHBBlBl", _OWNER, 11, 1, 4, status.st_uid, 4, status.st_gid
            )
            entry.compress_type = zipfile.ZIP_DEFLATED if compression and not (directory or link) else zipfile.ZIP_STORED
            entry._compresslevel = compression
            entry.file_size = status.st_size
            if directory:
                archive.writestr(entry, b"")
            elif link:
                archive.writestr(entry, os.fsencode(os.readlink(path)))
            else:
                with open(path, "rb") as source, archive.open(entry, "w", force_zip64=status.st_size > 1 << 30) as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def _write_gzip(out, path):
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise Fatal(f'the "{path}" is not a regular file')
    # The name and, as the comment, the path: the server rebuilds the tree from them.
    out.write(struct.pack("<BBBBLBB", 0x1F, 0x8B, 8, 0x18, int(status.st_mtime), 0, 255))
    out.write(_header_text(os.path.basename(path)) + b"\0" + _header_text(path) + b"\0")
    compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum, size = 0, 0
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            checksum = zlib.crc32(block, checksum)
            size += len(block)
            out.write(compressor.compress(block))
    out.write(compressor.flush() + struct.pack("<LL", checksum, size & 0xFFFFFFFF))


def _header_text(text):
    if text.isascii() and "%" not in text:
        return text.encode()
    from urllib.parse import quote

    return b"e:" + quote(text, safe="$&+:=@").encode()


def extract(path, directory):
    """Unpacks into directory; what is there already is replaced."""
    with open(path, "rb") as source:
        magic = source.read(4)
    if magic == b"\x28\xb5\x2f\xfd" or magic[:2] == b"\x1f\x8b":
        raise Fatal("only zip archives can be extracted")
    root = os.path.realpath(directory)
    links, folders = [], []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            target = os.path.normpath(os.path.join(root, entry.filename))
            if target != root and not target.startswith(root + "/"):
                raise Fatal(f"{entry.filename} cannot be extracted outside of {root}")
            mode = entry.external_attr >> 16
            if entry.is_dir():
                if not os.path.isdir(target):
                    _make_way(target)
                    os.makedirs(target)
                folders.append((entry, target))
            elif stat.S_ISLNK(mode):
                links.append((entry, target, archive.read(entry)))
            else:
                _make_way(target)
                with archive.open(entry) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
                _metadata(entry, target)
    # Links last, so that no entry is written through one; folders after their content, for the times.
    for entry, target, content in links:
        _make_way(target)
        os.symlink(content, os.fsencode(target))
        _metadata(entry, target)
    for entry, target in reversed(folders):
        _metadata(entry, target)


def _make_way(target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):
        if os.path.isdir(target) and not os.path.islink(target):
            shutil.rmtree(target)
        else:
            os.unlink(target)


def _metadata(entry, target):
    mode = entry.external_attr >> 16
    extra = _extra_fields(entry.extra)
    link = stat.S_ISLNK(mode)
    owner = extra.get(_OWNER, b"")
    if len(owner) == 11 and os.geteuid() == 0:
        _, _, uid, _, gid = struct.unpack("<BBlBl", owner)
        os.lchown(target, uid, gid)
    if mode and not link:
        os.chmod(target, stat.S_IMODE(mode))
    times = extra.get(_TIMES, b"")
    if len(times) >= 5:
        (modified,) = struct.unpack("<l", times[1:5])
        os.utime(target, (modified, modified), follow_symlinks=False)


def _extra_fields(extra):
    fields = {}
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        fields[kind] = extra[4 : 4 + size]
        extra = extra[4 + size :]
    return fields
