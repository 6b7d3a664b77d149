"""The pretrained generators, and how they are run on this machine."""
