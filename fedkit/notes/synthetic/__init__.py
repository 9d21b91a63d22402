"""Synthetic clinical notes by seed: tables and templates in `data/`, code beside.

lexicon    concepts and the split each belongs to
grammar    which form of a word a sentence asks for
templates  the sentences, by language, section and split
render     one note: templates filled for a patient
generator  `synthesise`: a corpus
"""

from fedkit.notes.synthetic.generator import DEFAULT_SEED, HELD_OUT, SITES, synthesise

__all__ = ["DEFAULT_SEED", "HELD_OUT", "SITES", "synthesise"]
