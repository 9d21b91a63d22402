"""A BagIt bag (RFC 8493) as files: a payload with the SHA-512 of each file in it, so that who receives it can tell whether all
of it came. Five Safes RO-Crates travel in one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date

#: What every bag of version 1.0 says of itself.
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def bag(payload: Mapping[str, bytes], identifier: str, made: date) -> dict[str, bytes]:
    """Payload files (name → bytes) as a bag: the same under `data/`, with manifests. identifier: a URI of the content."""
    files = {f"data/{name}": data for name, data in payload.items()}
    size = sum(len(data) for data in payload.values())
    info = f"Bagging-Date: {made.isoformat()}\nExternal-Identifier: {identifier}\nPayload-Oxum: {size}.{len(payload)}\n"
    tags = {"bagit.txt": DECLARATION, "bag-info.txt": info.encode(), "manifest-sha512.txt": _manifest(files)}
    return {**files, **tags, "tagmanifest-sha512.txt": _manifest(tags)}


def wrong_in(files: Mapping[str, bytes]) -> list[str]:
    """What keeps files from being a whole bag; empty if nothing does. Names of files are repeated, their content is not."""
    if b"BagIt-Version: 1." not in files.get("bagit.txt", b""):
        return ["bagit.txt does not say BagIt 1.0 or later"]
    found = []
    if not _value(files.get("bag-info.txt", b""), "External-Identifier"):
        found.append("bag-info.txt has no External-Identifier")
    if "manifest-sha512.txt" not in files:
        return [*found, "there is no manifest-sha512.txt"]
    for manifest, of_payload in (("manifest-sha512.txt", True), ("tagmanifest-sha512.txt", False)):
        if manifest not in files:
            continue
        stated = dict(_line(line) for line in re.split("\r\n|\r|\n", files[manifest].decode("utf-8", "replace")) if line)
        there = {name for name in files if name.startswith("data/") is of_payload and not name.startswith("tagmanifest-")}
        found += [f"{name} is in {manifest} and not in the bag" for name in sorted(stated.keys() - files.keys())]
        found += [f"{name} is in the bag and not in {manifest}" for name in sorted(there - stated.keys())]
        found += [
            f"{n} is not what {manifest} says" for n in sorted(stated.keys() & files.keys()) if _sum(files[n]) != stated[n]
        ]
    return found


def identifier_of(files: Mapping[str, bytes]) -> str:
    """The bag's External-Identifier, or "" if it has none."""
    return _value(files.get("bag-info.txt", b""), "External-Identifier")


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{_sum(files[name])}  {_encoded(name)}\n" for name in sorted(files)).encode()


def _line(line: str) -> tuple[str, str]:
    """Name and checksum of a manifest's line."""
    checksum, _, name = line.partition(" ")
    return name.lstrip(" *").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%"), checksum.lower()


def _encoded(name: str) -> str:
    """RFC 8493, 2.1.3: the three characters that would break a line are written as percent codes."""
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _value(info: bytes, label: str) -> str:
    for line in info.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name == label:
            return value.strip()
    return ""


def _sum(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()
