"""One reader a format of clinical notes, all giving `Record`s behind one seam (`base.NoteReader`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fedkit.errors import CorpusError
from fedkit.notes.readers.base import NoteReader
from fedkit.notes.readers.brat import BratReader
from fedkit.notes.readers.cda import CdaReader
from fedkit.notes.readers.conll import ConllReader
from fedkit.notes.readers.delimited import CsvReader
from fedkit.notes.readers.fhir import FhirReader
from fedkit.notes.readers.jsonl import JsonlReader
from fedkit.notes.readers.label_studio import LabelStudioReader
from fedkit.notes.readers.omop import OmopReader
from fedkit.notes.readers.openehr import OpenEhrReader
from fedkit.notes.readers.parquet import ParquetReader
from fedkit.notes.readers.pdf import PdfReader
from fedkit.notes.readers.xmi import XmiReader

#: Every format by the word for `--format`, in the order in which a file is tried: those that are sure of their own come first.
FORMATS: dict[str, type[NoteReader]] = {
    PdfReader.name: PdfReader,
    ParquetReader.name: ParquetReader,
    OmopReader.name: OmopReader,
    CdaReader.name: CdaReader,
    XmiReader.name: XmiReader,
    FhirReader.name: FhirReader,
    OpenEhrReader.name: OpenEhrReader,
    LabelStudioReader.name: LabelStudioReader,
    JsonlReader.name: JsonlReader,
    ConllReader.name: ConllReader,
    CsvReader.name: CsvReader,
    BratReader.name: BratReader,
}

_HEAD = 1 << 16
_LOOKED_AT = 50  # files of a folder that are opened to find out its format


def detect(source: Path) -> type[NoteReader]:
    """The format of a file, or the one format of a folder's files.

    Raises CorpusError for a source that is not there, that no reader knows, or that holds files of several formats.
    """
    source = Path(source)
    if not source.exists():
        raise CorpusError(f"{source}: nothing to import", expected="a file or a folder", got="nothing at this path")
    if source.is_file():
        kind = _detect_file(source)
        if kind is None:
            raise CorpusError(
                f"{source.name}: a format that no reader knows",
                expected=", ".join(FORMATS),
                got=source.suffix or "no ending",
                help="name the format with --format",
            )
        return kind
    known = {suffix for kind in FORMATS.values() for suffix in kind.suffixes}
    files = sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in known
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    )
    found = Counter(kind for path in files[:: max(1, len(files) // _LOOKED_AT)] if (kind := _detect_file(path)) is not None)
    if len(found) == 1:
        return next(iter(found))
    raise CorpusError(
        f"{source.name}: {'files of several formats' if found else 'no file that a reader knows'}",
        expected=f"files of one of: {', '.join(FORMATS)}",
        got=", ".join(f"{n} {kind.name}" for kind, n in found.most_common()) or f"{len(files)} files with a known ending",
        help="name the format with --format: its files alone are read then",
    )


def _detect_file(path: Path) -> type[NoteReader] | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    return next((kind for kind in FORMATS.values() if _recognises(kind, path, head)), None)


def _recognises(kind: type[NoteReader], path: Path, head: bytes) -> bool:
    try:
        return kind.recognises(path, head)
    except Exception:  # a parser's own, about a file that is not of its format
        return False
