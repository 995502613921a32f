"""The daemon's sandbox, tested by a probe that runs instead of the daemon in its unit."""

import json
import pathlib
import shutil
import sys
import urllib.error
import urllib.request

from machine import (
    SHIPPED_DROP_INS,
    TIMEOUT,
    MachineTestCase,
    ask,
    configure,
    drop_in,
    journal,
    property_of,
    run,
    systemctl,
    token,
)

PROBE = pathlib.Path("/usr/lib/tokencached-probe.py")


class Sandbox(MachineTestCase):
    def probe(self):
        """Runs the probe in the unit, and returns its findings."""
        shutil.copyfile(pathlib.Path(__file__).with_name("probe.py"), PROBE)
        self.addCleanup(PROBE.unlink)
        python = pathlib.Path(sys.executable).resolve()
        drop_in(
            "probe",
            f"[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart={python} -I {PROBE}\nExecPaths={python}\n",
        )
        run("systemctl", "start", "tokencached.service")
        for entry in journal("_SYSTEMD_UNIT=tokencached.service", since=self.began):
            if str(entry["MESSAGE"]).startswith("probe "):
                return json.loads(entry["MESSAGE"][6:])
        raise AssertionError("the probe has printed nothing")

    def test_forbidden_actions_fail_and_foreign_files_are_hidden(self):
        seen = self.probe()
        for directory, result in seen["write"].items():
            self.assertIn(result, ("EROFS", "EACCES", "EPERM", "ENOENT"), directory)
        for family, result in seen["family"].items():
            self.assertEqual(result, "EAFNOSUPPORT", family)
        for family, result in seen["allowed_family"].items():
            self.assertEqual(result, "done", family)
        for path, result in seen["read"].items():
            self.assertIn(result, ("EACCES", "ENOENT", "EPERM"), path)
        for action in ("unshare", "mount", "ptrace", "setuid", "realtime", "writable_code", "setuid_file"):
            self.assertIn(seen[action], ("EPERM", "EACCES"), action)
        self.assertEqual(seen["execute"], "EACCES")
        self.assertEqual(seen["processes"], [])
        self.assertNotIn("kmsg", seen["devices"])
        self.assertEqual((seen["NoNewPrivs"], seen["Seccomp"]), ("1", "2"))
        self.assertEqual((int(seen["CapEff"], 16), int(seen["CapBnd"], 16)), (0, 0))
        self.assertEqual(seen["core"], 0)
        self.assertNotEqual(seen["uid"], 0)

    def test_the_daemon_itself_runs_like_that(self):
        token(self.subject())
        lines = pathlib.Path(f"/proc/{property_of('MainPID')}/status").read_text().splitlines()
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"))
        self.assertEqual(int(fields["CapEff"], 16), 0)
        self.assertNotIn("0", fields["Uid"].split())


class DropIns(MachineTestCase):
    def shipped(self, name, **changes):
        text = (SHIPPED_DROP_INS / f"{name}.conf").read_text()
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        drop_in(name, text)

    def test_a_root_of_its_own_and_addresses(self):
        self.shipped("own-root")
        self.shipped("addresses")
        self.assertEqual(token(self.subject())["source"], "tenant")
        root = pathlib.Path(f"/proc/{property_of('MainPID')}/root")
        self.assertFalse((root / "packages").exists())
        with self.no_mint():
            systemctl("restart", "tokencached.service")
            self.assertEqual(token(self.subject())["source"], "cache")

    def test_a_reload_from_a_root_of_its_own(self):
        self.shipped("own-root")
        token(self.subject())
        configure(settings="log: { level: debug }")
        systemctl("reload", "tokencached.service")
        configure(settings="log: { level: loud }")
        self.assertNotEqual(systemctl("reload", "tokencached.service", check=False).returncode, 0)
        systemctl("stop", "tokencached.service")
        outcomes = [
            record["TOKENCACHED_OUTCOME"]
            for record in journal("TOKENCACHED_EVENT=reload", "_SYSTEMD_UNIT=tokencached.service", since=self.began)
        ]
        self.assertEqual(outcomes, ["done", "invalid_configuration"], "the journal can be reached from there")
        run("dpkg", "--remove", "tokencached")
        left = pathlib.Path("/usr/lib/tokencached")
        self.assertFalse(left.exists(), "what systemd created there is removed with the package")

    def test_an_address_that_is_not_allowed_is_not_reached(self):
        self.shipped("addresses", localhost="")
        self.assertEqual(ask({"op": "token", "subject": self.subject(), "timeout": 1})["error"], "timeout")

    def metrics(self, port):
        """Returns the status of the page of the metrics, or None if nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT) as reply:
                return reply.status
        except urllib.error.URLError:
            return None

    def listen(self, port):
        configure(settings=f"metrics: {{ listen: 127.0.0.1:{port} }}")
        return systemctl("reload", "tokencached.service", check=False).returncode

    def test_metrics_are_served_from_the_shipped_sandbox_and_with_all_restrictions(self):
        token(self.subject())
        self.assertEqual(self.listen(9464), 0)
        self.assertEqual(self.metrics(9464), 200)
        self.shipped("own-root")
        self.shipped("addresses")
        systemctl("restart", "tokencached.service")
        self.assertEqual(self.listen(9465), 0)
        self.assertEqual(self.metrics(9465), 200)

    def test_no_other_port_than_that_of_the_metrics_can_be_listened_on(self):
        binds = "import socket; socket.socket().bind(('127.0.0.1', 0))"
        probe = ["systemd-run", "--quiet", "--wait", "--property=SocketBindDeny=any", "/usr/bin/python3", "-c", binds]
        if run(*probe, check=False).returncode == 0:
            self.skipTest("this kernel or container lets no manager restrict ports")
        self.shipped("metrics-port")
        self.assertEqual(token(self.subject())["source"], "tenant")
        self.assertEqual(self.listen(9464), 0)
        self.assertNotEqual(self.listen(9465), 0)
        self.assertEqual((self.metrics(9464), self.metrics(9465)), (200, None))

    def test_an_older_systemd_accepts_the_settings_of_254(self):
        self.shipped("systemd-254")
        self.assertEqual(token(self.subject())["source"], "tenant")
