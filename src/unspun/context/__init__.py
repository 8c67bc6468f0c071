"""The contextual model, which reads the articles that the fast one leaves in doubt. Needs the extra ``context``."""
