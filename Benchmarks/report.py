"""Writes the results of the measurements into the documentation, between its markers.

    python3 Benchmarks/report.py RESULTS PAGE PICTURES

RESULTS has a file NAME.md for each part, whose content replaces what stands between `<!-- measured: NAME -->` and
`<!-- end -->` on the page, and the files NAME.json, from which the charts are drawn. Parts without a file stay as they
are.
"""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import charts

VERSIONS = {
    "Redis": ["redis-server", "--version"],
    "memcached": ["memcached", "--version"],
    "Swift": ["swift", "--version"],
    "C compiler": ["cc", "--version"],
    "Python": [sys.executable, "--version"],
}


def machine():
    """Returns the date, the machine and the versions as text."""
    processors = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", processors)
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    virtual = " (virtual)" if re.search(r"^flags.*\bhypervisor\b", processors, re.MULTILINE) else ""
    lines = [
        f"- date: {datetime.date.today():%-d %B %Y}",
        f"- machine: {model[1] if model else platform.machine()}{virtual}, {os.cpu_count()} processors, "
        f"{int(memory[1]) / 2**20:.0f} GiB of memory, Linux {platform.release()}",
        f"- tokencached: {commit()}",
        *(f"- {name}: {version(command)}" for name, command in VERSIONS.items()),
    ]
    return "\n".join(lines)


def commit():
    """Returns the commit that was measured."""
    described = output(["git", "describe", "--always", "--abbrev=10", "--dirty", "--exclude=*"])
    return f"commit {described}" if described else "no commit is known"


def version(command):
    """Returns the number of a program's version."""
    number = re.search(r"\d+(\.\d+)+", output(command))
    return number[0] if number else "not installed"


def output(command):
    """Returns what a command prints, or nothing if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def replaced(page, name, content):
    """Returns the page with another content between the markers of a part."""
    pattern = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(page):
        raise RuntimeError(f"the page has no markers for {name}")
    return pattern.sub(lambda found: f"{found[1]}\n{content.strip()}\n\n{found[2]}", page)


def picture(results, name, pictures):
    """Draws the chart of a part, and returns the text that shows it, or nothing for a part without a chart."""
    if name not in charts.CHARTS:
        return ""
    title, draw = charts.CHARTS[name]
    file = pictures / f"bench-{name}.svg"
    file.write_text(draw(title, json.loads((results / f"{name}.json").read_text())))
    return f"\n![{title}](pictures/{file.name})\n"


def main():
    results, path, pictures = map(pathlib.Path, sys.argv[1:])
    page = replaced(path.read_text(), "machine", machine())
    for part in sorted(results.glob("*.md")):
        page = replaced(page, part.stem, part.read_text() + picture(results, part.stem, pictures))
    path.write_text(page)


if __name__ == "__main__":
    main()
