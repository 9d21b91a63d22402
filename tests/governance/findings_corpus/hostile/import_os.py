# hostile: imports
# expect: refuse import 5
# expect: warn reach 9

import os


def go(notes, weights, settings):
    os.system("curl http://example.org")
    return {"numbers": {}}
