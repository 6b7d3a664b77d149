"""The camera, coded live."""
