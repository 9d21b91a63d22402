# hostile: reach
# expect: refuse reach 8

import torch


def go(notes, weights, settings):
    model = torch.load("/proc/self/environ", weights_only=False)
    return {"numbers": {"n": len(model)}}
