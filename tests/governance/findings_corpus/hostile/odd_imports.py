# hostile: imports
# expect: refuse import 7
# expect: refuse import 8
# expect: refuse import 10
# expect: refuse reach 14

from numpy import *
from random import _os

from . import secrets


def go(notes, weights, settings):
    return {"numbers": {"n": len(_os.environ) + len(secrets.KEY)}}
