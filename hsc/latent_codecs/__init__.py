"""The two layers and the entropy model that they share.

``base`` says what a layer is; ``styles_klt`` codes w+ (SCN), ``feature_slices`` the feature map
given w+ (FCN). Neither knows a generator: what a generator says of the feature map comes to FCN as
two tensors.
"""
