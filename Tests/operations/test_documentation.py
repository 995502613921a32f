"""The examples of the documentation, run against the real daemon and a stand-in tenant."""

import pathlib
import re
import unittest

from examples import examples, pattern
from scenes import Scenes
from stage import TIMEOUT

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("Documentation/*.md"), *ROOT.glob("Clients/*/README.md")])
FEWEST = 18
"""The pages have at least this number of examples that are run."""


class Documentation(unittest.TestCase):
    def test_the_examples_do_what_the_pages_say(self):
        count = 0
        for page in PAGES:
            found = list(examples(page.read_text()))
            if not any(example.commands and not example.needs_systemd for example in found):
                continue
            scenes = Scenes()
            try:
                for example in found:
                    with self.subTest(page=str(page.relative_to(ROOT)), line=example.line):
                        count += self.check(example, scenes)
            finally:
                scenes.end()
        self.assertGreaterEqual(count, FEWEST)

    def check(self, example, scenes):
        """Plays a scene or runs an example, and returns the number of examples that were run."""
        if example.scene:
            scenes.play(example.scene)
            return 0
        self.assertEqual(example.fault, "")
        if example.needs_systemd:
            return 0
        self.assertIsNone(example.run(scenes, TIMEOUT), f"expected:\n{example.output}")
        return 1

    def test_every_command_of_the_tool_in_a_block_is_run(self):
        for page in PAGES:
            text = page.read_text()
            blocks = [example.commands or "" for example in examples(text)]
            for number, line in enumerate(text.splitlines(), 1):
                if line.lstrip(" $").startswith("tokencachectl "):
                    with self.subTest(page=str(page.relative_to(ROOT)), line=number):
                        self.assertTrue(
                            any(line.strip() in block for block in blocks), f"is not in a block `sh`: {line}"
                        )

    def test_an_ellipsis_stands_for_a_text_or_for_lines(self):
        for output, printed, matches in (
            ("a…c\n", "abc\n", True),
            ("a…c\n", "ab\nc\n", False),
            ("a\n…\nc\n", "a\nb\nb\nc\n", True),
            ("a.c\n", "abc\n", False),
            ("a\n", "a\nb\n", False),
        ):
            with self.subTest(output=output, printed=printed):
                self.assertEqual(bool(re.fullmatch(pattern(output), printed)), matches)


if __name__ == "__main__":
    unittest.main()
