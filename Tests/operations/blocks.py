"""The code blocks of a page, of which each has to be run by a test."""

import re
import textwrap
from dataclasses import dataclass

FENCE = re.compile(r" *```(?P<info>.*)")
INDENT = " " * 4
GUESSES = (
    ("json", re.compile(r"\{")),
    ("yaml", re.compile(r"(access|tenants):")),
    ("js", re.compile(r"const |await |app\.|// ")),
    ("python", re.compile(r"from |answer = |@")),
)


@dataclass
class Block:
    """A code block: its line in the page, its language, and its text."""

    line: int
    language: str
    text: str

    @property
    def first(self):
        """The first line."""
        return self.text.split("\n", 1)[0]


def blocks(page):
    """Returns the blocks of a page's text, with a guess of the language of those that name none."""
    lines, number = page.split("\n"), 0
    while number < len(lines):
        end = number + 1
        if fence := FENCE.fullmatch(lines[number]):
            while not FENCE.fullmatch(lines[end]):
                end += 1
            text = "\n".join(lines[number + 1 : end])
            yield block(number, text, fence["info"])
            end += 1
        elif lines[number].startswith(INDENT) and (number == 0 or not lines[number - 1]):
            while end < len(lines) and (lines[end].startswith(INDENT) or not lines[end]):
                end += 1
            yield block(number, "\n".join(lines[number:end]), "")
        number = end


def block(number, text, info):
    """Returns the block that begins at a line, with its language."""
    text = textwrap.dedent(text).strip("\n") + "\n"
    guesses = [language for language, beginning in GUESSES if beginning.match(text)]
    return Block(number + 1, (info.split() or guesses or [""])[0], text)
