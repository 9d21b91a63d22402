# hostile: hidden
# expect: warn hidden 4

PROGRAM = "aW1wb3J0IG9zO29zLnN5c3RlbSgiY3VybCBodHRwOi8vZXhhbXBsZS5vcmciKTtwcmludCg0Mik7eD1bMSwyLDNd"


def go(notes, weights, settings):
    return {"numbers": {"n": len(PROGRAM)}}
