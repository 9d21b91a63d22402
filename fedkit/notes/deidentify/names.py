"""Names of people: lists, what stands beside them, and the rule that a capitalised word never seen in lower case is a name.

In the languages of the sites only names and the first word of a sentence are capitalised, so a capitalised word that no word
list writes in lower case is taken for a name (`name.unseen`). That alone finds three names in four: "Finn", "Tore" and
"Lintu" are words as well. They are found by lists of given and family names (`name.list`), by a title before them
(`name.title`), by standing beside a name (`name.beside`), or by being one elsewhere in the note (`name.again`). What is
known to be something else is kept: countries, months, eponyms of diseases, drug and maker names, short forms in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from fedkit.notes.deidentify.endings import CASES, listed, stems
from fedkit.notes.deidentify.lower_case import SURNAME, is_word
from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.name_lists import Lists, Token, lists_for
from fedkit.notes.deidentify.not_names import has_dose, is_body, is_eponym, is_kept, is_nobody, of_eponym
from fedkit.notes.deidentify.scanning import glance
from fedkit.notes.deidentify.words import Words
from fedkit.notes.memory import Memory

_ENDS_SENTENCE = re.compile(r"(?:^|[\n\r.!?:…;|•*>\x00]|\s-)[\s\"'«»“”„()\[\]\-–*•>]*$")


_ABBREVIATION = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]|dr|prof|hr|fr|frk|mr|mrs|ms|st|jr|sr|med|cand|psyk|spes|bl|jf|f|ca|sos)\.\s?$", re.IGNORECASE
)


#: Between the parts of one name.
_NUMBERED = re.compile(r"I{1,3}|IV|VI{1,3}|IX|XI{0,3}|XIV|XVI{0,3}")
_BETWEEN = "von van de der den del della di da dos la le el al bin ibn ben ter ten zu zur zum af"
_PARTICLES = frozenset(_BETWEEN.split())
#: What people alone do, in Finnish, whose family names are so often words. Chosen on the train part of names5.
_FINNISH_SAYS = (
    "sanoi sanoo uskoo mainitsi syntyi asuu asui valmistui puhuu puhui kysyi kysyy haluaa halusi naurahti hymyili muistelee"
    " huokaisi nyökkäsi kuiskasi ajatteli"
)
_SAYS = {"fi": frozenset(_FINNISH_SAYS.split())}
_FOREIGN_ONES = "von van della ibn bin ten ter zu zur"
_FOREIGN = frozenset(_FOREIGN_ONES.split())


def names(text: str, language: str, words: Words) -> Iterator[Identifier]:
    """Names of people in a (folded) text, each run of names one identifier.

    language: "" if not known.   words: what is written in lower case (`words_for`).
    """
    return _Names(text, language, words).found()


class _Names:
    """The words of a text, and by their places the rules by which those with a capital are names: "kept" if a word is known
    to be none, "" if that is open."""

    def __init__(self, text: str, language: str, words: Words) -> None:
        self.text, self.language, self.words = text, language, words
        seen = glance(text)
        self.starts, self.spelled = seen.starts, seen.spelled
        self.roles = list(map(_roles(language, words).__getitem__, self.spelled))
        self.rules: dict[int, str] = {}
        self._begins: dict[int, bool] = {}

    def found(self) -> Iterator[Identifier]:
        title = shouted = False
        says = _SAYS.get(self.language, frozenset())
        for i, role in enumerate(self.roles):
            if role is None:
                continue
            if role.capital:
                rule = self._alone(i, role)
                if rule == "" and title and self._titled(i) and not is_kept(self.token(i), self.language, self.lists):
                    rule = "name.title"
                if rule == "" and says and self._says(i, role, says):
                    rule = "name.says"
                self.rules[i] = rule
                shouted = shouted or role.shouted
            title = title or role.title
        if shouted:
            self._find_shouted()
        if all(rule in ("", "kept") for rule in self.rules.values()):
            return iter(())
        self._join_beside()
        self._spare_titles()
        self._find_again()
        return self._runs()

    @property
    def lists(self) -> Lists:
        return lists_for(self.language)

    def end(self, i: int) -> int:
        return self.starts[i] + len(self.spelled[i])

    def begins(self, i: int) -> bool:
        """Whether a word with a capital is the first of a sentence, a line, a cell, or after a colon."""
        found = self._begins.get(i)
        if found is None:
            found = self._begins[i] = _begins(self.text, self.starts[i])
        return found

    def token(self, i: int) -> Token:
        word, start = self.spelled[i], self.starts[i]
        if not word[0].isupper():
            return Token(start, start + len(word), word, word, False, False, False)
        return Token(start, start + len(word), word, word.lower(), True, self.begins(i), len(word) > 1 and word.isupper())

    def rule(self, i: int) -> str:
        return self.rules.get(i, "")

    def named(self) -> list[int]:
        """The places of names, in order."""
        return sorted(i for i, rule in self.rules.items() if rule not in ("", "kept"))

    def _alone(self, i: int, role: _Role) -> str:
        """The rule by which a word is a name whatever word stands beside it."""
        text, end = self.text, self.starts[i] + len(self.spelled[i])
        if len(self.spelled[i]) < 2:
            return ""
        begins = self.begins(i) if role.within != role.first or role.colon else False
        rule = role.first if begins else role.within
        if rule == "kept":
            return rule
        after = text[end : end + 1]
        if (after.isspace() and text[end + 1 : end + 2] in _OF_DOSE and has_dose(text, end)) or (
            role.eponym and is_eponym(text, self.token(i))
        ):
            return "kept"
        if begins and role.colon and after == ":":
            return "kept"
        return "" if after.isdecimal() else rule  # V40 is a model

    def _titled(self, i: int) -> bool:
        """Whether a title, a role or a word for kin stands right before, with a full stop or a colon at most between."""
        before = self.roles[i - 1] if i else None
        return before is not None and before.title and bool(_AFTER_TITLE.fullmatch(self.text, self.end(i - 1), self.starts[i]))

    def _says(self, i: int, role: _Role, says: frozenset[str]) -> bool:
        """Whether an everyday word opens a sentence and then does what people alone do: "Lintu sanoi"."""
        return (
            i + 1 < len(self.spelled)
            and self.spelled[i + 1] in says
            and self.text[self.end(i) : self.starts[i + 1]] == " "
            and len(self.spelled[i]) > 3
            and not role.shout
            and not role.title
            and self.begins(i)
        )

    def _find_shouted(self) -> None:
        """ "HANSEN, KARI": two to four words in capitals in a row, one of them a given name and none a word of grammar."""
        lists, done = self.lists, 0
        for i, role in enumerate(self.roles):
            if i < done or role is None or not role.shout:
                continue
            end = i + 1
            while (
                end < len(self.roles)
                and (next_role := self.roles[end]) is not None
                and next_role.shout
                and self.text[self.end(end - 1) : self.starts[end]] in (" ", ", ", "-", "  ")
            ):
                end += 1
            run = range(i, end)
            lower = [self.spelled[j].lower() for j in run]
            given = any(r is not None and r.shouted for r in self.roles[i:end])
            if 2 <= len(run) <= 4 and given and not any(w in lists.grammar or w in lists.headings for w in lower):
                for j in run:
                    self.rules[j] = self.rule(j) or "name.list"
            done = end

    def _join_beside(self) -> None:
        """What stands beside a name and belongs to it: "Jon Horn", an initial ("S. Hansen"), "van", a number; on to both
        sides."""
        todo = self.named()
        while todo:
            name = todo.pop()
            for i in (name - 1, name + 1):
                if not 0 <= i < len(self.spelled):
                    continue
                rule = self.rule(i)
                if not (rule == "" or (rule == "kept" and _NUMBERED.fullmatch(self.spelled[i]))):
                    continue
                if self._touch(min(i, name), max(i, name)) and self._joins(i):
                    self.rules[i] = "name.beside"
                    todo.append(i)

    def _spare_titles(self) -> None:
        """Two or more English words in a row, none of them anybody's name, are a title ("Hot Garden Collection")."""
        places = sorted(i for i, rule in self.rules.items() if rule)
        at = 0
        while at < len(places):
            end = at + 1
            while end < len(places) and places[end] == places[end - 1] + 1 and self._touch(places[end - 1], places[end]):
                end += 1
            run = places[at:end]
            if len(run) > 1 and all(self._in_title(i) for i in run):
                for i in run:
                    self.rules[i] = ""
            at = end

    def _in_title(self, i: int) -> bool:
        lower = self.spelled[i].lower() if self.spelled[i][0].isupper() else self.spelled[i]
        lists = self.lists
        return (
            self.rules[i] in ("name.capital", "kept")
            and self.words.borrowed(lower)
            and lower not in lists.given
            and lower not in lists.family
        )

    def _find_again(self) -> None:
        """A word that is a name within a sentence of this note is the same name where it opens one."""
        within = {self.token(i).lower for i in self.named() if len(self.spelled[i]) > 2 and not self.token(i).begins}
        for i, rule in self.rules.items():
            if rule == "" and self.spelled[i].lower() in within and self.token(i).begins:
                self.rules[i] = "name.again"

    def _touch(self, left: int, right: int) -> bool:
        """Whether two words can be of one name: a blank, hyphen or quotation mark between; a full stop after initials."""
        gap = self.text[self.end(left) : self.starts[right]]
        if gap.startswith("."):
            word = self.spelled[left]
            return len(word) < 3 and gap in (".", ". ", ".-", ".  ") and word[0].isupper()
        return gap in (" ", "  ", "-", ' "', '" ', " «", "» ", " “", "” ", " (", " '", "' ", ' ("', '") ')

    def _joins(self, i: int) -> bool:
        token, lists = self.token(i), self.lists
        if _NUMBERED.fullmatch(token.text):
            return i > 0 and self.rule(i - 1) not in ("", "kept") and self._touch(i - 1, i)
        if len(token.text) == 1:
            return (token.capital and not token.begins) or (token.capital and self.text[token.end : token.end + 1] == ".")
        if token.lower in _PARTICLES and not token.shout:
            after = i + 1 < len(self.spelled) and self.spelled[i + 1][0].isupper() and self._touch(i, i + 1)
            if after and token.lower in _FOREIGN and self.rule(i + 1) not in ("", "kept"):
                return True  # "Myöhemmin von Sydow": no word of these languages
            return after and (token.capital or (i > 0 and self.rule(i - 1) not in ("", "kept")))
        if not token.capital or (
            token.shout
            and len(token.text) <= 5
            and not (listed(token.lower, self.language, lists.given) or listed(token.lower, self.language, lists.family))
        ):
            return False
        return not token.begins or listed(token.lower, self.language, lists.given)

    def _runs(self) -> Iterator[Identifier]:
        """Names that touch, as one identifier."""
        last = start = -2
        for i in self.named():
            if last >= 0 and (i != last + 1 or not self._touch(last, i)):
                yield Identifier(self.starts[start], self.end(last), "NAME", self.rules[start])
                start = i
            elif last < 0:
                start = i
            last = i
        if last >= 0:
            yield Identifier(self.starts[start], self.end(last), "NAME", self.rules[start])


