"""Losses, data flow and the loop of every training stage; hyperparameters are in ``configs``."""
