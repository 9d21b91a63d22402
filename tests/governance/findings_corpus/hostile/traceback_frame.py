# hostile: object model
# expect: refuse object model 10
# expect: refuse object model 11
# expect: warn error text 11

def go(notes, weights, settings):
    try:
        1 / 0
    except ZeroDivisionError as error:
        frame = error.__traceback__.tb_frame
    return {"numbers": {"n": frame.f_lineno}}
