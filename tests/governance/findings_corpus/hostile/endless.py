# hostile: loop
# expect: warn loop 5

def go(notes, weights, settings):
    while True:
        pass
