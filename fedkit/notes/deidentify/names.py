"""Names of people: lists, what stands beside them, and the rule that a capitalised word never seen in lower case is a name.

In the languages of the sites only names and the first word of a sentence are capitalised, so a capitalised word that no word list
writes in lower case is taken for a name (`name.unseen`). That alone finds three names in four: "Finn", "Tore" and "Lintu" are words
as well. They are found by lists of given and family names (`name.list`), by a title before them (`name.title`), or by standing beside
a name (`name.beside`). What is known to be something else is kept: countries, months, eponyms of diseases, drug and maker names,
short forms in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from fedkit.notes.concepts import built_in
from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.words import Words
from fedkit.notes.resources import read_table

_TOKEN = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")
_ENDS_SENTENCE = re.compile(r"(?:^|[\n\r.!?:…;|•*>\x00]|\s-)[\s\"'«»“”„()\[\]\-–*•>]*$")
_ABBREVIATION = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]|dr|prof|hr|fr|frk|mr|mrs|ms|st|jr|sr|med|cand|psyk|spes|bl|jf|f|ca|sos)\.\s?$", re.IGNORECASE
)

#: Between the parts of one name.
_PARTICLES = frozenset(
    ["af", "av", "von", "van", "de", "der", "den", "del", "della", "di", "da", "dos", "la", "le", "el", "al", "bin", "ibn", "ben", "ter", "ten", "zu", "zur", "zum", "y", "e", "och", "og", "i"]
) - {"i", "e", "y", "og", "och", "av"}
_GENITIVE = {"nb": ("s", "'s"), "nn": ("s",), "sv": ("s", ":s"), "da": ("s", "'s"), "en": ("s", "'s")}
_CASES = {
    "fi": (
        "issa",
        "issä",
        "ista",
        "istä",
        "illa",
        "illä",
        "ille",
        "lla",
        "llä",
        "lle",
        "lta",
        "ltä",
        "ssa",
        "ssä",
        "sta",
        "stä",
        "ksi",
        "hun",
        "hin",
        "han",
        "hon",
        "hen",
        "hyn",
        "än",
        "an",
        "en",
        "in",
        "on",
        "un",
        "yn",
        "ta",
        "tä",
        "na",
        "nä",
        "a",
        "ä",
        "n",
        "iin",
    ),
    "et": ("lle", "sse", "le", "lt", "st", "ks", "ga", "ni", "na", "ta", "l", "s", "t", "d", "ks"),
}
#: What Finnish and Estonian hang on any word: "too", "not even", a question, whose it is.
_CLITICS = {
    "fi": ("kin", "kaan", "kään", "han", "hän", "ko", "kö", "pa", "pä", "nsa", "nsä", "mme", "nne", "ni", "si"),
    "et": ("gi", "ki"),
}


@dataclass(frozen=True, slots=True)
class Lists:
    """What is known about words that are written with a capital."""

    given: frozenset[str]
    family: frozenset[str]
    kept: frozenset[str]
    grammar: frozenset[str]
    ambiguous: frozenset[str]
    titles: frozenset[str]
    headings: frozenset[str]
    eponyms: frozenset[str]


@cache
def lists_for(language: str) -> Lists:
    """The lists of all languages together (patients come from everywhere); ambiguous names and titles are the language's own."""
    given: set[str] = set()
    family: set[str] = set()
    for code in ("nb", "sv", "da", "fi", "et", "en"):
        for row in _lines(f"names/{code}.tsv"):
            name, kind = row.split("\t")
            (family if kind == "family" else given).update(part.lower() for part in re.split(r"[- ]", name))
            (family if kind == "family" else given).add(name.lower())
    own = {"nn": "nb"}.get(language, language)
    terms = {w.lower() for term in built_in() for w in _TOKEN.findall(term.text)}
    return Lists(
        frozenset(given),
        frozenset(family),
        frozenset(row.lower() for name in ("kept.txt", "countries.txt") for row in _lines(name)) | (terms - given - family),
        frozenset(w for code in _grammars(language) for w in _column("function_words.tsv", code)),
        frozenset(_column("ambiguous.tsv", own)),
        frozenset(w for code in ("nb", "sv", "da", "fi", "et", "en") for w in _column("titles.tsv", code)),
        frozenset(w.lower() for row in read_table("sections.tsv") for value in row.values() for w in _TOKEN.findall(value)),
        frozenset(row.lower() for row in _lines("eponyms.txt")),
    )


