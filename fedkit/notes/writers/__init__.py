"""One writer a format, behind one seam (`base.NoteWriter`): the formats whose files people make from notes."""

from __future__ import annotations

from fedkit.errors import ConfigurationError
from fedkit.notes.writers.base import NoteWriter
from fedkit.notes.writers.brat import BratWriter
from fedkit.notes.writers.conll import BioesWriter, Iob2Writer
from fedkit.notes.writers.fhir import FhirWriter
from fedkit.notes.writers.jsonl import JsonlWriter
from fedkit.notes.writers.label_studio import LabelStudioWriter
from fedkit.notes.writers.omop import OmopWriter
from fedkit.notes.writers.table import CsvWriter, ParquetWriter
from fedkit.notes.writers.xmi import XmiWriter

#: Every writer by the word for `--format`.
WRITERS: dict[str, type[NoteWriter]] = {
    JsonlWriter.name: JsonlWriter,
    CsvWriter.name: CsvWriter,
    ParquetWriter.name: ParquetWriter,
    OmopWriter.name: OmopWriter,
    FhirWriter.name: FhirWriter,
    BratWriter.name: BratWriter,
    Iob2Writer.name: Iob2Writer,
    BioesWriter.name: BioesWriter,
    XmiWriter.name: XmiWriter,
    LabelStudioWriter.name: LabelStudioWriter,
}


def writer_of(format: str) -> NoteWriter:
    """The writer of a format. Raises ConfigurationError for one that nothing writes."""
    if format not in WRITERS:
        raise ConfigurationError(f"no writer for the format {format}", expected=", ".join(WRITERS), got="another word")
    return WRITERS[format]()
