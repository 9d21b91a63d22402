"""Word forms: which form of a table entry a sentence asks for.

Norwegian, Swedish and Danish entries hold the indefinite and the definite singular. Finnish and Estonian entries hold the
nominative, genitive and partitive, which cannot be derived from each other; the other cases can, since both languages build
them on the stem of the genitive (Iso suomen kielioppi; Eesti keele käsiraamat).
"""

from __future__ import annotations

from collections.abc import Sequence

_BASE = {"nom": 0, "gen": 1, "par": 2}
_FINNISH = {"ine": "ssA", "ela": "stA", "ade": "llA", "abl": "ltA", "all": "lle", "tra": "ksi"}
_ESTONIAN = {"ine": "s", "ela": "st", "ade": "l", "all": "le", "abl": "lt", "tra": "ks", "com": "ga", "abe": "ta"}

#: The cases a template may ask for, by language; the first is the default.
CASES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("nb", "nn", "sv", "da"), ("indef", "def")),
    "fi": (*_BASE, *_FINNISH),
    "et": (*_BASE, *_ESTONIAN),
}


def form(language: str, forms: Sequence[str], case: str = "") -> str:
    """The form of an entry in a case. An entry of one form (a name) has that form in every case it is asked for.

    Raises ValueError for a case the language does not have.
    """
    case = case or CASES[language][0]
    if case not in CASES[language]:
        raise ValueError(f"{language} has no case {case!r}")
    if len(forms) == 1:
        return forms[0]
    if language == "fi":
        return _finnish(forms, case)
    if language == "et":
        return forms[_BASE[case]] if case in _BASE else forms[1] + _ESTONIAN[case]
    return forms[case == "def"]


def _finnish(forms: Sequence[str], case: str) -> str:
    if case in _BASE:
        return forms[_BASE[case]]
    # A fourth form is the stem of a plural word (aivot: aivoi-), whose genitive does not show it.
    stem = forms[3] if len(forms) > 3 else forms[1].removesuffix("n")
    # The partitive's last vowel shows the vowel harmony; an adjective and its noun would need one each, and none is asked for.
    return stem + _FINNISH[case].replace("A", "ä" if forms[2][-1] == "ä" else "a")
