"""Machine vision on pictures: person mask, face, attributes.

Never used for coding. These networks make errors; they serve to measure whether their results are
the same on a decoded picture as on its original.
"""