def _grammars(language: str) -> tuple[str, ...]:
    """Whose function words count: the language's own, English ones, and those of the record; all where it is not known."""
    sisters = {"nb": ("nb", "nn"), "nn": ("nn", "nb"), "sv": ("sv",), "da": ("da",), "fi": ("fi",), "et": ("et",), "en": ()}
    return (*sisters.get(language, ("nb", "nn", "sv", "da", "fi", "et")), "en", "xx")


def _lines(name: str) -> list[str]:
    text = files("fedkit.notes.deidentify").joinpath("data").joinpath(name).read_text("utf-8")
    return [row for row in text.split("\n") if row and not row.startswith("#")]


def _column(name: str, language: str) -> set[str]:
    return {w for row in _lines(name) for code, _, words in [row.partition("\t")] if code == language for w in words.split()}


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    lower: str
    capital: bool  # written with a capital first
    begins: bool  # first of a sentence, a line, a cell, or after a colon
    shout: bool  # all in capitals


def names(text: str, language: str, words: Words) -> Iterator[Identifier]:
    """Names of people in a (folded) text, each run of names one identifier.

    language: "" if not known.   words: what is written in lower case (`words_for`).
    """
    tokens = list(_tokens(text))
    lists = lists_for(language)
    rules = [_alone(text, t, language, words, lists) for t in tokens]
    for i, (token, rule) in enumerate(zip(tokens, rules, strict=True)):
        if rule == "" and token.capital and _titled(text, tokens, i, lists) and not _kept(token, language, lists):
            rules[i] = "name.title"
    _find_shouted(text, tokens, rules, language, lists)
    # A capitalised word beside a name is part of it ("Jon Horn"), an initial too ("S. Hansen"), from left to right and back.
    for order in (range(len(tokens)), range(len(tokens) - 1, -1, -1)):
        for i in order:
            if rules[i] == "" and any(
                0 <= j < len(tokens) and rules[j] not in ("", "kept") and _touch(text, tokens[min(i, j)], tokens[max(i, j)])
                for j in (i - 1, i + 1)
            ):
                if _joins(text, tokens, rules, i, language, words, lists):
                    rules[i] = "name.beside"
    _spare_titles(text, tokens, rules, lists, words)
    yield from _runs(text, tokens, rules)


def _find_shouted(text: str, tokens: list[_Word], rules: list[str], language: str, lists: Lists) -> None:
    """ "HANSEN, KARI": two to four words in capitals in a row, one of them a given name and none a word of grammar."""
    i = 0
    while i < len(tokens):
        end = i
        while (
            end < len(tokens)
            and tokens[end].shout
            and len(tokens[end].text) > 1
            and (end == i or text[tokens[end - 1].end : tokens[end].start] in (" ", ", ", "-", "  "))
        ):
            end += 1
        run = range(i, end)
        if (
            2 <= len(run) <= 4
            and any(
                len(tokens[j].text) > 2
                and _listed(tokens[j].lower, language, lists.given)
                and tokens[j].lower not in lists.kept
                for j in run
            )
            and not any(tokens[j].lower in lists.grammar or tokens[j].lower in lists.headings for j in run)
        ):
            for j in run:
                rules[j] = rules[j] or "name.list"
        i = max(end, i + 1)


def _spare_titles(text: str, tokens: list[_Word], rules: list[str], lists: Lists, words: Words) -> None:
    """Two English words and more in a row, none of them anybody's name, are the title of something ("Hot Garden Collection")."""
    i = 0
    while i < len(tokens):
        end = i + 1
        while end < len(tokens) and rules[i] and rules[end] and _touch(text, tokens[end - 1], tokens[end]):
            end += 1
        run = range(i, end)
        if len(run) > 1 and all(
            rules[j] in ("name.capital", "kept")
            and words.borrowed(tokens[j].lower)
            and tokens[j].lower not in lists.given | lists.family
            for j in run
        ):
            for j in run:
                rules[j] = ""
        i = end


def _tokens(text: str) -> Iterator[_Word]:
    for match in _TOKEN.finditer(text):
        word = match.group()
        before = text[max(0, match.start() - 12) : match.start()]
        begins = not before.strip() or (bool(_ENDS_SENTENCE.search(before)) and not _ABBREVIATION.search(before))
        yield _Word(match.start(), match.end(), word, word.lower(), word[0].isupper(), begins, len(word) > 1 and word.isupper())


