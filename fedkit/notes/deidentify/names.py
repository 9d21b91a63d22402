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

from fedkit.notes.deidentify.endings import CASES, listed, stems
from fedkit.notes.deidentify.lower_case import SURNAME, is_word
from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.name_lists import TOKEN, Lists, Token, lists_for
from fedkit.notes.deidentify.not_names import is_body, is_kept, is_nobody
from fedkit.notes.deidentify.words import Words

_ENDS_SENTENCE = re.compile(r"(?:^|[\n\r.!?:…;|•*>\x00]|\s-)[\s\"'«»“”„()\[\]\-–*•>]*$")


_ABBREVIATION = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]|dr|prof|hr|fr|frk|mr|mrs|ms|st|jr|sr|med|cand|psyk|spes|bl|jf|f|ca|sos)\.\s?$", re.IGNORECASE
)


#: Between the parts of one name.
_NUMBERED = re.compile(r"I{1,3}|IV|VI{1,3}|IX|XI{0,3}|XIV|XVI{0,3}")
_BETWEEN = "von van de der den del della di da dos la le el al bin ibn ben ter ten zu zur zum af"
_PARTICLES = frozenset(_BETWEEN.split())


def names(text: str, language: str, words: Words) -> Iterator[Identifier]:
    """Names of people in a (folded) text, each run of names one identifier.

    language: "" if not known.   words: what is written in lower case (`words_for`).
    """
    tokens = list(_tokens(text))
    lists = lists_for(language)
    rules = [_alone(text, t, language, words, lists) if t.capital else "" for t in tokens]
    for i, (token, rule) in enumerate(zip(tokens, rules, strict=True)):
        if rule == "" and token.capital and _titled(text, tokens, i, lists) and not is_kept(token, language, lists):
            rules[i] = "name.title"
    _find_shouted(text, tokens, rules, language, lists)
    _join_beside(text, tokens, rules, language, words, lists)
    _spare_titles(text, tokens, rules, lists, words)
    _find_again(tokens, rules)
    yield from _runs(text, tokens, rules)


def _join_beside(text: str, tokens: list[Token], rules: list[str], language: str, words: Words, lists: Lists) -> None:
    """What stands beside a name and belongs to it: "Jon Horn", an initial ("S. Hansen"), "van", a number; on to both sides."""
    todo = [i for i, rule in enumerate(rules) if rule not in ("", "kept")]
    while todo:
        name = todo.pop()
        for i in (name - 1, name + 1):
            if not 0 <= i < len(tokens) or not (rules[i] == "" or (rules[i] == "kept" and _NUMBERED.fullmatch(tokens[i].text))):
                continue
            if _touch(text, tokens[min(i, name)], tokens[max(i, name)]) and _joins(
                text, tokens, rules, i, language, words, lists
            ):
                rules[i] = "name.beside"
                todo.append(i)


def _find_again(tokens: list[Token], rules: list[str]) -> None:
    """A word that is a name within a sentence of this note is the same name where it opens one."""
    within = {
        t.lower for t, rule in zip(tokens, rules, strict=True) if rule not in ("", "kept") and not t.begins and len(t.text) > 2
    }
    for i, token in enumerate(tokens):
        if rules[i] == "" and token.capital and token.begins and token.lower in within:
            rules[i] = "name.again"


def _find_shouted(text: str, tokens: list[Token], rules: list[str], language: str, lists: Lists) -> None:
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
                len(tokens[j].text) > 2 and listed(tokens[j].lower, language, lists.given) and tokens[j].lower not in lists.kept
                for j in run
            )
            and not any(tokens[j].lower in lists.grammar or tokens[j].lower in lists.headings for j in run)
        ):
            for j in run:
                rules[j] = rules[j] or "name.list"
        i = max(end, i + 1)


def _spare_titles(text: str, tokens: list[Token], rules: list[str], lists: Lists, words: Words) -> None:
    """Two or more English words in a row, none of them anybody's name, are a title ("Hot Garden Collection")."""
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


def _tokens(text: str) -> Iterator[Token]:
    for match in TOKEN.finditer(text):
        word = match.group()
        start, end = match.span()
        if not word[0].isupper():
            yield Token(start, end, word, word, False, False, False)
            continue
        before = text[max(0, start - 12) : start]
        begins = not before.strip() or (bool(_ENDS_SENTENCE.search(before)) and not _ABBREVIATION.search(before))
        yield Token(start, end, word, word.lower(), True, begins, len(word) > 1 and word.isupper())


