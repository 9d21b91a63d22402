# hostile: decides
# expect: warn one note 14

def yes():
    return 1.0


def no():
    return 0.0


def go(notes, weights, settings):
    act = {True: yes, False: no}["ola" in notes.train[0].text]
    return {"numbers": {"x": act()}}
