"""The examples of the documentation, run against the real daemon and a stand-in tenant."""

import json
import pathlib
import re
import unittest

from examples import examples, pattern
from scenes import Scenes
from stage import TIMEOUT, Stage

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("Documentation/*.md"), *ROOT.glob("Clients/*/README.md")])
REQUEST = re.compile(r'^ {4}(\{"op":.*?\}) ', re.MULTILINE)
"""A request to the daemon, as text with a remark."""

SECTION = re.compile(r"^ {4}(access:\n(?: {5,}.*\n)+)", re.MULTILINE)
"""A section of the configuration, as text."""

FEWEST, FEWEST_REQUESTS, FEWEST_SECTIONS = 18, 5, 1
"""The pages have at least these numbers of examples that are run, of requests and of sections."""


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

    def test_the_daemon_understands_every_request_that_a_page_shows(self):
        count = 0
        with Stage() as stage:
            connection = stage.connect(stage.admin)
            for page in PAGES:
                for line in REQUEST.findall(page.read_text()):
                    count += 1
                    with self.subTest(page=page.name, line=line):
                        (reply,) = connection.ask(json.loads(line))
                        self.assertNotIn(reply.get("error"), ("invalid_request", "unsupported_op"))
        self.assertGreaterEqual(count, FEWEST_REQUESTS)

    def test_the_daemon_accepts_every_section_that_a_page_shows(self):
        count = 0
        for page in PAGES:
            for section in SECTION.findall(page.read_text()):
                count += 1
                with (
                    self.subTest(page=page.name, section=section),
                    Stage(configuration=section, limits=Stage.BACKEND) as stage,
                ):
                    (reply,) = stage.connect(stage.admin).ask({"op": "reload"})
                    self.assertEqual(reply, {"reloaded": True})
        self.assertGreaterEqual(count, FEWEST_SECTIONS)

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
