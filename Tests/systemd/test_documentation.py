"""The documentation's examples that need systemd, as the pages show them."""

import pathlib
import shutil
import subprocess
import sys

from machine import SOCKETS, TIMEOUT, MachineTestCase, ask, property_of, systemctl, token

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("Documentation/*.md")])
FEWEST = 13
"""The pages have at least this number of such examples."""

TRACE = "0af7651916cd43dd8448eb211c80319c"
"""The trace in the examples."""

sys.path.append(str(ROOT / "Tests/operations"))
from examples import examples  # noqa: E402


class Documentation(MachineTestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.undo_the_examples)

    def undo_the_examples(self):
        """Removes the drop-ins that the pages install, and the audit file that one of them begins."""
        shutil.rmtree("/etc/systemd/system/tokencached.service.d")
        systemctl("daemon-reload")
        systemctl("stop", *SOCKETS, "tokencached.service")
        pathlib.Path("/var/log/tokencached").unlink()
        shutil.rmtree("/var/log/private/tokencached")

    def test_the_examples_that_need_systemd_succeed(self):
        token(self.subject())
        # The mint that behaviour.md looks for.
        ask({"op": "token", "subject": self.subject("trace"), "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
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
