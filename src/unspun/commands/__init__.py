"""What the command line of :mod:`unspun.cli` is made of."""
