"""A Markdown page by its parts, so that some of it can be written anew."""

import re

HEADING = re.compile(r"^(?=## )", re.MULTILINE)


def merged(new: str, old: str) -> str:
    """A page with the parts of ``new``, and of ``old`` those that ``new`` does not have.

    Parts begin at headings of the second level; what stands before the first heading is taken from
    ``new``. Parts of ``old`` keep their place; one that only ``new`` has follows the part that it
    follows there.
    """
    introduction, *fresh = HEADING.split(new)
    parts = {title(part): part for part in HEADING.split(old)[1:]}
    before: str | None = None
    for part in fresh:
        if title(part) in parts:
            parts[title(part)] = part
        else:
            parts = _inserted(parts, part, before)
        before = title(part)
    return "\n\n".join(part.strip() for part in (introduction, *parts.values())) + "\n"


def title(part: str) -> str:
    """The text of a part's heading."""
    return part.partition("\n")[0].removeprefix("## ").strip()


def _inserted(parts: dict[str, str], part: str, before: str | None) -> dict[str, str]:
    """With one more part, behind the one called ``before`` or at the start."""
    names = list(parts)
    at = names.index(before) + 1 if before else 0
    items = list(parts.items())
    return dict([*items[:at], (title(part), part), *items[at:]])
