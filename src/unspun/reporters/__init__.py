"""Verdicts shown, to people and to programs; nothing here knows the detector."""
