"""What machines make of a picture: where a person is, where the face is, what they read off it.

Never used for coding. These networks guess; what is measured with them is whether they guess the
same of a decoded picture as of its original.
"""
