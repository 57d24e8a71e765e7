"""What helps now, of all that was remembered: searched, ranked, explained.

The store names candidates with what each list said of them; everything after that is decided here,
by pure functions, so that it is the same on every backend and every part of a score can be shown.
"""