def _alone(text: str, token: _Word, language: str, words: Words, lists: Lists) -> str:
    """The rule by which a word is a name whatever stands beside it; "kept" if it is known to be none; "" if that is open."""
    if not token.capital or len(token.text) < 2:
        return ""
    if (
        _SHORT_FORM.match(token.text)
        or _is_region(token)
        or _is_eponym(text, token, language, lists)
        or _kept(token, language, lists)
        or _DOSE.match(text, token.end)
    ):
        return "kept"
    listed = _listed(token.lower, language, lists.given)
    if not listed and (len(token.text) == 2 or (len(token.text) < 5 and not token.shout and not token.text[1:].islower())):
        return ""  # Hb, NaCl
    known = is_word(token.lower, language, words)
    if token.begins and text[token.end : token.end + 1] == ":" and not listed and (known or token.lower in lists.headings):
        return "kept"
    if (token.shout and len(token.text) <= 5) or re.match(r"\d", text[token.end : token.end + 1] or " "):
        return ""  # a short form or a model: EKG, V40
    if not known:
        long_opening = token.begins and len(token.text) >= _LONG and not _SURNAME.search(token.lower)
        return "name.list" if listed else "" if long_opening else "name.unseen"
    if (listed and not token.begins) or token.lower in lists.given - lists.ambiguous:
        return "name.list"  # the first word of a sentence counts only as it stands: "Toivon" is "I hope" too
    if _BODY.fullmatch(token.lower):
        return ""
    if token.begins and len(token.lower) > 4 and _SURNAME.search(token.lower) and _listed(token.lower, language, lists.family):
        return "name.list"
    return "" if token.begins or token.shout else "name.capital"


def _is_eponym(text: str, token: _Word, language: str, lists: Lists) -> bool:
    """A name that is a disease, a sign or an instrument here: "Wilsons sykdom", "Baker-cyste", "mb Addison"."""
    if not any(stem in lists.eponyms for stem in (*_stems(token.lower, language), token.lower.partition("-")[0])):
        return False
    before, after = text[max(0, token.start - 10) : token.start], text[token.end : token.end + 25]
    return bool(_MEDICAL_AFTER.match(after) or _MEDICAL_BEFORE.search(before) or "-" in token.text)


def _is_hung_on(token: _Word, language: str, words: Words, lists: Lists) -> bool:
    """ "Finlandia-talo": Finnish and Estonian hang words on products and works by a hyphen; not if people are called so."""
    first, hyphen, rest = token.lower.partition("-")
    if language not in _CLITICS or not hyphen or not token.text[len(first) + 1 :].islower():
        return False
    return first not in lists.given and first not in lists.family and is_word(rest, language, words)


def _is_region(token: _Word) -> bool:
    """ "Nord-Norge", "Itä-Suomi": too large to say who lives there."""
    return token.lower.partition("-")[0] in _DIRECTIONS and "-" in token.lower


def is_word(lower: str, language: str, words: Words) -> bool:
    """Whether the lists write this word in lower case, taken apart at hyphens, without an ending, or as a compound or a term."""
    return _is_word(lower, language, words)


@lru_cache(maxsize=200_000)
def _is_word(lower: str, language: str, words: Words) -> bool:
    if words.holds(lower):
        return True
    parts = re.split(r"[-']", lower)
    if len(parts) > 1:
        return all(len(p) < 2 or _is_word(p, language, words) for p in parts)
    if any(lower.endswith(e) and words.holds(lower[: -len(e)]) for e in _GENITIVE.get(language, ())):
        return True
    if (_TERM.search(lower) and not _SURNAME_ONLY.search(lower)) or (language in _FORM and _FORM[language].fullmatch(lower)):
        return True
    if any(lower.endswith(e) and len(lower) - len(e) > 3 and words.own(lower[: -len(e)]) for e in _CLITICS.get(language, ())):
        return True
    surname = _SURNAME.search(lower) or (language == "fi" and _FINNISH_SURNAME.search(lower))
    return len(lower) >= 10 and not surname and _is_compound(lower, words)


