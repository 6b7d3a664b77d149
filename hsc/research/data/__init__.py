"""Pictures to train on and to validate with."""
