"""The seam of the writers: notes into one format, whole or not at all, and a count of what the format cannot hold."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from fedkit.errors import ConfigurationError
from fedkit.notes.note import Note
from fedkit.storage import sync_folder, unwritable


class NoteWriter(ABC):
    """A format. Implementations write `_write`; `write` keeps files whole and private.

    holds: the fields of a note that the format has a place for, beside text and spans' place and label.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    #: Endings of the files in it, if the format is a folder; empty if it is one file.
    suffixes: ClassVar[tuple[str, ...]] = ()
    holds: ClassVar[frozenset[str]]

    def write(self, notes: Iterable[Note], target: Path, *, overwrite: bool = False) -> Counter[str]:
        """Write notes to a file or folder that only its owner may read; returns what was left out → how many times.

        overwrite: replace what an earlier call has written; a folder that holds anything else is never replaced.
        Notes are taken one at a time. Raises ConfigurationError if something is there that may not be replaced, StorageError
        for a full or read-only disk; in all cases what was there is as it was.
        """
        target = Path(target)
        self._check_target(target, overwrite)
        losses: Counter[str] = Counter()
        umask = os.umask(0o077)  # the pieces of a folder are private as well
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as stage:
                new = Path(stage) / target.name
                if self.suffixes:
                    new.mkdir()
                self._write(self._counted(notes, losses), new, losses)
                _flush(new)
                _take_place(new, target, Path(stage) / ".old")
                sync_folder(target.parent)
        except OSError as error:
            raise unwritable(target, error) from None
        finally:
            os.umask(umask)
        return +losses  # without what was looked at and not lost

    def _check_target(self, target: Path, overwrite: bool) -> None:
        if not target.exists() and not target.is_symlink():
            return
        ours = target.is_file()
        if self.suffixes and target.is_dir():
            ours = all(path.is_file() and path.suffix in self.suffixes for path in target.iterdir())
        elif self.suffixes:
            ours = False
        if not overwrite or not ours:
            raise ConfigurationError(
                f"{target.name}: something {'' if ours else 'else '}is there",
                expected="a new name"
                if ours
                else f"a new name, or {'a folder' if self.suffixes else 'a file'} of {self.title}",
                got="a file" if target.is_file() else "a folder",
                help="use --force to replace it" if ours else "choose another name",
            )

    @abstractmethod
    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        """Write to a new file, or into a new folder. What of a span or relation has no place is counted in `losses`."""

    def _counted(self, notes: Iterable[Note], losses: Counter[str]) -> Iterable[Note]:
        fields = (
            "tokens",
            "patient",
            "meta",
            "date",
            "author_role",
            "department",
            "type",
            "sections",
            "sentences",
            "relations",
        )
        missing = [name for name in (*fields, "language") if name not in self.holds]
        for note in notes:
            losses.update(name for name in missing if getattr(note, name))
            for name in ("attributes", "concepts", "fragments"):
                if name not in self.holds:
                    losses[f"{name} of spans"] += sum(bool(getattr(span, name)) for span in note.spans)
            if "attributes of relations" not in self.holds:
                losses["attributes of relations"] += sum(bool(r.attributes) for r in note.relations)
            yield note


#: What a row of ours holds: everything.
EVERYTHING = frozenset(
    {"tokens", "patient", "meta", "date", "author_role", "department", "type", "sections", "sentences", "relations", "language"}
    | {"attributes", "concepts", "fragments", "attributes of relations"}
)


def _flush(path: Path) -> None:
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _take_place(new: Path, target: Path, old: Path) -> None:
    """Give a new file or folder its name; the folder that had it goes to `old`, and comes back if this fails."""
    if not target.is_dir():
        new.replace(target)
        return
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
