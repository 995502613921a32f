"""Users of a directory service in the access rules: libnss-extrausers, whose files are in /var/lib."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from machine import (
    ADMIN,
    REQUESTS,
    SHIPPED_DROP_INS,
    TIMEOUT,
    MachineTestCase,
    ask,
    configure,
    drop_in,
    property_of,
    run,
    systemctl,
)

FILES = pathlib.Path("/var/lib/extrausers")
NSSWITCH = pathlib.Path("/etc/nsswitch.conf")
KNOWN, UNKNOWN = 47001, 47002
RULES = "access: [{ users: [ldapapp] }, { users: ['*'], subjects: ['*'] }]"
CLIENT = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(30)
connection.connect(sys.argv[1])
connection.sendall(sys.argv[2].encode() + b"\\n")
print(connection.makefile().readline())
"""


class Names(MachineTestCase):
    def setUp(self):
        super().setUp()
        switch = NSSWITCH.read_text()
        self.addCleanup(NSSWITCH.write_text, switch)
        lines = [line for line in switch.splitlines() if not line.startswith(("passwd:", "group:"))]
        NSSWITCH.write_text("\n".join([*lines, "passwd: files extrausers", "group: files extrausers", ""]))
        shutil.rmtree(FILES, ignore_errors=True)
        FILES.mkdir()
        self.addCleanup(shutil.rmtree, FILES, ignore_errors=True)
        configure(settings=RULES)

    def fill(self):
        (FILES / "group").write_text(f"ldapapp:x:{KNOWN}:\n")
        (FILES / "passwd").write_text(f"ldapapp:x:{KNOWN}:{KNOWN}::/nonexistent:/usr/sbin/nologin\n")

    def gets_token(self, user):
        """Returns true if a process of a user gets a token."""
        request = json.dumps({"op": "token", "subject": self.subject()})
        output = subprocess.run(
            [sys.executable, "-c", CLIENT, REQUESTS, request],
            user=user,
            group=user,
            extra_groups=[],
            env={"PATH": os.environ["PATH"]},
            check=True,
            text=True,
            capture_output=True,
            timeout=TIMEOUT,
        ).stdout
        reply = json.loads(output)
        if "access_token" not in reply:
            self.assertEqual(reply["error"], "forbidden", reply)
        return "access_token" in reply

    def open_socket(self):
        systemctl("start", "tokencached.socket")
        os.chmod(REQUESTS, 0o666)

    def test_the_unit_sees_a_name_of_a_directory_service(self):
        self.fill()
        self.open_socket()
        self.assertFalse(self.gets_token(KNOWN), "the first rule gives ldapapp nothing")
        self.assertTrue(self.gets_token(UNKNOWN))
        self.assertEqual(ask({"op": "health"}, ADMIN)["status"], "ok")

    def test_rights_stay_closed_until_a_late_name_is_found(self):
        self.open_socket()
        self.assertFalse(self.gets_token(KNOWN))
        self.assertFalse(self.gets_token(UNKNOWN))
        self.assertTrue(self.gets_token(0), "root has another name")
        self.assertEqual(ask({"op": "health"}, ADMIN)["status"], "degraded")
        self.fill()
        deadline = time.monotonic() + 2 * TIMEOUT
        while ask({"op": "health"}, ADMIN)["status"] != "ok":
            self.assertLess(time.monotonic(), deadline, "the name was never found")
        self.assertFalse(self.gets_token(KNOWN))
        self.assertTrue(self.gets_token(UNKNOWN))
        self.assertEqual(property_of("NRestarts"), "0")


class Units(MachineTestCase):
    """Rules by the systemd unit of a peer."""

    def ask_in_unit(self, unit):
        """Requests a token in a service of this name, and returns the reply."""
        request = json.dumps({"op": "token", "subject": self.subject()})
        script = f"/run/{unit}.py"
        pathlib.Path(script).write_text(CLIENT)
        command = [sys.executable, script, REQUESTS, request]
        output = run("systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--unit={unit}", *command).stdout
        return json.loads(output)

    def test_a_rule_by_units_gives_nothing_where_the_daemon_cannot_see_them(self):
        configure(settings="access: [{ units: [shop.service], subjects: ['*'] }, { users: ['*'] }]")
        self.assertEqual(self.ask_in_unit("shop")["error"], "forbidden")
        health = ask({"op": "health"}, ADMIN)
        self.assertEqual(health["status"], "degraded")
        check = next(check for check in health["checks"] if check["check"] == "access")
        self.assertIn("access[0]", check["description"])

    def test_a_rule_by_units_applies_where_the_daemon_sees_them(self):
        drop_in("peer-units", (SHIPPED_DROP_INS / "peer-units.conf").read_text())
        configure(settings="access: [{ units: [shop.service], subjects: ['*'] }, { users: ['*'] }]")
        self.assertIn("access_token", self.ask_in_unit("shop"))
        self.assertEqual(self.ask_in_unit("other")["error"], "forbidden")
        self.assertEqual(ask({"op": "health"}, ADMIN)["status"], "ok")
