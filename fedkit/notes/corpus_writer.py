"""Writing a corpus to a folder: all of it or nothing.

The new folder is built beside its place and renamed into it, so a full disk or a killed process leaves the old corpus whole.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from fedkit.errors import CorpusError, StorageError
from fedkit.notes.corpus import FEDERATION_FILE, SPLITS, Corpus
from fedkit.notes.jsonl import dump_notes


def write_corpus(corpus: Corpus, folder: Path, *, overwrite: bool = False) -> None:
    """Write `folder/<site>/{train,dev,test,mock}.jsonl` and `folder/federation.toml`.

    overwrite: replace the corpus that is there; its sites go, other files in the folder (a data sheet, say) stay.
    Raises CorpusError if something is there that may not be replaced, StorageError if the disk is full or read-only.
    """
    folder = Path(folder).absolute()
    old = check_target(folder, overwrite=overwrite)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _storage(folder, error) from None
    try:
        new = stage / "new"
        new.mkdir()
        if folder.is_dir():
            _copy_others(folder, new, old)
        for site in corpus.sites.values():
            (new / site.name).mkdir(exist_ok=True)
            for split, notes in site.splits():
                _write(new / site.name / f"{split}.jsonl", dump_notes(notes))
        _write(new / FEDERATION_FILE, federation_toml(corpus).encode())
        if folder.exists():
            folder.rename(stage / "old")
        try:
            new.rename(folder)
        except OSError:
            if (stage / "old").exists():
                (stage / "old").rename(folder)
            raise
    except OSError as error:
        raise _storage(folder, error) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def check_target(folder: Path, *, overwrite: bool) -> list[str]:
    """The sites of the corpus that stands there already. Raises CorpusError if `write_corpus` would refuse."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    sites = _sites_in(folder) if folder.is_dir() else []
    if not sites:
        raise CorpusError(
            f"{folder}: something else is there",
            expected="a new or empty folder, or a corpus",
            got="other files",
            help="choose another folder",
        )
    if not overwrite:
        raise CorpusError(
            f"{folder}: a corpus is there",
            expected="a new or empty folder",
            got=f"the sites {', '.join(sites)}",
            help="use --force",
        )
    return sites


def federation_toml(corpus: Corpus) -> str:
    """The text of `federation.toml` for these sites."""
    return "\n".join(
        f"[[sites]]\nname = {_toml(s.name)}\ntitle = {_toml(s.title)}\nlanguage = {_toml(s.language)}\n"
        for s in corpus.sites.values()
    )


def _sites_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and any((p / f"{s}.jsonl").is_file() for s in SPLITS))


def _copy_others(folder: Path, new: Path, sites: list[str]) -> None:
    for path in folder.iterdir():
        if path.name in sites:
            (new / path.name).mkdir()
            for inner in path.iterdir():
                if inner.name not in {f"{s}.jsonl" for s in (*SPLITS, "mock")}:
                    _copy(inner, new / path.name / inner.name)
            if not any((new / path.name).iterdir()):
                (new / path.name).rmdir()
        elif path.name != FEDERATION_FILE:
            _copy(path, new / path.name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _storage(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{folder}: the corpus could not be written",
        expected="a writable disk with room for it",
        got=error.strerror or type(error).__name__,
        help="free some space or choose another folder; nothing was left behind",
    )
