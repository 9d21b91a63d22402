"""Presidio over notes, one core: run by benchmarks/text_speed.py in the environment that holds it.

    python benchmarks/presidio_notes.py notes.jsonl 100      # the first 100 notes warm it up and are not timed

spaCy's blank pipelines of the notes' languages (no model is downloaded), all recognisers that Presidio has for them. The last
line is JSON: seconds for the notes, the time for loading not counted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

#: spaCy has no pipeline for Nynorsk.
LANGUAGE = {"nn": "nb"}


class Blank(SpacyNlpEngine):  # type: ignore[misc]
    """A pipeline that splits words and knows no names."""

    def __init__(self, languages: list[str]) -> None:
        super().__init__()
        self.nlp = {language: spacy.blank(language) for language in languages}


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    languages = sorted({LANGUAGE.get(row["lang"], row["lang"]) for row in rows})
    registry = RecognizerRegistry(supported_languages=languages)
    registry.load_predefined_recognizers(languages=languages)
    analyser = AnalyzerEngine(registry=registry, nlp_engine=Blank(languages), supported_languages=languages)
    warm, rows = rows[: int(sys.argv[2])], rows[int(sys.argv[2]) :]
    for row in warm:
        analyser.analyze(row["text"], language=LANGUAGE.get(row["lang"], row["lang"]))
    began = time.process_time()
    found = sum(len(analyser.analyze(row["text"], language=LANGUAGE.get(row["lang"], row["lang"]))) for row in rows)
    print(json.dumps({"seconds": time.process_time() - began, "notes": len(rows), "found": found}))


if __name__ == "__main__":
    main()