#: What makes an eponym of a name.
_MEDICAL_AFTER = re.compile(
    r"['’]?s?[\s-](?:og\s|och\s|ja\s)?(?:syke?|sykdom|sykdommen|sjukdom|sjuka|sygdom|syndrom|tauti|taudi|oireyhtymä|tõbi|tõve|sündroom|test|testi|tegn|tecken|merk"
    r"|score?|skår|poeng|pisteet|skaala|skala|indeks|index|cyste|cysta|kysta|tsüst|fraktur|brudd|brott|murtuma|murd|kateter|operasjon|operation|leikkaus|prosedyre|block|blokk"
    r"|refleks|reflex|scale|stadium|klass|klasse|klassifi|grad|grade|lymfom|lymphom|svulst|tumor|nevropati|artropati|kriterie|criteria|anemi|struma|kontraktur|feber|prøve|prov"
    r"|fenomen|triade|trias|manøver|manøvre|grep|snitt|protese|anestesi|positiv|negativ|pos\b|neg\b)",
    re.IGNORECASE,
)
_MEDICAL_BEFORE = re.compile(
    r"(?<![^\W\d_])(?:m|mb|mm|morbus|a\.?m|ad modum|type|tyyppi|tüüp|ifølge|iht|ad\.?\s?mod)\.?\s$", re.IGNORECASE
)

#: First parts of the names of regions.
_DIRECTIONS = frozenset(
    ["nord", "sør", "sør-", "øst", "vest", "midt", "indre", "ytre", "norra", "södra", "östra", "västra", "syd", "syd", "nordre", "søndre", "itä", "länsi", "etelä", "pohjois", "keski", "koillis", "kaakkois", "lounais", "luoteis", "varsinais", "suur", "ida", "lääne", "lõuna", "põhja", "kirde", "kagu", "loode", "edela"]
)

#: An unknown first word of a sentence of this length is a compound rather than a name, unless it ends or is placed as one.
_LONG = 12

#: Forms that word lists lack and names hardly have: verbs in subordinate use, degrees, abstract nouns.
_FORM = {
    "fi": re.compile(
        r".{3,}(?:ttuaan|ttyään|tuaan|tyään|essaan|essään|matta|mättä|malla|mällä|masta|mästä|maan|mään|vasti|sesti|immin|emmin"
        r"|immat|emmat|imman|suus|syys|suuden|syyden|suutta|syyttä|uksen|yksen|uksia|yksiä|ksissa|ttavien|ttävien|tujen|tyjen)"
    ),
    "et": re.compile(r".{3,}(?:misel|misega|takse|dakse|davad|tavad|nud|tud|dud|likult|likkus[a-z]*|lised|lisi)"),
}

#: A short form with a word behind it: "MR-betinget".
_SHORT_FORM = re.compile(r"[A-ZÆØÅÄÖÕÜ]{2,5}-[a-zæøåäöõü]")

#: Authorities, firms and bodies by how their names end, and words that are one by themselves.
_BODY = re.compile(
    r"(?:.{3,}(?:styrelsen|styrelse|verket|direktoratet|departementet|ministeriet|myndigheten|inspektionen|inspektoratet|tilsynet"
    r"|rådet|nemnda|nämnden|nævnet|utvalget|utskottet|forbundet|förbundet|foreningen|föreningen|forening|förening|partiet|partis?"
    r"|banken|bank|avisen|posten|bladet|tidningen|høyskolen|högskolan|højskolen|skolen|skolan|komiteen|kommittén|kommunen|kommune"
    r"|regionen|fylket|stiftelsen|fonden|laget|laboratoriet|virasto|laitos|puolue|säätiö|yhdistys|lehti|pankki|kunta|selts|leht)"
    r"|.*(?:regjeringen|regeringen|stortinget|høyesterett|universitetet|universitet|instituttet|institutt|institutet|institut"
    r"|liitto|liito|yliopisto|ministeriö|hallitus|hallituks|neuvosto|unioni|akatemia|komissio|opisto|instituut|instituudi|ülikool|akadeemia"
    r"|nõukogu|liit|liidu|liitu|pank|panga|erakond|erakonna|komisjon|ministeerium|amet|keskus|valitsus|parlament|kohus|kohtu|klubi|ühing))"
    r"(?:s|e|i|u|n|in|en|an|a|le|lle|ssa|ssä|sta|stä|st|l|t|ta|tä|ga)?"
)

#: A strength or an amount behind a word: a product, whatever it is called.
_DOSE = re.compile(
    r"\s(?:retard|depot|tabl?\.?|inj\.?|mikst\.?|kapsl?\.?)?\s?\d+(?:[.,]\d+)?\s?(?:m?g|mcg|µg|ug|mikrog|ml|ie|iu|e/ml|mmol|mg/ml|%|x\s?\d)(?![^\W_])",
    re.IGNORECASE,
)

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
_SURNAME = re.compile(
    r"(?:sen|sson|son|søn|dotter|datter|dóttir|nen|sen|selle|sella|lund|lunds|berg|bergs|ström|strøm|strand|qvist|kvist|holm|gren|dahl|dal|mark|man|mann|stad|bakken|haug|haugen|rud|vik|viken|nes|ness|moen|lien|land|hagen|gaard|gård|bæk|toft|kjær|skov|mäki|niemi|lahti|järvi|salo|ranta|vuori|aho|koski|saari|mägi|saar|tamm|maa|org|oja|vee|sepp|pää|la|lä|vaara|aas|lie|heim|eng|set|seth|feldt?|blad|hjelm|stedt|ell|én|in|ius|ov|ova|ev|eva|sky|ski|ska)s?$"
)


