# hostile: errors
# expect: warn error text 5

def go(notes, weights, settings):
    raise ValueError(notes.train[0].text)
