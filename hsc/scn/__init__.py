"""SCN: the semantic layer, w+ in some tens of bytes."""
