"""FCN: the feature layer, what the semantics did not explain of the 32-px feature map."""
