"""What both layers need to code symbols: shared tables and arithmetic that is exact everywhere."""
