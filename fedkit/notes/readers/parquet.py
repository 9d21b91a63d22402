"""Parquet: a note a row, row group by row group, with the columns of `table`; spans as a list of structs or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fedkit.notes.readers.base import NoteReader, Record
from fedkit.notes.readers.table import Columns

_ROWS = 200


class ParquetReader(NoteReader):
    """Apache Parquet, by pyarrow."""

    name = "parquet"
    title = "Parquet"
    suffixes = (".parquet",)

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return head.startswith(b"PAR1")

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            columns = Columns(file.schema_arrow.names, self.rules, name)
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    place = f"{name}, row {number}"
                    yield self._one(place, partial(columns.record, cells, place))
