"""Concepts: which drug, effect, device or part of the body a mention is, in six languages, inflected or misspelt.

    from fedkit.notes.concepts import Normaliser

    Normaliser().lookup("varfariinia", "DRUG", "fi").term.concepts    # (Concept("ATC", "B01AA03", "warfarin"),)

tables      fedkit's own words by language, written for it       terms       words → codes (ATC, ICD-10, EMDN, own keys)
grammar     which form of a word a sentence asks for             spelling    what forms of one name have in common
index       exact, inflected and misspelt words → terms          normaliser  lookup, find, annotate
loaders     a site's own licensed vocabularies; none is shipped
"""

from fedkit.notes.concepts.index import Match
from fedkit.notes.concepts.normaliser import Normaliser
from fedkit.notes.concepts.terms import Term, built_in

__all__ = ["Match", "Normaliser", "Term", "built_in"]
