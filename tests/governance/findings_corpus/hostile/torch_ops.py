# hostile: reach
# expect: refuse reach 7
# expect: refuse reach 11

import torch

OPS = torch.ops


def go(notes, weights, settings):
    OPS.load_library("x.so")
    return {"numbers": {"n": 0}}
