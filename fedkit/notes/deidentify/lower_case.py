"""Whether a word is one that is written in lower case: listed, an inflection, a compound of two, or a term of medicine."""

from __future__ import annotations

import re
from functools import lru_cache

from fedkit.notes.deidentify.endings import CLITICS, GENITIVE
from fedkit.notes.deidentify.words import Words

#: Forms that word lists lack and names hardly have: verbs in subordinate use, degrees, abstract nouns.
_FORM = {
    "fi": re.compile(
        r".{3,}(?:ttuaan|ttyään|tuaan|tyään|essaan|essään|matta|mättä|malla|mällä|masta|mästä|maan|mään|vasti|sesti|immin|emmin"
        r"|immat|emmat|imman|suus|syys|suuden|syyden|suutta|syyttä|uksen|yksen|uksia|yksiä|ksissa|ttavien|ttävien|tujen|tyjen)"
    ),
    "et": re.compile(r".{3,}(?:misel|misega|takse|dakse|davad|tavad|nud|tud|dud|likult|likkus[a-z]*|lised|lisi)"),
}


#: Greek and Latin ends of medical terms, which word lists of the general language lack.
_TERM = re.compile(
    r".{3,}(?:itt|itis|iitt|iitti|itten|osis|oosi|oos|emi|emia|eemia|aemi|emien|ektomi|ektomia|ektoomia|skopi|skopia|skoopia|pati|patia|paatia|patien|grafi|grafia|graafia|grafien|algi|algia|algien"
    r"|plastikk?|plastia|tomi|tomia|stomi|stomia|uri|uria|uuria|logi|logia|loogia|logisk[at]?|logist?|peni|penia|peenia|plegi|plegia|pleegia|trofi|trofia|troofia|trofisk|rrhea|rre|fobi|fobia"
    r"|cilin|cillin|silliini|tsilliin|statin|statiini|statiin|prazol|pratsoli|prasool|sartan|sartaani|sartaan|pril|priili|priil|olol|ololi|olool|dipin|dipiini|dipiin|mab|tinib|parin|pariini|pariin|mycin|mysiini|mütsiin|azol|zepam|tsepaami|sepaam|oxacin|gliptin|gliflozin|zid|tiazid|pam|kain|feron|xaban|gatran)(?:en|et|er|n|s|t|a|ä|i|it|i[st]?|n[as]|ne)?$"
)


_FINNISH_SURNAME = re.compile(
    r"(?:niem|mäe|mäk|lahde|lahte|järve|salo|ranna|rannan|vuore|koske|saare|saari|maja|maa|silta|silla|laakso|pelto|pello|kanka|kangas|kallio|virta"
    r"|virra|lehto|lehdo|suo|luoma|harju|korpi|korve|joki|joe|oja)[a-zäö]{0,4}$"
)


#: Ends that no term has.
_SURNAME_ONLY = re.compile(r"(?:nen|sen|son|niemi|mäki|berg|lund|ström|strøm)s?$")


#: Ends that family names share with compounds of everyday words.
SURNAME = re.compile(
    r"(?:sen|sson|son|søn|dotter|datter|dóttir|nen|sen|selle|sella|lund|lunds|berg|bergs|ström|strøm|strand|qvist|kvist|holm|gren|dahl|dal|mark|man|mann|stad|bakken|haug|haugen|rud|vik|viken|nes|ness|moen|lien|land|hagen|gaard|gård|bæk|toft|kjær|skov|mäki|niemi|lahti|järvi|salo|ranta|vuori|aho|koski|saari|mägi|saar|tamm|maa|org|oja|vee|sepp|pää|la|lä|vaara|aas|lie|heim|eng|set|seth|feldt?|blad|hjelm|stedt|ell|én|in|ius|ov|ova|ev|eva|sky|ski|ska)s?$"
)


def is_word(lower: str, language: str, words: Words) -> bool:
    """Whether it is written in lower case: as it is, at its hyphens, without an ending, as a compound or a term."""
    return _is_word(lower, language, words)


@lru_cache(maxsize=20_000)
def _is_word(lower: str, language: str, words: Words) -> bool:
    if words.holds(lower):
        return True
    parts = re.split(r"[-']", lower)
    if len(parts) > 1:
        return all(len(p) < 2 or _is_word(p, language, words) for p in parts)
    if any(lower.endswith(e) and words.holds(lower[: -len(e)]) for e in GENITIVE.get(language, ())):
        return True
    if (_TERM.search(lower) and not _SURNAME_ONLY.search(lower)) or (language in _FORM and _FORM[language].fullmatch(lower)):
        return True
    if any(lower.endswith(e) and len(lower) - len(e) > 3 and words.own(lower[: -len(e)]) for e in CLITICS.get(language, ())):
        return True
    surname = SURNAME.search(lower) or (language == "fi" and _FINNISH_SURNAME.search(lower))
    return len(lower) >= 10 and not surname and _is_compound(lower, words)


def _is_compound(lower: str, words: Words) -> bool:
    return any(
        words.holds(lower[:cut].rstrip("-"))
        and (words.holds(lower[cut:]) or (lower[cut] in "se" and len(lower) - cut > 5 and words.holds(lower[cut + 1 :])))
        for cut in range(4, len(lower) - 4)
    )
