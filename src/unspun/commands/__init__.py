"""One file for each command of the command line, and what they share; :mod:`unspun.cli` puts them together."""
