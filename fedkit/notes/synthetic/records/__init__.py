"""Whole records over time: what happened to an invented patient, told in seven kinds of notes.

    for record in make_records("fi", "train", patients=3, seed=1):
        record.course.reaction.drug.name, [n.type for n in record.notes]

course      what happens to a patient and when, drawn once     writing     the sentences that tell it, nothing drawn twice
style       slips, abbreviations, dictated notes               generator   courses → notes with sections and relations
"""

from fedkit.notes.synthetic.records.course import Course, Device, Encounter, Reaction
from fedkit.notes.synthetic.records.generator import RECORD_LANGUAGES, Record, make_records, synthesise_records

__all__ = ["RECORD_LANGUAGES", "Course", "Device", "Encounter", "Reaction", "Record", "make_records", "synthesise_records"]
