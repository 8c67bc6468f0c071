"""References on disk: found among millions in milliseconds, read by many processes at once."""
