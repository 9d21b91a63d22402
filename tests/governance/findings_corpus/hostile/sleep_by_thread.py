# hostile: time
# expect: refuse import 5
# expect: refuse reach 10

import time


def go(notes, weights, settings):
    if any("hiv" in n.text for n in notes.train):
        time.sleep(3)
    return {"numbers": {"n": len(notes.train)}}
