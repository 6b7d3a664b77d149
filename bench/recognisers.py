"""What the distances of the two face recognisers mean: pairs of one person, pairs of two.

    python -m bench.recognisers FOLDER

The folder has aligned square pictures whose names begin with the person's: NAME_anything.jpg. The
limits of `app.services.measure` are quantiles of what this prints for 60 people of a studio set.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from hsc.errors import NoFaceError
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.identity_faceres import FaceRes

ONE_PERSON = (0.5, 0.95, 1.0)
TWO_PEOPLE = (0.0, 0.01, 0.5)


def main(folder: Path) -> None:
    """Print quantiles of both kinds of pairs, for each recogniser."""
    faceres = FaceRes.pretrained()
    people: list[str] = []
    found: dict[str, list[np.ndarray]] = {"dlib": [], "FaceRes": []}
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png")):
        with Image.open(path) as file:
            picture = file.convert("RGB")
        try:
            descriptor = dlib_identity(picture)
        except NoFaceError:
            continue
        people.append(path.stem.split("_")[0])
        found["dlib"].append(descriptor)
        found["FaceRes"].append(faceres.describe(picture))
    pairs = list(combinations(range(len(people)), 2))
    print(f"{len(set(people))} people, {len(people)} pictures")
    for name, descriptors in found.items():
        apart = {
            same: [
                float(np.linalg.norm(descriptors[i] - descriptors[j]))
                for i, j in pairs
                if (people[i] == people[j]) == same
            ]
            for same in (True, False)
        }
        for words, same, shares in (("one", True, ONE_PERSON), ("two", False, TWO_PEOPLE)):
            values = " ".join(f"{q:.0%}: {np.quantile(apart[same], q):.3f}" for q in shares)
            print(f"{name:8} {words} ({len(apart[same])} pairs)  {values}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
