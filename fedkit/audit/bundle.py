"""A bundle as files: a folder, or one zip file of it that can be sent. Written whole or not at all, read from strangers.

What the files mean stands in `evidence`. A zip of the same files has the same bytes, so its digest can be quoted.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedkit import __version__
from fedkit.audit.report import plain
from fedkit.digests import canonical, digest_bytes
from fedkit.errors import EvidenceError
from fedkit.storage import unwritable, write_whole

FORMAT = "fedkit evidence 2"

#: Bytes that a bundle may hold in all; a small zip file can claim to hold any number of them.
LARGEST = 4 << 30


def manifest(files: Mapping[str, bytes], request: str) -> dict[str, Any]:
    """What manifest.json says about files."""
    digests = {name: digest_bytes(data) for name, data in sorted(files.items())}
    return {"format": FORMAT, "fedkit": __version__, "request": request, "files": digests}


def write_folder(folder: Path, files: Mapping[str, bytes], request: str) -> Path:
    """Write files and their manifest to `folder`, whole or not at all, in place of an older one. Raises StorageError."""
    part, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    try:
        shutil.rmtree(part, ignore_errors=True)
        for name, data in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        (part / "manifest.json").write_bytes(canonical(manifest(files, request)))
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise unwritable(folder, error, sum(map(len, files.values()))) from None
    return folder


def pack(bundle: Path, file: Path) -> str:
    """Write a bundle as one zip file, whole or not at all; returns the file's SHA-256.

    The same files give the same bytes. Raises EvidenceError if `bundle` is none or its files are not those of its manifest
    (it would be found anyway; better before it is sent), StorageError if the disk refuses.
    """
    files = read_files(bundle)
    check_is_bundle(bundle, files)
    _check_unchanged(bundle, files)
    held = zip_of(files)
    write_whole(file, held, mode=0o666)
    return digest_bytes(held)


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip file, in which nothing stands of when and where it was made."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name])
    return held.getvalue()


def _check_unchanged(bundle: Path, files: Mapping[str, bytes]) -> None:
    try:
        stated = dict(json.loads(files["manifest.json"])["files"])
    except (KeyError, TypeError, ValueError, RecursionError):
        stated = {}
    found = {name: digest_bytes(data) for name, data in files.items() if name != "manifest.json"}
    if strays := sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name)):
        raise EvidenceError(
            f"{bundle.name} is not as it was exported",
            expected="the files that its manifest names",
            got=f"{plain(strays[0])} is another, or {len(strays)} are" if len(strays) > 1 else f"{plain(strays[0])} is another",
            help="run step 10 of the study again (or give --home), which writes the evidence anew",
        )


def read_files(bundle: Path) -> dict[str, bytes]:
    """Name → bytes of every file in a bundle (folder or zip file). Raises EvidenceError if it cannot be read as one."""
    try:
        files = _folder(bundle) if bundle.is_dir() else _zip(bundle)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise EvidenceError(
            f"{bundle.name} cannot be read as a bundle",
            expected="a folder or zip file",
            got=_why(error),
            help="give the folder evidence/ of a run, or a file of `fedkit evidence export`; if it was cut off, ask again",
        ) from None
    return files


def check_is_bundle(bundle: Path, files: Mapping[str, bytes]) -> None:
    """Raises EvidenceError unless there is a manifest among the files of a bundle."""
    if "manifest.json" not in files:
        raise EvidenceError(
            f"{bundle.name} is no evidence bundle",
            expected="a folder or zip file with manifest.json",
            got="none in it",
            help="give the folder evidence/ of a run",
        )


def _folder(bundle: Path) -> dict[str, bytes]:
    paths = [path for path in sorted(bundle.rglob("*")) if path.is_symlink() or not path.is_dir()]
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise ValueError(f"{path.name}, which is no file")  # a link would bring in what was never exported
    _check_size(sum(path.stat().st_size for path in paths))
    return {path.relative_to(bundle).as_posix(): path.read_bytes() for path in paths}


def _zip(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        names = [entry.filename for entry in entries]
        if len(set(names)) != len(names):
            raise ValueError("a name that stands in it twice")
        _check_size(sum(entry.file_size for entry in entries))
        top = next((n.removesuffix("manifest.json") for n in sorted(names, key=len) if n.endswith("manifest.json")), "")
        return {entry.filename.removeprefix(top): archive.read(entry) for entry in entries}


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"{size:,} bytes, of at most {LARGEST:,}")


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "nothing there"
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
        return plain(str(error))
    return "a zip file that is damaged or cut off" if isinstance(error, zipfile.BadZipFile) else type(error).__name__
