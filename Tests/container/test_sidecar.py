"""The daemon's image in one container and an application in another, as Config/kubernetes/sidecar.yaml has them."""

import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import yaml

WORK = pathlib.Path(os.environ["WORK"])
MACHINE = WORK / "root"
IMAGE = WORK / "image"
PROGRAMS = pathlib.Path(os.environ["TOKENCACHED_PROGRAMS"])
MANIFEST = pathlib.Path(__file__).parents[2] / "Config/kubernetes/sidecar.yaml"
TIMEOUT = 30
"""The seconds that anything may take that should take less than one."""

# The numbers of the manifest.
DAEMON, APPLICATION, GROUP = 10001, 20001, 10002

ASK = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/tokencached/tokencached.sock")
connection.sendall(sys.argv[1].encode() + b"\\n")
print(connection.makefile().readline())
"""


def configuration(host, port):
    """Returns the configuration of the manifest, for another tenant, client and port."""
    objects = {document["kind"]: document for document in yaml.safe_load_all(MANIFEST.read_text())}
    text = objects["ConfigMap"]["data"]["tokencached.yaml"]
    for pattern, value in ((r"^( +host: ).*$", host), (r"^( +client_id: ).*$", "client"), (r"(0\.0\.0\.0:)9464", port)):
        text, count = re.subn(pattern, rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert count == 1, pattern
    return text


def image_process():
    """Returns what the image says about its process: the user, the command and the environment."""
    return json.loads((IMAGE / "config.json").read_text())["process"]


class Container:
    """A container with a read-only root and some mounts."""

    _numbers = itertools.count()

    def __init__(self, name, root, process, groups, mounts):
        self.name = f"{name}-{os.getpid()}-{next(self._numbers)}"
        self.user = process["user"]["uid"]
        self.bundle = WORK / self.name
        self.bundle.mkdir()
        standard = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
        ]
        # This machine's own /run must not be seen. The image has every directory that is mounted on.
        if root == MACHINE:
            standard.append({"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
        bound = [
            {"destination": target, "type": "bind", "source": str(source), "options": ["bind", mode]}
            for target, (source, mode) in mounts.items()
        ]
        settings = {
            "ociVersion": "1.0.2",
            "root": {"path": str(root), "readonly": True},
            "process": {
                "user": {**process["user"], "additionalGids": groups},
                "args": process["args"],
                "env": process["env"],
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
        self.port = self.reserve_port()
        (self.directory / "configuration/tokencached.yaml").write_text(configuration(self.tenant, self.port))
        secret = self.directory / "secret/main-client-secret"
        secret.write_text("s3cret")
        os.chown(secret, 0, GROUP)
        secret.chmod(0o440)
        self.daemon = self.start_daemon()

    def reserve_port(self):
        """Returns a port that nobody else gets from the kernel, and that the daemon can listen on."""
        reservation = socket.socket()
        self.addCleanup(reservation.close)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(("127.0.0.1", 0))
        return reservation.getsockname()[1]

    def get(self, page):
        """Returns the status and the text of a page, or None if nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=TIMEOUT) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError:
            return None

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
        daemon = Container("daemon", IMAGE / "rootfs", image_process(), [GROUP], mounts)
        self.addCleanup(daemon.end)
        # These are the probes of the manifest.
        for page in ("/healthz", "/readyz"):
            self.until(lambda page=page: (self.get(page) or [0])[0] == 200, daemon)
        return daemon

    def until(self, condition, container=None):
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            output = container.output() if container else ""
            self.assertLess(time.monotonic(), deadline, output)

    def ask(self, request, user=APPLICATION, groups=(GROUP,)):
        """Makes a request from an application's container, and returns None if it can't connect."""
        mounts = {"/run/tokencached": (self.directory / "socket", "ro")}
        process = {
            "user": {"uid": user, "gid": user},
            "args": ["/usr/bin/python3", "-c", ASK, json.dumps(request)],
            "env": ["PATH=/usr/bin"],
        }
        application = Container("application", MACHINE, process, list(groups), mounts)
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

    def test_the_image_runs_as_a_user_without_rights_and_has_no_shell(self):
        process = image_process()
        self.assertEqual((process["user"]["uid"], process["user"]["gid"]), (DAEMON, DAEMON))
        self.assertEqual(process["args"], ["/usr/sbin/tokencached", "--config", "/etc/tokencached/tokencached.yaml"])
        programs = [path.name for name in ("bin", "sbin") for path in (IMAGE / "rootfs/usr" / name).iterdir()]
        self.assertEqual(sorted(programs), ["tokencachectl", "tokencached"])
        self.assertNotEqual(self.daemon.execute("sh", "-c", "true").returncode, 0)

    def test_metrics_are_served_to_prometheus(self):
        self.ask({"op": "token", "subject": "ann"})
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn("tokencached_entries 1\n", text)

    def test_it_logs_once_that_tokens_end_with_it(self):
        self.assertEqual(self.daemon.output().count("tokens don't survive a restart"), 1)

    def test_it_ends_by_sigterm_and_can_be_replaced(self):
        self.daemon.signal("TERM")
        self.assertEqual(self.daemon.process.wait(TIMEOUT), 0)
        self.assertEqual(list((self.directory / "socket").glob("*.sock")), [])
        self.daemon = self.start_daemon()
        self.assertEqual(self.ask({"op": "token", "subject": "ann"})["source"], "tenant")
