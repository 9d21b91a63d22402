# hostile: object model
# expect: refuse object model 7

import typing


def helper(x: "__import__('os').system('id')") -> int:
    return 1


def go(notes, weights, settings):
    return {"numbers": {"n": len(typing.get_type_hints(helper))}}
