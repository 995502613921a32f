"""The examples of the documentation, run against the real daemon and a stand-in tenant."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import snippets
from blocks import blocks
from examples import examples, pattern
from scenes import Scenes
from stage import FLEET_KEY, PROGRAMS, TIMEOUT, Stage, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pages in ("*.md", "Documentation/*.md", "Clients/*/README.md", "Examples/*/README.md")
    for page in ROOT.glob(pages)
)
PYTHON = os.environ.get("DOCUMENTATION_PYTHON", sys.executable)
"""The interpreter of the examples in Python. It has httpx."""

GUIDE = sorted(ROOT.glob("Sources/TokenCacheClient/Documentation.docc/*.md"))
"""The pages of the Swift client's guide. `GuideTests` compare their code with code that is compiled."""

REQUEST = re.compile(r'(\{"op":.*?\})(?: {2,}.*)?')
"""A request to the daemon, as text with or without a remark."""

REPLIES = {
    "error": {"op": "token", "subject": "unknown-401:zoe"},
    "entries": {"op": "entries"},
    "checks": {"op": "health"},
    "key": {"op": "explain", "subject": "alice"},
}
"""Requests whose replies have the members of a reply that a page shows alone, by one of these members."""

LANGUAGES = {"js": "javascript", "python": "python"}

ELSEWHERE = {
    "Clients/node/README.md": {
        "npm install tokencached": "Clients/node/test/package.test.js installs the package as npm packs it",
        "let lastToken;": "Clients/node/test/readme.test.js runs it",
    },
    "Clients/python/README.md": {
        "pip install tokencached": "Clients/python/tests/test_package.py installs the package as it is built"
    },
    "CONTRIBUTING.md": {"python3 Benchmarks/tails.py": "a measurement, which make bench runs"},
    "Documentation/access.md": {'{"time":': "test_a_record_of_the_audit_trail_looks_as_the_page_says"},
    "Documentation/architecture.md": {"application ": "a picture", "programs ": "a picture"},
    "Documentation/behaviour.md": {"level=info": "test_the_log_of_a_mint_in_a_trace_looks_as_the_page_says"},
    "Documentation/containers.md": {"make image": "make test-sidecar builds the image and runs it"},
    "Documentation/fleet.md": {"ACL SETUSER": "the scene `fleet` makes this user, as which its daemon connects"},
    "Documentation/log.md": {"2026-": "test_the_log_looks_in_each_format_as_the_page_says"},
    "Documentation/performance.md": {".build/bench/socket-load press": "make bench builds this generator and runs it"},
    "Documentation/systemd.md": {"[Service]": "test_a_drop_in_has_settings_that_systemd_knows"},
    "GettingStarted.md": {"swift build": "make demo builds and starts these programs in the same way"},
    "Examples/embedded-analytics/README.md": {
        "QLIK_TENANT=": "needs a real tenant; make test-browser starts the backend"
    },
    "README.md": {
        "make demo": "make test-clients and make test-browser run the example on the same stand-in tenant",
        "make deb": "make test-systemd builds the package and installs it",
        "install -m 600": "Tests/systemd/prepare does it",
    },
}
"""The blocks that are run by something else than these tests, by their page and the beginning of their first line."""