_OF_DOSE = frozenset("0123456789 \n\t\r\xa0rdtimkRDTIMKİıK")  # how an amount, or the word for its form, begins
_AFTER_TITLE = re.compile(r"\.?:?\s{1,2}")


def _begins(text: str, start: int) -> bool:
    """Whether what starts here is the first word of a sentence, a line, a cell, or after a colon."""
    if start > 1 and text[start - 1] == " " and ((last := text[start - 2]).isalnum() or last == ","):
        return False  # the usual case, and the two after it, at once
    if start > 6 and text[start - 7 : start - 2].isalpha() and text[start - 2 : start] == ". ":
        return True  # no abbreviation is that long
    before = text[max(0, start - 12) : start]
    return not before.strip() or (bool(_ENDS_SENTENCE.search(before)) and not _ABBREVIATION.search(before))


# --- one word ------------------------------------------------------------------------------------------------------------


class _Role(NamedTuple):
    """What is known of a word before what stands around it is read.

    within, first: the rule for it within a sentence and as its first word.   colon: as the first word before a colon it is
    none.   eponym: what stands around may make a disease of it.   shouted: a given name in capitals.
    """

    capital: bool
    title: bool = False
    within: str = ""
    first: str = ""
    colon: bool = False
    eponym: bool = False
    shout: bool = False
    shouted: bool = False


