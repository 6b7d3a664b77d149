"""FCN: the feature map, slice by slice, given the decoded semantics."""
