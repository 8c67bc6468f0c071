"""Hostile input of every kind against everything that reads: see ``scripts/fuzz``."""
