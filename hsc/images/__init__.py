"""Pictures from files, and between PIL and tensors."""
