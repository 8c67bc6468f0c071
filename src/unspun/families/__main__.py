"""Families on Spark: python -m unspun.families ARTICLES --stages FOLDER --out FILE"""

# What runs as the main module cannot be sent to Spark's workers, so all of it is in a module of its own.
from unspun.families.spark import main

raise SystemExit(main())
