"""The daemon in one container and an application in another, as Documentation/containers.md describes them."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

WORK = pathlib.Path(os.environ["WORK"])
ROOT = WORK / "root"
PROGRAMS = pathlib.Path(os.environ["TOKENCACHED_PROGRAMS"])
PAGE = pathlib.Path(__file__).parents[2] / "Documentation/containers.md"
TIMEOUT = 30
"""The seconds that anything may take that should take less than one."""

# The numbers of the page.
DAEMON, APPLICATION, GROUP = 10001, 20001, 10002

ASK = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/tokencached/tokencached.sock")
connection.sendall(sys.argv[1].encode() + b"\\n")
print(connection.makefile().readline())
"""


def page_configuration(host):
    """Returns the configuration on the page, for another tenant and client."""
    text = re.search(r"```yaml\n(sockets:.*?)```", PAGE.read_text(), re.DOTALL)[1]
    for key, value in (("host", host), ("client_id", "client")):
        text, count = re.subn(rf"^( +{key}: ).*$", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert count == 1, key
    return text


class Container:
    """A container with this machine's files, all of them read-only, and some mounts."""

    _numbers = itertools.count()

    def __init__(self, name, user, groups, mounts, arguments):
        self.name = f"{name}-{os.getpid()}-{next(self._numbers)}"
        self.user = user
        self.bundle = WORK / self.name
        self.bundle.mkdir()
        standard = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
            {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        ]
        bound = [
            {"destination": target, "type": "bind", "source": str(source), "options": ["bind", mode]}
            for target, (source, mode) in mounts.items()
        ]
        settings = {
            "ociVersion": "1.0.2",
            "root": {"path": str(ROOT), "readonly": True},
            "process": {
                "user": {"uid": user, "gid": user, "additionalGids": groups},
                "args": arguments,
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "cwd": "/",
                "noNewPrivileges": True,
                "capabilities": {},
            },
            "mounts": standard + bound,
            # The network is the pod's.
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]},
        }
        (self.bundle / "config.json").write_text(json.dumps(settings))
        with open(self.bundle / "log", "w") as log:
            self.process = subprocess.Popen(
                self.crun("run", "--bundle", str(self.bundle), self.name), stdout=log, stderr=log
            )

    def crun(self, *arguments):
        return ["crun", "--root", str(WORK / "state"), "--cgroup-manager", "disabled", *arguments]

    def execute(self, *command):
        """Runs a command in the container, as an operator or a probe would."""
        user = f"{self.user}:{self.user}"
        return subprocess.run(
            self.crun("exec", "--user", user, self.name, *command),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def signal(self, name):
        subprocess.run(self.crun("kill", self.name, name), check=True)

    def output(self):
        return (self.bundle / "log").read_text()

    def end(self):
        if self.process.poll() is None:
            subprocess.run(self.crun("delete", "--force", self.name), check=False, capture_output=True)
        self.process.wait(TIMEOUT)


class Sidecar(unittest.TestCase):
    def setUp(self):
        self.directory = WORK / "pod"
        self.directory.mkdir()
        self.addCleanup(shutil.rmtree, self.directory)
        self.start_tenant()
        for name in ("socket", "configuration", "secret"):
            (self.directory / name).mkdir()
        # As `fsGroup` leaves them.
        for name in ("socket", "secret"):
            os.chown(self.directory / name, 0, GROUP)
        (self.directory / "socket").chmod(0o2770)
        (self.directory / "admin").mkdir(mode=0o700)
        os.chown(self.directory / "admin", DAEMON, DAEMON)
        (self.directory / "configuration/tokencached.yaml").write_text(page_configuration(self.tenant))
        secret = self.directory / "secret/main-client-secret"
        secret.write_text("s3cret")
        os.chown(secret, 0, GROUP)
        secret.chmod(0o440)
        self.daemon = self.start_daemon()

    def start_tenant(self):
        ready = self.directory / "tenant"
        tenant = subprocess.Popen(
            [PROGRAMS / "standin-tenant", "--client-id", "client", "--client-secret", "s3cret", "--ready-file", ready],
            stdout=subprocess.DEVNULL,
        )
        self.addCleanup(tenant.wait, TIMEOUT)
        self.addCleanup(tenant.kill)
        self.until(ready.exists)
        self.tenant = ready.read_text().strip()

    def start_daemon(self):
        mounts = {
            "/run/tokencached": (self.directory / "socket", "rw"),
            "/run/tokencached-admin": (self.directory / "admin", "rw"),
            "/etc/tokencached": (self.directory / "configuration", "ro"),
            "/run/secrets/tokencached": (self.directory / "secret", "ro"),
        }
        daemon = Container("daemon", DAEMON, [GROUP], mounts, ["/usr/sbin/tokencached"])
        self.addCleanup(daemon.end)
        # This is the startup probe of the page.
        self.until(lambda: daemon.execute("tokencachectl", "stats").returncode == 0, daemon)
        return daemon

    def until(self, condition, container=None):
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            output = container.output() if container else ""
            self.assertLess(time.monotonic(), deadline, output)

    def ask(self, request, user=APPLICATION, groups=(GROUP,)):
        """Makes a request from an application's container, and returns None if it can't connect."""
        mounts = {"/run/tokencached": (self.directory / "socket", "ro")}
        command = ["/usr/bin/python3", "-c", ASK, json.dumps(request)]
        application = Container("application", user, list(groups), mounts, command)
        try:
            status = application.process.wait(TIMEOUT)
            return json.loads(application.output()) if status == 0 else None
        finally:
            application.end()

    def test_an_application_asks_across_the_shared_volume(self):
        self.assertEqual(self.ask({"op": "token", "subject": "ann"})["source"], "tenant")
        self.assertEqual(self.ask({"op": "token", "subject": "ann"})["source"], "cache")
        records = [json.loads(line) for line in self.daemon.output().splitlines() if line.startswith("{")]
        self.assertEqual([(record["subject"], record["peer_uid"]) for record in records], [("ann", APPLICATION)])

    def test_an_application_outside_the_group_cannot_connect(self):
        self.assertIsNone(self.ask({"op": "hello"}, groups=()))

    def test_probes_and_operators_run_commands_by_exec(self):
        health = self.daemon.execute("tokencachectl", "health")
        self.assertEqual((health.returncode, health.stdout), (0, "ok\n"))
        self.assertEqual(self.daemon.execute("tokencachectl", "reload").returncode, 0)
        self.assertEqual(self.daemon.execute("tokencachectl", "stats").returncode, 0)

    def test_it_logs_once_that_tokens_end_with_it(self):
        self.assertEqual(self.daemon.output().count("tokens don't survive a restart"), 1)

    def test_it_ends_by_sigterm_and_can_be_replaced(self):
        self.daemon.signal("TERM")
        self.assertEqual(self.daemon.process.wait(TIMEOUT), 0)
        self.assertEqual(list((self.directory / "socket").glob("*.sock")), [])
        self.daemon = self.start_daemon()
        self.assertEqual(self.ask({"op": "token", "subject": "ann"})["source"], "tenant")
