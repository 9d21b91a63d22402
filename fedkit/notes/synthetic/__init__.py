"""Synthetic clinical notes by seed: templates in `data/`, code beside.

lexicon    the concepts of `fedkit.notes.concepts`, and the split each belongs to
templates  the sentences, by language, section and split
render     one note: templates filled for a patient
generator  `synthesise`: a corpus
"""

from fedkit.notes.synthetic.generator import DEFAULT_SEED, HELD_OUT, SITES, synthesise

__all__ = ["DEFAULT_SEED", "HELD_OUT", "SITES", "synthesise"]
