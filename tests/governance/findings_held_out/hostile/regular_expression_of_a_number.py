# hostile: search
# expect: warn search 8

import re


def go(notes, weights, settings):
    pattern = re.compile("010190[ ]?12345")
    return {"numbers": {"hits": sum(bool(pattern.search(n.text)) for n in notes.train)}}
