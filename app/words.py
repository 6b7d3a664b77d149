"""The page's words where the model shows something else than faces.

Every text of the page is written for faces, the domain that ships. For another one its noun takes
the place of "face" in what visitors read: labels, notes, texts of HTML, and sentences of scripts.
Names, addresses, classes and ids stay as they are. Texts that are about faces alone have a version
of their own for other domains: ``assets/texts/NAME_other.md``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from app.texts import text as text_of

SHIPPED = "face"
READ = {
    "alt", "caption", "choices", "content", "description", "headers", "html_template", "info",
    "label", "missing", "note", "placeholder", "title", "value",
}  # fmt: skip
"""Properties of Gradio's components, and of the viewer's choices, that visitors read."""
OTHERWISE = ("about_how", "about_limits", "caveat")
"""Texts that are about faces."""
PHRASES = {
    "pose and shape": "shape and place",
    "features and hair": "parts",
    "draw somebody else": "draw something else",
}
"""Words about faces, and what is said otherwise."""
_NOUN = re.compile(
    r"(?:\b(?P<article>[Aa])n? )?(?<![\w.#/=&?:-])(?P<noun>[Ff]ace)(?P<plural>s?)(?![\w=/-]|\.\w)"
)
_TAG = re.compile(r"(<[^<>]*>)")
_ATTRIBUTE = re.compile(r'\b(?:aria-label|alt|title|placeholder)="[^"]*"')
_LITERAL = re.compile(r'"[^"\n]*"|`[^`]*`')


class Words:
    """Says the page's sentences for a domain.

    Args:
        noun: what one subject is called, such as ``cat``; its plural has an s.
        of_faces: whether it is a face, by whatever name.
    """

    def __init__(self, noun: str = SHIPPED, of_faces: bool = True) -> None:
        self.noun, self.of_faces = noun, of_faces

    @property
    def as_written(self) -> bool:
        """Whether the page's texts fit as they are."""
        return self.noun == SHIPPED

    def say(self, text: str) -> str:
        """A text, with HTML in it or not. A single lower-case word is a name, and stays."""
        if self.as_written or not (" " in text or text[:1].isupper()):
            return text
        if not self.of_faces:
            text = _otherwise().get(text.strip(), text)
            for of_faces, otherwise in PHRASES.items():
                text = text.replace(of_faces, otherwise)
        if "ace" not in text:  # most of what is sent
            return text
        parts = _TAG.split(text)
        parts[::2] = map(self._said, parts[::2])
        parts[1::2] = (_ATTRIBUTE.sub(lambda m: self._said(m[0]), tag) for tag in parts[1::2])
        return "".join(parts)

    def script(self, source: str) -> str:
        """A script: the sentences among its literals."""
        if self.as_written:
            return source
        return _LITERAL.sub(lambda m: m[0][0] + self.say(m[0][1:-1]) + m[0][-1], source)

    def update(self, value: Any) -> Any:
        """What is sent to the browser: values of components, or their properties."""
        if self.as_written:
            return value
        if isinstance(value, str):
            return self.say(value)
        if isinstance(value, dict):
            return {k: self._choices(v) if k == "choices" else self.update(v) if k in READ else v
                    for k, v in value.items()}  # fmt: skip
        if isinstance(value, (list, tuple)):
            return [self.update(each) for each in value]
        return value

    def config(self, config: Any) -> Any:
        """Gradio's description of the whole page."""
        if self.as_written:
            return config
        components = [each | {"props": self.update(each["props"])} for each in config["components"]]
        return config | {"components": components}

    def _choices(self, choices: Any) -> Any:
        """Of a list to choose from, what is read; the value behind it is a name."""
        if not isinstance(choices, (list, tuple)):
            return choices
        return [
            [self.update(each[0]), *each[1:]] if isinstance(each, (list, tuple))
            else self.update(each)
            for each in choices
        ]  # fmt: skip

    def _said(self, text: str) -> str:
        return _NOUN.sub(self._noun, text)

    def _noun(self, found: re.Match[str]) -> str:
        noun = self.noun + found["plural"]
        if found["noun"][0].isupper():
            noun = noun[0].upper() + noun[1:]
        if not found["article"]:
            return noun
        article = found["article"] + ("n" if noun[0].lower() in "aeiou" else "")
        return f"{article} {noun}"


@cache
def _otherwise() -> dict[str, str]:
    """Of texts about faces, what stands in their place for another domain."""
    return {text_of(name).strip(): text_of(f"{name}_other") for name in OTHERWISE}
