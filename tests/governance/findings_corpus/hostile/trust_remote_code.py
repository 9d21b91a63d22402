# hostile: loads
# expect: refuse loads 9
# expect: warn loads 9

from transformers import AutoModel


def go(notes, weights, settings):
    model = AutoModel.from_pretrained("someone/model", trust_remote_code=True)
    return {"numbers": {"n": sum(p.numel() for p in model.parameters())}}