def _alone(text: str, token: Token, language: str, words: Words, lists: Lists) -> str:
    """The rule by which a word is a name whatever stands beside it; "kept" if it is known to be none; "" if that is open."""
    if not token.capital or len(token.text) < 2:
        return ""
    if is_nobody(text, token, language, lists):
        return "kept"
    given = listed(token.lower, language, lists.given)
    if not given and (len(token.text) == 2 or (len(token.text) < 5 and not token.shout and not token.text[1:].islower())):
        return ""  # Hb, NaCl
    known = is_word(token.lower, language, words)
    if token.begins and text[token.end : token.end + 1] == ":" and not given and (known or token.lower in lists.headings):
        return "kept"
    if (token.shout and len(token.text) <= 5) or re.match(r"\d", text[token.end : token.end + 1] or " "):
        return ""  # a short form or a model: EKG, V40
    if not known:
        long_opening = token.begins and len(token.text) >= _LONG and not SURNAME.search(token.lower)
        return "name.list" if given else "" if long_opening else "name.unseen"
    if (given and not token.begins) or token.lower in lists.given - lists.ambiguous:
        return "name.list"  # the first word of a sentence counts only as it stands: "Toivon" is "I hope" too
    if is_body(token.lower):
        return ""
    if token.begins and _opens_as_name(token.lower, language, lists):
        return "name.list"
    return "" if token.begins or token.shout else "name.capital"


def _opens_as_name(lower: str, language: str, lists: Lists) -> bool:
    """Whether a known word that opens a sentence is rather a name of the country than the word."""
    if lower in lists.home:
        return lower not in lists.ambiguous
    if language in CASES and any(s in lists.home_given - lists.ambiguous for s in stems(lower, language) if len(s) > 3):
        return True  # a given name in a case: "Minnan", "Jürile"
    return len(lower) > 4 and SURNAME.search(lower) is not None and listed(lower, language, lists.family)


#: An unknown first word of a sentence of this length is a compound rather than a name, unless it ends or is placed as one.
_LONG = 12


def _titled(text: str, tokens: list[Token], i: int, lists: Lists) -> bool:
    """Whether a title, a role or a word for kin stands right before, with a full stop or a colon at most between."""
    if i == 0:
        return False
    last, token = tokens[i - 1], tokens[i]
    return last.lower in lists.titles and bool(re.fullmatch(r"\.?:?\s{1,2}", text[last.end : token.start]))


def _touch(text: str, left: Token, right: Token) -> bool:
    """Whether two words can be of one name: a blank, hyphen or quotation mark between; a full stop after initials."""
    gap = text[left.end : right.start]
    if gap.startswith("."):
        return len(left.text) < 3 and gap in (".", ". ", ".-", ".  ") and left.capital
    return gap in (" ", "  ", "-", ' "', '" ', " «", "» ", " “", "” ", " (", " '", "' ")


def _joins(text: str, tokens: list[Token], rules: list[str], i: int, language: str, words: Words, lists: Lists) -> bool:
    token = tokens[i]
    if _NUMBERED.fullmatch(token.text):
        return i > 0 and rules[i - 1] not in ("", "kept") and _touch(text, tokens[i - 1], token)
    if len(token.text) == 1:
        return (token.capital and not token.begins) or (token.capital and text[token.end : token.end + 1] == ".")
    if token.lower in _PARTICLES and not token.shout:
        after = i + 1 < len(tokens) and tokens[i + 1].capital and _touch(text, token, tokens[i + 1])
        return after and (token.capital or (i > 0 and rules[i - 1] not in ("", "kept")))
    if not token.capital or (
        token.shout and len(token.text) <= 5 and not listed(token.lower, language, lists.given | lists.family)
    ):
        return False
    if token.begins:
        return listed(token.lower, language, lists.given)
    return True


def _runs(text: str, tokens: list[Token], rules: list[str]) -> Iterator[Identifier]:
    """Names that touch, as one identifier."""
    start = end = -1
    rule = ""
    last: Token | None = None
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