@lru_cache(maxsize=32)
def _roles(language: str, words: Words) -> Memory[_Role | None]:
    """Word → its role in a language; None for a word in lower case that is no title."""
    lists = lists_for(language)

    def role(word: str) -> _Role | None:
        lower = word.lower()
        if not word[0].isupper():
            return _Role(False, True) if word in lists.titles else None
        shout = len(word) > 1 and word.isupper()
        first = Token(0, len(word), word, lower, True, True, shout)
        return _Role(
            capital=True,
            title=lower in lists.titles,
            within=_rule(first._replace(begins=False), language, words, lists),
            first=_rule(first, language, words, lists),
            colon=_is_heading(first, language, words, lists),
            eponym=of_eponym(first, language, lists),
            shout=shout,
            shouted=shout and len(word) > 2 and lower not in lists.kept and listed(lower, language, lists.given),
        )

    return Memory(role)


def _rule(token: Token, language: str, words: Words, lists: Lists) -> str:
    """The rule by which a word with a capital is a name, whatever stands around it."""
    if len(token.text) < 2:
        return ""
    if is_nobody(token, language, lists):
        return "kept"
    given = listed(token.lower, language, lists.given)
    if not given and _is_short(token):
        return ""
    if token.shout and len(token.text) <= 5:
        return ""  # a short form: EKG
    known = is_word(token.lower, language, words)
    if not known:
        long_opening = token.begins and len(token.text) >= _LONG.get(language, 12) and not SURNAME.search(token.lower)
        return "name.list" if given else "" if long_opening else "name.unseen"
    if (given and not token.begins) or (token.lower in lists.given and token.lower not in lists.ambiguous):
        return "name.list"  # the first word of a sentence counts only as it stands: "Toivon" is "I hope" too
    if is_body(token.lower):
        return ""
    if token.begins and _opens_as_name(token.lower, language, lists):
        return "name.list"
    if token.begins and language in CASES and token.lower in lists.family and words.borrowed(token.lower):
        return "name.list"  # "Baker": a word in English alone, and somebody's name
    return "" if token.begins or token.shout else "name.capital"


def _is_short(token: Token) -> bool:
    """Hb, NaCl."""
    return len(token.text) == 2 or (len(token.text) < 5 and not token.shout and not token.text[1:].islower())


def _is_heading(token: Token, language: str, words: Words, lists: Lists) -> bool:
    """Whether a word that opens a line or sentence is no name if a colon follows."""
    if len(token.text) < 2 or listed(token.lower, language, lists.given) or _is_short(token):
        return False
    return is_word(token.lower, language, words) or token.lower in lists.headings


def _opens_as_name(lower: str, language: str, lists: Lists) -> bool:
    """Whether a known word that opens a sentence is rather a name of the country than the word."""
    if lower in lists.home:
        return lower not in lists.ambiguous
    if language in CASES and any(
        s in lists.home_given and s not in lists.ambiguous for s in stems(lower, language) if len(s) > 3
    ):
        return True  # a given name in a case: "Minnan", "Jürile"
    return len(lower) > 4 and SURNAME.search(lower) is not None and listed(lower, language, lists.family)


#: An unknown first word of a sentence of this length is a compound rather than a name, unless it ends or is placed as one.
_LONG = {"fi": 15}
