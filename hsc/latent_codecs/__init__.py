"""The two layers: what codes the styles, what codes the feature map, and the entropy model that they share."""
