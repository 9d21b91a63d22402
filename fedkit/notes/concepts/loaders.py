"""A site's own vocabularies, read from the files that their owners distribute. None is shipped with fedkit.

    n = Normaliser(read_rf2(Path("sct2_Description_Snapshot-en.txt"), {"DRUG": drug_ids}), built_in())

| reader | file |
|---|---|
| `read_table` | any CSV or TSV with a heading that names code and name: a WHOCC ATC export, EMDN, a house list |
| `read_rf2` | SNOMED CT release format 2: a description snapshot |
| `read_meddra` | MedDRA ASCII: `llt.asc`, fields between `$` |
| `read_athena` | OMOP vocabularies from Athena: `CONCEPT.csv`, with or without `CONCEPT_SYNONYM.csv` |

All of them give terms for `Normaliser`. A row without code or name is left out; a file in which more than one row in ten is so
is refused, since then it is another file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from fedkit.errors import CorpusError
from fedkit.notes.concepts.terms import Term
from fedkit.notes.note import Concept

_CODE = ("code", "atc", "atc code", "atc_code", "emdn code", "concept_code", "key", "kode", "kod")
_NAME = ("name", "term", "text", "description", "atc level name", "concept_name", "value", "navn", "namn", "nimi", "nimetus")

#: OMOP domains → fedkit's labels.
_DOMAINS = {"Drug": "DRUG", "Condition": "REACTION", "Device": "IMPLANT", "Spec Anatomic Site": "BODY_SITE"}

_WRONG_SHARE = 0.1


def read_table(path: Path, *, system: str, label: str, language: str = "") -> tuple[Term, ...]:
    """Terms of a CSV or TSV file in UTF-8, with or without a byte order mark.

    The heading must name a column for the code and one for the name (`code` and `name`, or what the publishers call them). A
    column `language` or `label` goes before the arguments.   system: as in `Concept.system`, "ATC" say.
    Raises CorpusError for a file that is no such table.
    """
    path = Path(path)
    text = _text(path)
    head = text.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    columns = {(c or "").strip().casefold(): c for c in reader.fieldnames or ()}
    code = next((columns[c] for c in _CODE if c in columns), None)
    name = next((columns[c] for c in _NAME if c in columns), None)
    if code is None or name is None:
        raise CorpusError(
            f"{path}: no column for the {'code' if code is None else 'name'}",
            expected="a heading with a column code and a column name",
            got=", ".join(str(c)[:40] for c in (reader.fieldnames or ())[:8]) or "an empty file",
            help="add a heading line to the file",
        )
    labels, languages = columns.get("label", ""), columns.get("language", "")
    rows = (
        (_word(row[code]), _word(row[name]), _word(row.get(labels)) or label, _word(row.get(languages)) or language)
        for row in _rows(path, reader)
    )
    return _terms(path, rows, system)


def read_rf2(path: Path, labels: Mapping[str, Iterable[str]], *, system: str = "SNOMED CT") -> tuple[Term, ...]:
    """Terms of a SNOMED CT description snapshot (RF2): active descriptions of the concepts that are named.

    labels: label → concept ids, as the members of a reference set. A description says nothing of what kind its concept is, and
    the whole of SNOMED CT would match half of every note. Fully specified names are left out: nobody writes "(disorder)".
    """
    wanted = {str(i): label for label, ids in labels.items() for i in ids}
    path = Path(path)
    rows = csv.DictReader(io.StringIO(_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    _need(path, rows.fieldnames, ("active", "conceptId", "languageCode", "typeId", "term"))
    return _terms(
        path,
        (
            (row["conceptId"], _word(row["term"]), wanted.get(row["conceptId"] or "", ""), _word(row["languageCode"]))
            for row in _rows(path, rows)
            if row["active"] == "1" and row["typeId"] != "900000000000003001" and row["conceptId"] in wanted
        ),
        system,
    )


def read_meddra(path: Path, *, language: str = "", label: str = "REACTION", system: str = "MedDRA") -> tuple[Term, ...]:
    """Lowest level terms of MedDRA (`llt.asc`) with the code of their preferred term; those not current are left out."""
    path = Path(path)
    rows = [line.split("$") for line in _text(path).splitlines() if line.strip()]
    if not rows or sum(len(r) < 10 for r in rows) > _WRONG_SHARE * len(rows):
        raise CorpusError(
            f"{path}: not a MedDRA file", expected="llt.asc, fields between $", got=f"{len(rows)} lines of others"
        )
    return _terms(path, ((r[2].strip(), r[1].strip(), label, language) for r in rows if len(r) >= 10 and r[9] != "N"), system)


def read_athena(concepts: Path, synonyms: Path | None = None) -> tuple[Term, ...]:
    """Terms of OMOP vocabularies as Athena gives them: the vocabulary is the system, the domain decides the label.

    synonyms: `CONCEPT_SYNONYM.csv`, for the names in other languages. Domains that fedkit has no label for are left out.
    """
    concepts = Path(concepts)
    rows = csv.DictReader(io.StringIO(_text(concepts)), delimiter="\t", quoting=csv.QUOTE_NONE)
    _need(
        concepts,
        rows.fieldnames,
        ("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_code", "invalid_reason"),
    )
    kept = {
        row["concept_id"]: row for row in _rows(concepts, rows) if row["domain_id"] in _DOMAINS and not row["invalid_reason"]
    }
    found = [
        Term(row["concept_name"], _DOMAINS[row["domain_id"]], "", (_athena(row),))
        for row in kept.values()
        if row["concept_name"]
    ]
    if synonyms is not None:
        more = csv.DictReader(io.StringIO(_text(Path(synonyms))), delimiter="\t", quoting=csv.QUOTE_NONE)
        _need(Path(synonyms), more.fieldnames, ("concept_id", "concept_synonym_name"))
        for row in _rows(Path(synonyms), more):
            owner = kept.get(row["concept_id"] or "")
            if owner and row["concept_synonym_name"]:
                found.append(Term(row["concept_synonym_name"], _DOMAINS[owner["domain_id"]], "", (_athena(owner),)))
    return tuple(found)


#: No code and no name is longer, in characters. (The limit of `csv` belongs to the process, and readers of notes raise it.)
LONGEST_FIELD = 100_000


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    """The rows of a reader; CorpusError where the file is no table from there on."""
    number = 0
    with suppress(csv.Error):
        for row in reader:
            if any(len(value) > LONGEST_FIELD for value in row.values() if isinstance(value, str)):
                break
            number += 1
            yield row
        else:
            return
    raise CorpusError(f"{path}: cannot be read as a table", expected="rows of text", got=f"something else after row {number}")


def _athena(row: Mapping[str, str]) -> Concept:
    return Concept(row["vocabulary_id"], row["concept_code"], row["concept_name"])


def _terms(path: Path, rows: Iterable[tuple[str | None, str, str, str]], system: str) -> tuple[Term, ...]:
    found: list[Term] = []
    wrong = 0
    for code, name, label, language in rows:
        if code and name and label:
            found.append(Term(name, label, language, (Concept(system, code, name),)))
        else:
            wrong += 1
    if wrong > _WRONG_SHARE * (wrong + len(found)):
        raise CorpusError(
            f"{path}: too many of its rows cannot be read",
            expected="a code and a name in every row",
            got=f"{wrong} rows of {wrong + len(found)} without",
            help="check which file of the release this is, and its delimiter",
        )
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        got = "bytes that are not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "an error"
        raise CorpusError(f"{path}: cannot be read", expected="a text file in UTF-8", got=got) from None


def _need(path: Path, columns: Iterable[str] | None, wanted: Iterable[str]) -> None:
    missing = [c for c in wanted if c not in (columns or ())]
    if missing:
        raise CorpusError(
            f"{path}: not the file it should be",
            expected=f"the columns {', '.join(wanted)}",
            got=f"no {', '.join(missing)}",
            help="take the file as it is distributed, with its heading",
        )


def _word(value: str | None) -> str:
    return (value or "").strip()
