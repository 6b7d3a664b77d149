"""``hsc evaluate``: our files and other codecs' of the same bytes, measured side by side.

``folder`` chooses and aligns the pictures, ``candidates`` makes the files, ``measures`` looks at
what they decode to, ``store`` keeps every picture's figures so that a stopped run goes on,
``summary`` takes means of them, and ``page`` shows them.
"""
