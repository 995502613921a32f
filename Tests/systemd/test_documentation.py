"""The documentation's examples that need systemd, as the pages show them."""

import pathlib
import subprocess
import sys

from machine import TIMEOUT, MachineTestCase, property_of, token

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("Documentation/*.md")])
FEWEST = 10
"""The pages have at least this number of such examples."""

sys.path.append(str(ROOT / "Tests/operations"))
from examples import examples  # noqa: E402


class Documentation(MachineTestCase):
    def test_the_examples_that_need_systemd_succeed(self):
        token(self.subject())
        count = 0
        for page in PAGES:
            for example in examples(page.read_text()):
                if not example.needs_systemd:
                    continue
                count += 1
                with self.subTest(page=page.name, line=example.line):
                    run = subprocess.run(
                        ["bash", "-e", "-u", "-c", example.commands],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        timeout=TIMEOUT,
                        check=False,
                    )
                    self.assertEqual(run.returncode, 0, run.stdout)
                    # The next example finds a daemon that runs.
                    token(self.subject(f"{page.stem}{example.line}"))
        self.assertEqual(property_of("ActiveState"), "active")
        self.assertGreaterEqual(count, FEWEST)
