"""A corpus: one folder per site with `train.jsonl`, `dev.jsonl`, `test.jsonl` and, if it has one, `mock.jsonl`.

    corpus = read_corpus(Path("data_samples"))
    corpus.sites["fi"].train        # tuple of Note
    corpus.labels                   # ('BODY_SITE', 'DRUG', …)

A `federation.toml` at the top may give order, titles and languages:

    [[sites]]
    name = "no"
    title = "Fjordvik sykehus"
    language = "nb"

Other files and folders are ignored. A site without mock notes is given some by `mock_twin`, which sees no note.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fedkit.digests import digest, digest_bytes
from fedkit.errors import CorpusError
from fedkit.notes.jsonl import dump_notes, read_notes
from fedkit.notes.mock import mock_twin
from fedkit.notes.note import LANGUAGES, Note

SPLITS = ("train", "dev", "test")
FEDERATION_FILE = "federation.toml"
MOCK_NOTES = 40  # enough to rehearse on, small enough to be quick

_SITE_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class SiteNotes:
    """The notes of one site. `language` is an ISO 639-1 code; `mock` holds nothing of the other three."""

    name: str
    title: str
    language: str
    train: tuple[Note, ...]
    dev: tuple[Note, ...]
    test: tuple[Note, ...]
    mock: tuple[Note, ...]

    def splits(self) -> Iterator[tuple[str, tuple[Note, ...]]]:
        """("train", notes), ("dev", …), ("test", …), ("mock", …)."""
        for split in (*SPLITS, "mock"):
            yield split, getattr(self, split)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Sorted labels of the private notes."""
        return tuple(sorted({s.label for n in (*self.train, *self.dev, *self.test) for s in n.spans}))

    def __repr__(self) -> str:
        return f"SiteNotes({self.name!r}, {', '.join(f'{len(notes)} {split}' for split, notes in self.splits())})"


@dataclass(frozen=True)
class Corpus:
    """Sites in order, by name. `warnings`: what is allowed but should be seen; one sentence each, without note text."""

    sites: Mapping[str, SiteNotes]
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Sorted labels of all sites together."""
        return tuple(sorted({label for site in self.sites.values() for label in site.labels}))

    @cached_property
    def digest(self) -> str:
        """Digest of every site's name, title, language and notes, in order."""
        return digest(
            [
                {"name": s.name, "title": s.title, "language": s.language}
                | {split: digest_bytes(dump_notes(notes)) for split, notes in s.splits()}
                for s in self.sites.values()
            ]
        )

    def describe(self) -> list[dict[str, Any]]:
        """A row per site and split: `{"site", "title", "language", "split", "notes", "patients", "characters", "labels"}`.

        `patients` counts distinct ids and is None where the corpus names none; `labels` is `{label: number of spans}`.
        """
        rows: list[dict[str, Any]] = []
        for site in self.sites.values():
            for split, notes in site.splits():
                patients = {n.patient for n in notes if n.patient is not None}
                counts = Counter(s.label for n in notes for s in n.spans)
                rows.append(
                    {
                        "site": site.name,
                        "title": site.title,
                        "language": site.language,
                        "split": split,
                        "notes": len(notes),
                        "patients": len(patients) or None,
                        "characters": sum(len(n.text) for n in notes),
                        "labels": {label: counts[label] for label in self.labels},
                    }
                )
        return rows

    def __repr__(self) -> str:
        return f"Corpus({', '.join(self.sites)}; {', '.join(self.labels)})"


def build_corpus(sites: Iterable[SiteNotes], warnings: Iterable[str] = ()) -> Corpus:
    """A checked corpus of these sites, in this order.

    Raises CorpusError for no site, two sites of one name (upper and lower case are one) or a label that no two sites share.
    """
    ordered = list(sites)
    if not ordered:
        raise CorpusError("a corpus without sites", expected="at least one site", got="none")
    seen: dict[str, str] = {}
    for site in ordered:
        check_site_name(site.name, "corpus")
        _note_name(site.name, seen, "corpus")
    return Corpus({s.name: s for s in ordered}, (*warnings, *_check_labels(ordered)))


def read_corpus(folder: Path, *, allow_empty: bool = False) -> Corpus:
    """The corpus in a folder.

    Order: as `federation.toml` says, then by language (nb, nn, sv, da, fi, et, others), then by name.

    allow_empty: accept a site without training notes (it evaluates only), with a warning.
    Raises CorpusError, naming file and line and never note text, for all that is wrong.
    """
    folder = Path(folder)
    named = _read_federation(folder)
    found = _site_folders(folder)
    for name in named:
        if name not in found:
            raise CorpusError(
                f"{FEDERATION_FILE} names the site {name!r}, which has no folder with notes",
                expected=f"{folder / name / 'train.jsonl'}",
                got="no such file",
                help=f"add the folder, or take the site out of {FEDERATION_FILE}",
            )
    warnings: list[str] = []
    sites = [_read_site(folder / name, named.get(name, {}), warnings, allow_empty) for name in found]
    warnings += [f"site {name}: not in {FEDERATION_FILE}" for name in found if named and name not in named]
    order = {name: number for number, name in enumerate(named)}
    tongue = {language: number for number, language in enumerate(LANGUAGES)}
    sites.sort(key=lambda s: (order.get(s.name, len(order)), tongue.get(s.language, len(tongue)), s.name))
    # A twin rehearses for the whole federation, so it knows the labels of all sites.
    labels = sorted({label for s in sites for label in s.labels})
    return build_corpus([s if s.mock or not labels else _with_mock(s, labels) for s in sites], warnings)


