# hostile: reach
# expect: refuse reach 10

import torch
from torch import nn


def go(notes, weights, settings):
    model = nn.Linear(2, 2)
    torch.save(model.state_dict(), "/tmp/m.pt")
    return {"numbers": {"n": 0}}
