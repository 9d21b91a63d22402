# hostile: reach
# expect: refuse reach 9
# expect: warn reach 9

import json


def go(notes, weights, settings):
    body = json.codecs.open("/etc/hosts").read()
    return {"numbers": {"n": len(body)}}
