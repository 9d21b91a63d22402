"""De-identification of clinical notes in Norwegian, Swedish, Danish, Finnish and Estonian.

    from fedkit.notes.deidentify import Deidentifier, ProjectKey, find_identifiers

    find_identifiers("Ringt dr. Hansen, tlf. 22 33 44 55.", "nb")      # what and where
    Deidentifier(ProjectKey.new()).text("Ringt dr. Hansen …", "nb")    # with surrogates, and the way back

find        all rules in order          model, folding   an identifier; text as the rules read it
shapes      ids, contacts, dates (months), places, care_units, ages; scanning: where a pattern can begin
names       the rules of names; name_lists, endings, not_names, lower_case, words: what they know
apply       surrogates into text        surrogates/  numbers, names, places of nobody     keys     all from a project's key
whole_notes every field of a note       offsets      the way back                         learn    a site's own words
review      recall per class            stage        over a file of notes, resumable
"""

from fedkit.notes.deidentify.apply import Deidentified, Deidentifier
from fedkit.notes.deidentify.find import find_identifiers
from fedkit.notes.deidentify.keys import ProjectKey
from fedkit.notes.deidentify.learn import learn_words
from fedkit.notes.deidentify.model import CLASSES, Identifier
from fedkit.notes.deidentify.offsets import OffsetMap, Replacement
from fedkit.notes.deidentify.review import Review, review
from fedkit.notes.deidentify.whole_notes import deidentify_note

__all__ = [
    "CLASSES",
    "Deidentified",
    "Deidentifier",
    "Identifier",
    "OffsetMap",
    "ProjectKey",
    "Replacement",
    "Review",
    "deidentify_note",
    "find_identifiers",
    "learn_words",
    "review",
]
