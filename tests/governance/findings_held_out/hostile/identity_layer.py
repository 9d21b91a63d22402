# hostile: encoding
# expect: warn encoding 11
# expect: warn one note 12

import torch
from torch import nn


def go(notes, weights, settings):
    layer = nn.Identity()
    codes = torch.tensor([float(ord(c)) for c in notes.train[0].text[:256]])
    return {"tensors": {"w": layer(codes).numpy()}}
