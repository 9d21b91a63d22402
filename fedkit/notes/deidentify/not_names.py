"""What has a capital and names nobody: countries, products, eponyms beside a medical word, bodies, regions, short forms."""

from __future__ import annotations

import re

from fedkit.notes.deidentify.endings import CLITICS, stems
from fedkit.notes.deidentify.name_lists import Lists, Token

#: Things that have names.
_THING = re.compile(
    r"talo|lehti|lehden|elokuv|albumi|levy|ohjelm|palkin|kanav|järjestelm|versio|tapahtum|kuv|yhty|arkisto|auto|malli|lait|tahdist|tall|laiva|juna"
    r"|sopimu|direktiiv|hank|projekt|peli|konsol|kone|merk|tuot|ketju|kaup|festivaal|liig|turnau|tauti|taudi|testi|oireyhty|luokit|asteik|piste"
    r"|maja|ajaleh|film|plaat|saade|auhin|süsteem|versioon|üritus|pilt|ansambel|mudel|seade|stimulaator|laev|rong|leping|projekt|mäng|masin|haigus|sündroom"
)

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
_WAYS = (
    "nord sør øst vest midt indre ytre norra södra östra västra syd syd nordre søndre itä länsi"
    " etelä pohjois keski koillis kaakkois lounais luoteis varsinais suur ida lääne lõuna põhja kirde kagu loode edela"
)
_DIRECTIONS = frozenset(_WAYS.split())


#: A short form with a word behind it: "MR-betinget".
_SHORT_FORM = re.compile(r"[A-ZÆØÅÄÖÕÜ]{2,5}-[a-zæøåäöõü]")


#: A strength or an amount behind a word: a product, whatever it is called.
_DOSE = re.compile(
    r"\s(?:retard|depot|tabl?\.?|inj\.?|mikst\.?|kapsl?\.?)?\s?\d+(?:[.,]\d+)?\s?(?:m?g|mcg|µg|ug|mikrog|ml|ie|iu|e/ml|mmol|mg/ml|%|x\s?\d)(?![^\W_])",
    re.IGNORECASE,
)


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


def is_nobody(token: Token, language: str, lists: Lists) -> bool:
    """Whether it is known that a capitalised word names nobody, whatever stands beside it."""
    return bool(
        _SHORT_FORM.match(token.text)
        or _is_region(token)
        or is_hung_on(token, language, lists)
        or ("-" in token.text and of_eponym(token, language, lists))
        or is_kept(token, language, lists)
    )


def has_dose(text: str, end: int) -> bool:
    """Whether a strength or an amount follows the word that ends here: then it is a product."""
    return _DOSE.match(text, end) is not None


def is_body(lower: str) -> bool:
    """Whether a word names an authority, a firm or another body."""
    return _BODY.fullmatch(lower) is not None


def of_eponym(token: Token, language: str, lists: Lists) -> bool:
    """Whether a word is a name after which something in medicine is called."""
    return any(stem in lists.eponyms for stem in (*stems(token.lower, language), token.lower.partition("-")[0]))


def is_eponym(text: str, token: Token) -> bool:
    """Whether what stands around such a name makes a disease, a sign or an instrument of it: "Wilsons sykdom", "mb Addison"."""
    before, after = text[max(0, token.start - 10) : token.start], text[token.end : token.end + 25]
    return bool(_MEDICAL_AFTER.match(after) or _MEDICAL_BEFORE.search(before))


def is_hung_on(token: Token, language: str, lists: Lists) -> bool:
    """ "Finlandia-talo": Finnish and Estonian hang a word on the name of a thing by a hyphen; not if people are called so."""
    first, hyphen, rest = token.lower.partition("-")
    if language not in CLITICS or not hyphen or first in lists.given or first in lists.family:
        return False
    return token.text[len(first) + 1 :].islower() and _THING.match(rest) is not None


def _is_region(token: Token) -> bool:
    """ "Nord-Norge", "Itä-Suomi": too large to say who lives there."""
    return token.lower.partition("-")[0] in _DIRECTIONS and "-" in token.lower


def is_kept(token: Token, language: str, lists: Lists) -> bool:
    lower = token.lower
    if lower in lists.grammar:
        return lower not in lists.given or token.begins
    if lower in lists.given and lower not in lists.kept:
        return False
    return any(stem in lists.kept for stem in stems(lower, language) if stem == lower or len(stem) > 3) or (
        "-" in lower and lower.split("-")[0] in lists.kept
    )
