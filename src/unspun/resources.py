"""Where the shipped data and models are: inside the wheel, or beside the sources of an editable install."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path


def find_data(name: str) -> Path:
    """The path of ``name`` (such as ``lexicon/words.txt.gz``) below ``data/``.

    Raises FileNotFoundError, saying where it looked and what to do, when there is no such file or folder.
    """
    return _find("data", "UNSPUN_DATA", name)


def find_models(name: str) -> Path:
    """The path of ``name`` below ``models/``; raises FileNotFoundError like :func:`find_data`."""
    return _find("models", "UNSPUN_MODELS", name)


def _find(folder: str, variable: str, name: str) -> Path:
    override = os.environ.get(variable)
    package = Path(str(files("unspun")))
    # An editable install sees src/unspun only: the data stand at the root of the repository, two floors up.
    places = [Path(override)] if override else [package / f"_{folder}", package.parent.parent / folder]
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " or ".join(str(place) for place in places)
    advice = (
        f"{variable} points there: correct or unset it"
        if override
        else f"reinstall unspun, or set {variable} to the folder that holds it"
    )
    raise FileNotFoundError(f"{name} is not in {looked}; {advice}")
