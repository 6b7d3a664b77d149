"""``hsc evaluate``: our files and other codecs' of the same bytes, measured side by side.

``folder`` chooses and aligns the pictures, ``candidates`` makes the files, ``measures`` compares
the decoded pictures, ``store`` saves every picture's figures so that a stopped run can resume,
``summary`` takes means of them, and ``page`` shows them.
"""
