"""unspun inside other frameworks: each hook hands its records to :class:`unspun.ingest.IngestFilter`, no more."""