def check_site_name(name: str, where: str) -> None:
    """Raises CorpusError unless the name can be a folder and an account name: letters, digits, `-`, `_`, `.`, at most 64."""
    if not _SITE_NAME.fullmatch(name):
        raise CorpusError(
            f"{where}: not a name for a site",
            expected="letters, digits, '-', '_' and '.', beginning with a letter or digit, at most 64 characters",
            got=repr(name[:80]),
            help="rename the site's folder",
        )


def _site_folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise CorpusError(
            f"{folder}: no such folder",
            expected="a folder with one folder per site",
            got="a file" if folder.exists() else "nothing at this path",
            help="check the path; `fedkit notes synthesise --out DIR` makes a corpus to begin with",
        )
    try:
        entries = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        found = [p.name for p in entries if any((p / f"{split}.jsonl").is_file() for split in SPLITS)]
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be read", expected="a readable folder", got=error.strerror or "an error") from None
    if not found:
        raise CorpusError(
            f"{folder}: no site in it",
            expected="one folder per site with train.jsonl, dev.jsonl and test.jsonl",
            got=f"{len(entries)} folders, none with notes" if entries else "no folders",
            help="put the notes of each site into a folder of its own",
        )
    seen: dict[str, str] = {}
    for name in found:
        check_site_name(name, str(folder))
        _note_name(name, seen, str(folder))
    return found


def _note_name(name: str, seen: dict[str, str], where: str) -> None:
    # Sites become folders and accounts: names that some file systems hold for one are one.
    key = unicodedata.normalize("NFKC", name).casefold()
    if key in seen:
        raise CorpusError(
            f"{where}: two sites with the same name",
            expected="names that differ by more than upper and lower case",
            got=f"{seen[key]!r} and {name!r}",
            help="rename one of the two",
        )
    seen[key] = name


def _read_federation(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / FEDERATION_FILE
    if not path.is_file():
        return {}
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("sites", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read", expected="TOML in UTF-8", got=str(error), help="mend the file") from None
    named: dict[str, dict[str, str]] = {}
    seen: dict[str, str] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        if not isinstance(row, dict) or not all(isinstance(row.get(k, ""), str) for k in ("name", "title", "language")):
            raise CorpusError(
                f"{path}: site {number} is malformed", expected="[[sites]] with name, title, language as text", got="others"
            )
        if "name" not in row:
            raise CorpusError(f"{path}: site {number} has no name", expected='name = "…"', got=f"{', '.join(row) or 'nothing'}")
        check_site_name(row["name"], str(path))
        _note_name(row["name"], seen, str(path))
        named[row["name"]] = {k: row[k] for k in ("title", "language") if row.get(k)}
    return named


def _read_site(folder: Path, named: Mapping[str, str], warnings: list[str], allow_empty: bool) -> SiteNotes:
    name = folder.name
    notes: dict[str, tuple[Note, ...]] = {}
    first_in: dict[str, str] = {}
    for split in (*SPLITS, "mock"):
        path = folder / f"{split}.jsonl"
        if not path.is_file():
            if split in ("dev", "test"):
                raise CorpusError(
                    f"site {name}: no {split} notes",
                    expected=f"{path}",
                    got="no such file",
                    help="an empty file is allowed: the site then has no scores of its own",
                )
            notes[split] = ()
            continue
        notes[split] = read_notes(path)
        for note in notes[split]:
            if first_in.setdefault(note.id, split) != split:
                raise CorpusError(
                    f"{path}: a note id is used twice",
                    expected="ids that occur once in a site",
                    got=f"an id of {first_in[note.id]}.jsonl again",
                    help="give every note an id of its own; a note in two splits spoils the scores",
                )
        if not notes[split] and split in ("dev", "test"):
            warnings.append(f"site {name}: no {split} notes")
    if not notes["train"]:
        if not allow_empty:
            raise CorpusError(
                f"site {name}: no training notes",
                expected=f"at least one note in {folder / 'train.jsonl'}",
                got="an empty file" if (folder / "train.jsonl").is_file() else "no such file",
                help="add notes, or take the site's folder out of the corpus",
            )
        warnings.append(f"site {name}: no training notes, it only evaluates")
    spoken = Counter(n.language for split in SPLITS for n in notes[split] if n.language)
    language = named.get("language") or (min(spoken, key=lambda k: (-spoken[k], k)) if spoken else "")
    return SiteNotes(name, named.get("title", name), language, notes["train"], notes["dev"], notes["test"], notes["mock"])


def _with_mock(site: SiteNotes, labels: Iterable[str]) -> SiteNotes:
    # The seed comes from the name alone: nothing of the notes may show in their twin.
    seed = int(digest(site.name)[:8], 16)
    mock = mock_twin(site.language, tuple(labels), MOCK_NOTES, seed)
    return SiteNotes(site.name, site.title, site.language, site.train, site.dev, site.test, mock)


def _check_labels(sites: list[SiteNotes]) -> list[str]:
    having: dict[str, list[str]] = {}
    for site in sites:
        for label in site.labels:
            having.setdefault(label, []).append(site.name)
    if not having:
        raise CorpusError(
            "no labelled span in any site", expected="spans to learn from", got="none", help="annotate some notes"
        )
    warnings: list[str] = []
    for label, names in sorted(having.items()):
        if len(sites) > 1 and len(names) == 1:
            raise CorpusError(
                f"no other site shares the label {label!r} of site {names[0]}",
                expected="labels that at least two sites have",
                got=f"at the others: {', '.join(sorted(set(having) - {label})) or 'none'}",
                help="map the sites' labels to one set of names, or leave the label out",
            )
        if len(names) < len(sites):
            missing = [s.name for s in sites if s.name not in names]
            warnings.append(f"label {label}: missing at {', '.join(missing)}")
    return warnings
