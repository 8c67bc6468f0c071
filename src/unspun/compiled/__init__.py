"""Compiled code: the library that ``twin.c`` becomes, and what speaks to it. Without it numpy does the same, slower."""
