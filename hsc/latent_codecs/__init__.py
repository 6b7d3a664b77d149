"""The two layers of a file and the entropy model that they share.

``base`` is the interface of a layer; ``styles_klt`` codes w+ (SCN), ``feature_slices`` the feature
map given w+ (FCN). Neither depends on a generator: its prediction of the feature map is given to
FCN as two tensors.
"""
