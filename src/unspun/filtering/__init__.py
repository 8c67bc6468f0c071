"""The filter as a command: records from files or a stream through :mod:`unspun.ingest` to where they belong."""