FEWEST, FEWEST_REQUESTS, FEWEST_SECTIONS, FEWEST_SNIPPETS = 18, 14, 3, 18
"""The pages have at least these numbers of examples that are run, of requests, of sections and of programs."""


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

    def test_every_block_is_run_by_a_test(self):
        for page in [*PAGES, *GUIDE]:
            name = str(page.relative_to(ROOT))
            if page in GUIDE:
                name = page.name
            known = dict(ELSEWHERE.get(name, {}))
            before = None
            for block in blocks(page.read_text()):
                is_output = block.language == "text" and before == "sh"
                before = block.language
                reasons = [beginning for beginning in known if block.text.startswith(beginning)]
                for beginning in reasons:
                    del known[beginning]
                with self.subTest(page=name, line=block.line):
                    is_run = is_output or block.language in ("sh", "json", "yaml", "swift", *LANGUAGES)
                    self.assertTrue(is_run or reasons, f"nothing runs this block: {block.first}")
            self.assertEqual(known, {}, f"{name} has no such blocks")

    def test_the_daemon_gives_the_replies_that_a_page_shows(self):
        count = 0
        for page, found in self.each_of("json"):
            with Stage.for_logins() as stage:
                connection = stage.connect(stage.admin)
                for block in found:
                    with self.subTest(page=page, line=block.line):
                        count += self.converse(block, stage, connection)
        self.assertGreaterEqual(count, FEWEST_REQUESTS)

    def converse(self, block, stage, connection):
        """Sends the requests of a block, compares the replies, and returns the number of requests."""
        count, reply = 0, None
        for line in block.text.replace("\n ", " ").splitlines():
            if request := REQUEST.fullmatch(line):
                count += 1
                if "everywhere" in line:
                    # Three tokens that this daemon doesn't have.
                    for _ in range(3):
                        stage.tenants["main"].mint("alice")
                (reply,) = connection.ask(json.loads(request[1]))
                self.assertNotIn(reply.get("error"), ("invalid_request", "unsupported_op", "forbidden"), line)
            elif reply is not None:
                printed = json.dumps(reply, separators=(",", ":"), ensure_ascii=False)
                self.assertRegex(printed, pattern(line)[:-1])
            elif members := [member for member in REPLIES if f'"{member}":' in line]:
                _, present = connection.ask({"op": "token", "subject": "alice"}, REPLIES[members[0]])
                self.assertTrue(has_members(present, json.loads(line.replace(", …", ""))), f"{line}\n{present}")
            else:
                self.fail(f"{line} is neither a request nor a known reply")
        return count

    def test_a_daemon_accepts_every_part_of_a_configuration_that_a_page_shows(self):
        count = 0
        for page, found in self.each_of("yaml"):
            for block in found:
                count += 1
                with self.subTest(page=page, line=block.line), tempfile.TemporaryDirectory() as directory:
                    self.assertEqual(self.check_configuration(block.text, pathlib.Path(directory)), "")
        self.assertGreaterEqual(count, FEWEST_SECTIONS)

    def check_configuration(self, text, directory):
        """Returns the faults of a configuration that has this part, whose secrets are there."""
        for credential in {"main-client-secret", *re.findall(r"credential: ([\w-]+)", text)}:
            (directory / credential).write_text(FLEET_KEY if credential == "fleet-key" else "secret")
            (directory / credential).chmod(0o600)
        main = "{ host: 'https://main.example', client_id: main, client_secret: { credential: main-client-secret } }\n"
        if text.startswith("host:"):
            (directory / "tenants").mkdir()
            (directory / "tenants/shop.yaml").write_text(text)
            text = f"tenants_directory: {directory}/tenants\n"
        elif not text.startswith("tenants:"):
            text += f"tenants:\n  main: {main}"
        (directory / "tokencached.yaml").write_text(text)
        command = [PROGRAMS / "tokencached", "--config", directory / "tokencached.yaml", "--check-config"]
        environment = {"CREDENTIALS_DIRECTORY": str(directory)}
        check = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        return check.stderr if check.returncode == 0 else check.stderr + f"status {check.returncode}"

    def test_the_programs_that_a_page_shows_do_what_it_says(self):
        count = 0
        for language in LANGUAGES:
            for page, found in self.each_of(language):
                with Stage.for_logins() as stage:
                    for block in found:
                        count += 1
                        with self.subTest(page=page, line=block.line):
                            self.assertIsNone(snippets.run(block, stage, ROOT, PYTHON, TIMEOUT), block.text)
        self.assertGreaterEqual(count, FEWEST_SNIPPETS)

    def each_of(self, language):
        """Returns the pages with blocks of a language that no other test runs, and these blocks."""
        for page in PAGES:
            name = str(page.relative_to(ROOT))
            elsewhere = tuple(ELSEWHERE.get(name, {}))
            found = [block for block in blocks(page.read_text()) if block.language == language]
            found = [block for block in found if not elsewhere or not block.text.startswith(elsewhere)]
            if found:
                yield name, found

    def the_block(self, page, beginning):
        """Returns the block of a page that begins so."""
        (block,) = (block for block in blocks((ROOT / page).read_text()) if block.text.startswith(beginning))
        return block

    def test_a_record_of_the_audit_trail_looks_as_the_page_says(self):
        shown = json.loads(self.the_block("Documentation/access.md", '{"time":').text)
        with Stage() as stage:
            trail = stage.directory / "audit"
            stage.file.write_text(f"audit: {{ to: {trail} }}\n{stage.file.read_text()}")
            self.assertEqual(stage.connect(stage.admin).ask({"op": "reload"}), [{"reloaded": True}])
            scope = {"scope": "user_default"}
            self.assertIn("access_token", stage.connect().ask({"op": "token", "subject": "alice", **scope})[0])
            minted = wait_for(lambda: [line for line in read_lines(trail) if '"event":"mint"' in line], "a record")
        record = json.loads(minted[0])
        # The peer's members depend on the machine.
        self.assertLessEqual(shown.keys() - {"peer_unit"}, record.keys())
        for member in ("event", "outcome", "cause", "tenant", "subject", "scope_asked", "scope_granted"):
            self.assertEqual(shown[member], record[member])

    def test_the_log_of_a_mint_in_a_trace_looks_as_the_page_says(self):
        shown = self.the_block("Documentation/behaviour.md", "level=info").text.strip()
        trace = re.search(r"trace_id=(\w+)", shown)[1]
        expected = re.sub(r"(milliseconds|span_id)=\w+", r"\1=…", shown)
        with Stage() as stage:
            request = {"op": "token", "subject": "alice", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
            self.assertIn("access_token", stage.connect().ask(request)[0])
            wait_for(
                lambda: re.search(f"{pattern(expected)[:-1]}$", stage.log(), re.MULTILINE), f"{expected} is logged"
            )

    def test_the_log_looks_in_each_format_as_the_page_says(self):
        shown = self.the_block("Documentation/log.md", "2026-").text.strip().split("\n")
        for form, line in zip(("text", "logfmt", "json"), shown, strict=True):
            with self.subTest(format=form), Stage(configuration=f"log: {{ format: {form} }}\n") as stage:
                stage.tenants["main"].end()
                self.assertEqual(stage.connect().ask({"op": "token", "subject": "alice"})[0]["error"], "unavailable")
                wait_until_logged(stage, re.sub(r"\d{4}-[\d:.T-]+Z", "…", line))

    def test_a_drop_in_has_settings_that_systemd_knows(self):
        drop_in = self.the_block("Documentation/systemd.md", "[Service]").text
        unit = (ROOT / "systemd/tokencached.service").read_text()
        for line in drop_in.splitlines()[1:]:
            self.assertRegex(unit, rf"(?m)^{re.escape(line.split('=')[0])}=", line)

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


def has_members(present, shown):
    """True if a reply has all members that a page shows, also in an element of each list.

    Those that depend on the situation may be missing: the `id`, the cursor of a next page, and what is wrong.
    """
    if isinstance(shown, dict) and isinstance(present, dict):
        optional = {"id", "next", "description", "since"}
        members = shown.keys() & present.keys()
        return shown.keys() - optional <= members and all(has_members(present[name], shown[name]) for name in members)
    if isinstance(shown, list):
        return any(has_members(element, shown[0]) for element in present)
    return True


def wait_until_logged(stage, line):
    """Waits until the daemon has logged a line that ends like this one."""
    wait_for(lambda: re.search(pattern(line), stage.log()), f"{line} is logged")


def read_lines(path):
    """Returns the complete lines of a file, which may not exist yet."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


if __name__ == "__main__":
    unittest.main()
