"""SCN: w+ in some tens of bytes, by a KLT under a metric of the generator."""
