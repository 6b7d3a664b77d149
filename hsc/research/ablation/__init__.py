"""``hsc ablate``: what each idea of the codec is worth in bytes.

Every variant is trained here, for equally many steps from the same start, on the same faces; the
variants live in this package, and the codec's own networks know nothing of them. ``samples``
encodes faces with the frozen encoder and transforms, ``priors`` the variants of the
entropy model of F, ``semantics`` the paper's way to code S, ``losses`` a tuning of FCN on
feature error alone, and ``run`` the command.
"""
