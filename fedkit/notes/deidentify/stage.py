"""De-identification over a file of notes: resumable, one bad note never costing the rest.

1. Words that the notes write in lower case are learnt, unless that is switched off (`learn_words`); the same notes teach the
same. 2. The stage is begun with a digest of the project, the mode, the words and the source; results of other ones are dropped.
3. Batches that the stage does not hold yet are de-identified and saved whole, in order. A run that was cut off goes on
behind them. 4. A note that cannot be de-identified is left out of the stage and recorded with the kind of its error. It
never passes as it is.

The way back needs no file: with the key, `deidentify_note` of the original note gives the same text and its offsets again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from fedkit.digests import digest
from fedkit.errors import ConfigurationError, FedkitError
from fedkit.notes.deidentify.apply import Deidentifier, Mode
from fedkit.notes.deidentify.keys import ProjectKey
from fedkit.notes.deidentify.learn import learn_words
from fedkit.notes.deidentify.whole_notes import deidentify_note
from fedkit.notes.note import Note
from fedkit.notes.store import SOURCE, NoteFile

#: The stage that holds notes without identifiers.
STAGE = "deidentified"

BATCH = 200

#: Changes when rules change in a way that makes other text of the same notes.
RULES = "1"


@dataclass(slots=True)
class StageReport:
    """notes, failed: in the stage now.   added: notes of this run.   changed: class → replacements of this run.

    learnt: language → how many words were learnt.   project: the key's fingerprint.   Nothing here holds text.
    """

    project: str
    source: str
    notes: int = 0
    added: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)
    learnt: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "source": self.source,
            "notes": self.notes,
            "added": self.added,
            "failed": dict(self.failed),
            "changed": dict(sorted(self.changed.items())),
            "learnt": dict(sorted(self.learnt.items())),
        }


def deidentify_store(
    store: NoteFile,
    key: ProjectKey,
    *,
    source: str | None = None,
    mode: Mode = "surrogates",
    learn: bool = True,
    keep_meta: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StageReport:
    """De-identify the notes of a store that are not yet, into its stage "deidentified".

    source: the stage to read; by default what the pipeline made of the notes ("processed"), where the language is known, if all
    notes are in it, or else the notes as they came.   progress: called with notes done and in all.
    Raises ConfigurationError for a source that is not there; StorageError if the disk is full: what was saved before stays.
    """
    source = source or _best_source(store)
    if source != SOURCE and source not in store.stages():
        raise ConfigurationError(f"no stage {source!r}", expected=", ".join((SOURCE, *store.stages())), got="another word")
    learnt = learn_words(store.notes(source)) if learn else {}
    worker = Deidentifier(key, mode=mode, learnt=learnt)
    settings = {
        "project": key.fingerprint,
        "mode": mode,
        "rules": RULES,
        "source": source,
        "read as": store.stages().get(source, ""),
        "learnt": {language: sorted(words) for language, words in learnt.items()},
        "meta": sorted(keep_meta),
    }
    total = store.count(source)
    done = store.begin(STAGE, digest(settings))
    report = StageReport(key.fingerprint, source, learnt={name: len(words) for name, words in learnt.items() if words})
    progress(done, total)
    for batch in store.pending(STAGE, source=source, size=BATCH):
        notes, failed = _batch(worker, batch, keep_meta, report)
        store.save(STAGE, notes, failed)
        report.added += len(notes)
        done += len(batch)
        progress(done, total)
    report.notes, report.failed = store.count(STAGE), store.failed(STAGE)
    return report


def _best_source(store: NoteFile) -> str:
    return "processed" if "processed" in store.stages() and store.count("processed") == store.count() else SOURCE


def _batch(
    worker: Deidentifier, batch: list[tuple[int, Note]], keep_meta: Collection[str], report: StageReport
) -> tuple[list[tuple[int, Note]], list[tuple[int, str]]]:
    done: list[tuple[int, Note]] = []
    failed: list[tuple[int, str]] = []
    for position, note in batch:
        try:
            new, changed = deidentify_note(worker, note, keep_meta=keep_meta)
        except FedkitError as error:
            failed.append((position, error.code))
        except Exception as error:
            failed.append((position, type(error).__name__))  # its message may hold text
        else:
            done.append((position, new))
            report.changed.update(r.label for r in changed.replacements)
    return done, failed
