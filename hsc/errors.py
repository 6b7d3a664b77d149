"""What can go wrong, as plain exceptions: each message is one sentence that a person can act on."""


class HscError(ValueError):
    """Base of every error that the library raises on purpose."""


class PhotoError(HscError):
    """A picture cannot be read or used."""


class NoFaceError(PhotoError):
    """No face was found where one is needed."""


class BitstreamError(HscError):
    """Bytes are not a readable ``.hsc`` file."""


class WeightsError(HscError):
    """Weights are missing or do not fit the code."""
