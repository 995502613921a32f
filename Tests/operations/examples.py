"""The examples of a page: shell commands, and the output that the page shows for them.

- A block `sh` is run by bash. The block `text` that follows it, if there is one, is what the commands print. In it, `…`
  stands for any text within a line, and a line with nothing else for any lines.
- A block `sh systemd` needs systemd. `Tests/systemd` runs it, and here its syntax is checked.
- A comment `<!-- scene: … -->` changes the situation for the blocks after it.
"""

import re
import subprocess
import textwrap
from dataclasses import dataclass
from typing import Optional

PART = re.compile(
    r"^ *<!-- scene: (?P<scene>.*?) -->$|^(?P<indent> *)```sh(?P<kind> systemd)?\n(?P<commands>.*?)^ *```$"
    r"(?:\n\n *```text\n(?P<output>.*?)^ *```$)?",
    re.MULTILINE | re.DOTALL,
)
SHELL = ["bash", "-e", "-u", "-c"]


@dataclass
class Example:
    """A block of commands, or a scene."""

    line: int
    scene: Optional[str]
    commands: Optional[str]
    output: Optional[str]
    needs_systemd: bool

    @property
    def fault(self):
        """Returns the faults that bash finds in the syntax of the commands."""
        check = subprocess.run(["bash", "-n"], input=self.commands, capture_output=True, text=True, check=False)
        return check.stderr

    def run(self, scenes, timeout):
        """Runs the commands, and returns what is wrong with their status or their output, or None."""
        run = subprocess.run(
            [*SHELL, scenes.on_stage(self.commands)],
            env=scenes.environment,
            cwd=scenes.directory.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        printed = scenes.as_installed(run.stdout)
        if run.returncode != 0:
            return f"the commands end with {run.returncode}:\n{printed}"
        if self.output is not None and not re.fullmatch(pattern(self.output), printed):
            return f"the commands print:\n{printed}"
        return None


def examples(text):
    """Returns the scenes and the examples of a page in their order."""
    for part in PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        commands, output = (text and textwrap.dedent(text) for text in (part["commands"], part["output"]))
        yield Example(line, part["scene"], commands, output, part["kind"] is not None)


def pattern(output):
    """Returns the pattern of an expected output."""
    lines = []
    for line in output.splitlines():
        text = ".*".join(re.escape(piece) for piece in line.split("…"))
        lines.append("(?:.*\n)*" if line == "…" else text + "\n")
    return "".join(lines)
