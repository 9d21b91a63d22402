# hostile: reach
# expect: refuse reach 8

from fedkit.ner import tasks


def go(notes, weights, settings):
    tasks.np.save("/dev/shm/x", weights["w"])
    return {"numbers": {"n": 0}}