def _is_compound(lower: str, words: Words) -> bool:
    return any(
        words.holds(lower[:cut].rstrip("-"))
        and (words.holds(lower[cut:]) or (lower[cut] in "se" and len(lower) - cut > 5 and words.holds(lower[cut + 1 :])))
        for cut in range(4, len(lower) - 4)
    )


def _stems(lower: str, language: str) -> Iterator[str]:
    """The word, and what is left without a genitive or case ending."""
    yield lower
    for ending in (*_GENITIVE.get(language, ("s",)), *_CASES.get(language, ())):
        if lower.endswith(ending) and len(lower) - len(ending) > 2:
            yield lower[: -len(ending)]
    if language == "fi":
        for ending, base in (
            ("sen", "nen"),
            ("sella", "nen"),
            ("selle", "nen"),
            ("selta", "nen"),
            ("sta", "nen"),
            ("sesta", "nen"),
            ("seen", "nen"),
        ):
            if lower.endswith(ending):
                yield lower[: -len(ending)] + base


def _listed(lower: str, language: str, names: frozenset[str]) -> bool:
    return any(stem in names for stem in _stems(lower, language)) or (
        "-" in lower and any(_listed(p, language, names) for p in lower.split("-") if len(p) > 2)
    )


def _kept(token: _Word, language: str, lists: Lists) -> bool:
    lower = token.lower
    if lower in lists.grammar:
        return lower not in lists.given or token.begins
    if lower in lists.given and lower not in lists.kept:
        return False
    return any(stem in lists.kept for stem in _stems(lower, language) if stem == lower or len(stem) > 3) or (
        "-" in lower and lower.split("-")[0] in lists.kept
    )


def _titled(text: str, tokens: list[_Word], i: int, lists: Lists) -> bool:
    """Whether a title, a role or a word for kin stands right before, with a full stop or a colon at most between."""
    if i == 0:
        return False
    last, token = tokens[i - 1], tokens[i]
    return last.lower in lists.titles and bool(re.fullmatch(r"\.?:?\s{1,2}", text[last.end : token.start]))


def _touch(text: str, left: _Word, right: _Word) -> bool:
    """Whether two words can be of one name: a blank, a hyphen or a quotation mark between, and a full stop after an initial alone."""
    gap = text[left.end : right.start]
    if gap.startswith("."):
        return len(left.text) < 3 and gap in (".", ". ", ".-", ".  ") and left.capital
    return gap in (" ", "  ", "-", ' "', '" ', " «", "» ", " “", "” ", " (", " '", "' ")


def _joins(text: str, tokens: list[_Word], rules: list[str], i: int, language: str, words: Words, lists: Lists) -> bool:
    token = tokens[i]
    if len(token.text) == 1:
        return (token.capital and not token.begins) or (token.capital and text[token.end : token.end + 1] == ".")
    if token.lower in _PARTICLES and not token.capital:
        after = i + 1 < len(tokens) and tokens[i + 1].capital and _touch(text, token, tokens[i + 1])
        return i > 0 and rules[i - 1] not in ("", "kept") and after
    if not token.capital or (
        token.shout and len(token.text) <= 5 and not _listed(token.lower, language, lists.given | lists.family)
    ):
        return False
    if token.begins:
        return _listed(token.lower, language, lists.given)
    return True


def _runs(text: str, tokens: list[_Word], rules: list[str]) -> Iterator[Identifier]:
    """Names that touch, as one identifier."""
    start = end = -1
    rule = ""
    last: _Word | None = None
    for token, found in zip(tokens, rules, strict=True):
        name = found not in ("", "kept")
        if name and last is not None and _touch(text, last, token):
            end = token.end
        else:
            if last is not None:
                yield Identifier(start, end, "NAME", rule)
            start, end, rule = token.start, token.end, found
        last = token if name else None
    if last is not None:
        yield Identifier(start, end, "NAME", rule)
