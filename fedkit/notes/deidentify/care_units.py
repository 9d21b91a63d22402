"""Hospitals, clinics, practices, nursing homes and wards: who treated a patient says much about who the patient is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.scanning import shows, signed, word_sign

_UP = "[A-ZÆØÅÄÖÕÜŠŽ]"
_NAME = rf"{_UP}[\w\-'.]*"

#: What names a place of care, whole or as the last part of a word.
_KIND = (
    "sykehus(?:et)?|sjukehus(?:et)?|sjukhus(?:et)?|sygehus(?:et)?|hospital(?:et)?|universitetssykehus(?:et)?|universitetssjukhus(?:et)?|klinikk(?:en)?|klinik(?:en|ken)?"
    "|legesenter(?:et)?|legesent(?:er|ret)|legekontor(?:et)?|legevakt(?:en)?|helsestasjon(?:en)?|helsesenter(?:et)?|helsehus(?:et)?|sykehjem(?:met)?|sjukeheim(?:en)?|omsorgssenter(?:et)?"
    "|bosenter(?:et)?|aldershjem(?:met)?|vårdcentral(?:en)?|lasarett(?:et)?|läkarmottagning(?:en)?|äldreboende(?:t)?|vårdboende(?:t)?|hälsocentral(?:en)?|lægehus(?:et)?|lægecenter"
    "|lægeklinik(?:ken)?|plejehjem(?:met)?|plejecenter(?:et)?|sundhedscenter(?:et)?|lægevagt(?:en)?"
)
_KIND_FI = (
    "(?:yliopisto|keskus|alue|kaupungin|kunnan)?sairaala[a-zäö]*|terveyskesku[a-zäö]*|terveysasema[a-zäö]*"
    "|hoivako(?:ti|di)[a-zäö]*|palveluta[lo]+[a-zäö]*|lääkäriasema[a-zäö]*|vanhainko[a-zäö]*"
)
_KIND_ET = (
    "(?:kesk|regionaal|piirkonna|ülikooli|erakliiniku)?haigla[a-zäöüõ]*|kliiniku[a-zäöüõ]*|kliinik[a-zäöüõ]*"
    "|perearstikesku[a-zäöüõ]*|tervisekesku[a-zäöüõ]*|hooldekodu[a-zäöüõ]*|polikliinik[a-zäöüõ]*"
)

_NAMED = re.compile(
    rf"(?<![^\W_])(?:{_NAME}(?:\s(?:og|och|i|{_NAME}))?\s{{1,2}}){{1,3}}?(?:{_UP}?[^\W\d_]*(?i:{_KIND}|{_KIND_FI}|{_KIND_ET}))(?![^\W\d_])"
    rf"|(?<![^\W_]){_UP}[^\W\d_]*(?:-{_UP}?[^\W\d_]+)?(?:sykehus(?:et)?|sjukehus(?:et)?|sjukhus(?:et)?|sygehus(?:et)?|hospitalet|lasarett(?:et)?|sairaala[a-zäö]*|haigla[a-zäöüõ]*|klinikken)(?![^\W\d_])"
    rf"|(?<![^\W\d_])(?:sykehus(?:et)?|sjukehus(?:et)?|sjukhus(?:et)?|lasarett(?:et)?|hospital(?:et)?|sygehus(?:et)?|vårdcentral(?:en)?|legevakt(?:a|en)?|sykehjem(?:met)?|helsestasjon(?:en)?)\s(?:i|på|ved|vid)\s{_NAME}"
    rf"|(?<![^\W_])(?:Universitets|Regional|Central|Centrala|Läns|Fylkes)?(?:sjukhuset|sykehuset|sygehuset|lasarettet)\s(?:i\s)?{_NAME}(?:\s{_NAME})?",
)

#: A unit by its speciality, as a name: capitalised, or "for" something.
_UNIT = re.compile(
    rf"(?<![^\W_]){_UP}[a-zæøåäö-]+(?:isk|iska|sk)\s(?:og\s[a-zæøå]+isk\s)?(?:avdeling|poliklinikk|klinikk|sengepost|seksjon|sengeområde|avdelning|klinik|mottagning|afdeling|ambulatorium)(?:en|et)?(?![^\W\d_])"
    rf"|(?<![^\W_])(?:[Aa]vdeling(?:en|a)?|[Ss]eksjon(?:en)?|[Kk]linikk(?:en)?|[Pp]oliklinikk(?:en)?|[Aa]vdelning(?:en)?|[Aa]fdeling(?:en)?|[Kk]linik(?:en|ken)?)\s(?:for|för)\s[^\W\d_]+(?:\s(?:og\s|och\s)?[a-zæøåäö]+(?:i|ikk|ik|r|er|sykdommer|sygdomme))?(?![^\W\d_])"
    rf"|(?<![^\W_]){_UP}[^\W\d_]{{3,}}(?:kliniken|klinikken|klinikka[a-zäö]*|poliklinikka[a-zäö]*|poliklinikalla|poliklinikalta|avdelningen|mottagningen|afdelingen|avdelingen|osakond[a-zõ]*|osakonna[a-z]*)(?![^\W\d_])"
)

#: A word of these stands in every named place of care, and in every unit.
_PLACE_WORD = word_sign(rf".*(?:{_KIND}|{_KIND_FI}|{_KIND_ET}|legevakta)")
_UNIT_WORD = word_sign(
    r"(?:avdeling|poliklinikk|klinikk|sengepost|seksjon|sengeområde|avdelning|klinik|mottagning|afdeling|ambulatorium)(?:en|et|a|ken)?"
    r"|.*(?:kliniken|klinikken|klinikka[a-zäö]*|poliklinikalla|poliklinikalta|avdelningen|mottagningen|afdelingen|avdelingen"
    r"|osakond[a-zõ]*|osakonna[a-z]*)"
)

#: A ward, unit or room with its number or letter.
_WARD = re.compile(
    r"""(?<![^\W\d_])(?:
      (?:avdeling|avd|sengepost|post|sengeområde|seksjon|rom|seng|avdelning|vårdavdelning|vårdavd|sal|rum|mottagning|afdeling|afd|afsnit|sengeafsnit|stue
        |osasto|os|osastolla|osastolle|osastolta|vuodeosasto[a-z]*|huone|potilashuone|osakond|osakonnas|osak|palat|palatis)\.?\s(?:nr\.?\s)?(?=[A-Z]{0,3}-?\d)[A-ZÆØÅÄÖ]{0,3}-?\d{0,3}[A-ZÆØÅÄÖa-d]?(?![^\W_])
    )""",
    re.VERBOSE | re.IGNORECASE,
)

#: Names and short names of hospitals and regions, as their own pages write them.
_NAMES = (
    r"Rikshospitalet|Rikshospitalets|Riksen|Ullevål|Radiumhospitalet|Aker|Haukeland|Haraldsplass|St\.? Olavs?"
    r"|St\.? Olavs [Hh]ospital|Ahus|AHUS|OUS|UNN|SUS|NLSH|SSHF|SiV|STHF|DPS|BUP"
    r"|Karolinska|Sahlgrenska|Akademiska|Danderyd|Huddinge|NUS|SÖS|KS|KUS|SUS|Östra|Mölndal|Capio|Aleris|Feiring|LHL"
    r"|Gaustad|Modum|Sunnaas|Lovisenberg|Diakonhjemmet|Martina Hansens"
    r"|Rigshospitalet|Rigshospitalets|Bispebjerg|Hvidovre|Herlev|Gentofte|Glostrup|OUH|AUH|Skejby|HUS|HYKS|TYKS|TAYS|Tays|Tyks|OYS|KYS|Meilahti|Meilahdessa|Meilahden|Jorvi|Peijas|Hatanpää|Acuta"
    r"|PERH|ITK|LTKH|IVKH|TÜK|Mustamäe haigla|Magdaleena|Confido|Mehiläinen|Mehiläisessä|Terveystalo|Terveystalossa"
    r"|Pihlajalinna"
)
_KNOWN = re.compile(rf"(?<![^\W_])(?:{_NAMES})(?::?s|:n|:ssa|:ssä|:sta|:stä|:lle|-[a-zæøåäö]+)?(?![^\W_])")


_WARD_WORD = word_sign(
    "avdeling|avd|sengepost|post|sengeområde|seksjon|rom|seng|avdelning|vårdavdelning|vårdavd|sal|rum|mottagning|afdeling|afd|afsnit"
    "|sengeafsnit|stue|osasto|os|osastolla|osastolle|osastolta|vuodeosasto[a-z]*|huone|potilashuone|osakond|osakonnas|osak|palat|palatis"
)
_NUMBER_BEHIND = re.compile(r"\.?\s(?:nr\.?\s)?[A-Z]{0,3}-?\d", re.IGNORECASE)
#: The first words of the names that `_KNOWN` knows; a genitive s may hang on them.
_KNOWN_WORD = word_sign("(?:" + "|".join(re.findall(r"(?:^|[|])([^\W\d_]+)", _NAMES)) + ")s?", re.NOFLAG)


def care_units(text: str) -> Iterator[Identifier]:
    """Named places of care, numbered wards, and hospitals known by name."""
    for rule, pattern, sought in (
        ("care.named", _NAMED, shows(text, _PLACE_WORD)),
        ("care.unit", _UNIT, shows(text, _UNIT_WORD)),
        ("care.ward", _WARD, any(_NUMBER_BEHIND.match(text, end) for _, end in signed(text, _WARD_WORD))),
        ("care.known", _KNOWN, shows(text, _KNOWN_WORD)),
    ):
        if not sought:
            continue
        for match in pattern.finditer(text):
            yield Identifier(match.start(), match.end(), "CARE_UNIT", rule)
