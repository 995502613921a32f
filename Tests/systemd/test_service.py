"""The units: activation, readiness, reload, failures, credentials and the journal."""

import json
import os
import pathlib
import re
import stat

from freeze import frozen_loop
from machine import (
    ADMIN,
    CONFIGURATION,
    REQUESTS,
    SECRET,
    SHIPPED_DROP_INS,
    SOCKETS,
    MachineTestCase,
    ask,
    configure,
    connect,
    drop_in,
    entries,
    journal,
    kill_daemon,
    property_of,
    run,
    systemctl,
    token,
)


class Activation(MachineTestCase):
    def test_the_first_request_starts_the_daemon(self):
        self.assertEqual(property_of("ActiveState"), "inactive")
        self.assertEqual(token(self.subject())["source"], "tenant")
        systemctl("start", "tokencached.service")
        self.assertEqual(property_of("ActiveState"), "active")

    def test_the_first_operator_starts_the_daemon(self):
        self.assertEqual(property_of("ActiveState"), "inactive")
        self.assertEqual(entries(), 0)
        # The answer may come before systemd has read that the daemon is ready. This waits for it.
        systemctl("start", "tokencached.service")
        self.assertEqual(property_of("ActiveState"), "active")

    def test_starting_the_service_starts_its_sockets(self):
        systemctl("stop", *SOCKETS)
        systemctl("start", "tokencached.service")
        for unit in SOCKETS:
            self.assertEqual(property_of("ActiveState", unit), "active")
        self.assertEqual(entries(), 0)

    def test_stopping_the_sockets_stops_the_daemon_and_removes_them(self):
        token(self.subject())
        systemctl("stop", *SOCKETS)
        self.assertEqual(property_of("ActiveState"), "inactive")
        for path in (REQUESTS, ADMIN):
            self.assertFalse(os.path.exists(path))

    def test_modes_and_owners(self):
        for path, mode, group in ((REQUESTS, 0o660, "tokencached-clients"), (ADMIN, 0o600, "root")):
            found = pathlib.Path(path)
            self.assertTrue(found.is_socket())
            self.assertEqual((stat.S_IMODE(found.stat().st_mode), found.owner(), found.group()), (mode, "root", group))
            self.assertEqual((stat.S_IMODE(found.parent.stat().st_mode), found.parent.owner()), (0o755, "root"))

    def test_only_members_of_the_group_may_connect(self):
        request = json.dumps({"op": "hello"})
        script = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(sys.argv[2].encode() + b'\\n'); print(s.makefile().readline())"
        )
        for groups, path, status in (
            ("tokencached-clients", REQUESTS, 0),
            ("nogroup", REQUESTS, 1),
            ("tokencached-clients", ADMIN, 1),
        ):
            command = ("setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={groups}", "python3", "-c", script)
            result = run(*command, path, request, check=False)
            self.assertEqual(result.returncode, status, f"{groups} at {path}: {result.stderr}")

    def test_verify_finds_no_fault_in_the_installed_units(self):
        result = run("systemd-analyze", "verify", "--man=no", "tokencached.service", *SOCKETS, check=False)
        self.assertEqual(result.stdout + result.stderr, "")


class Readiness(MachineTestCase):
    def test_it_is_started_once_it_serves(self):
        systemctl("start", "tokencached.service")
        process = pathlib.Path("/proc", property_of("MainPID"))
        # An event loop polls both sockets, which systemd hands over as the first descriptors.
        waited_for = {
            int(number)
            for number in (file.name for file in (process / "fd").iterdir() if "eventpoll" in os.readlink(file))
            for number in re.findall(r"^tfd: +(\d+)", (process / "fdinfo" / number).read_text(), re.MULTILINE)
        }
        self.assertLessEqual({3, 4}, waited_for)
        self.assertEqual(property_of("NRestarts"), "0")

    def test_the_status_line_tells_tokens_and_tenants(self):
        token(self.subject())
        systemctl("reload", "tokencached.service")
        self.assertRegex(property_of("StatusText"), r"^\d+ tokens, 0 mints under way; tenants: main well$")

    def test_a_daemon_that_cannot_serve_is_never_ready_and_its_socket_outlives_it(self):
        CONFIGURATION.write_text("tenants: 7\n")
        result = systemctl("start", "tokencached.service", check=False)
        self.assertNotEqual(result.returncode, 0)
        connections = [connect(REQUESTS) for _ in range(40)]
        for unit in SOCKETS:
            self.assertEqual(property_of("ActiveState", unit), "active")
        configure()
        for connection in connections:
            with connection, connection.makefile("rb") as replies:
                connection.sendall(b'{"op":"hello"}\n')
                self.assertIn(b'"tenants"', replies.readline())

    def test_a_missing_secret_is_reported_and_the_request_waits_for_it(self):
        SECRET.unlink()
        with connect(REQUESTS) as connection, connection.makefile("rb") as replies:
            connection.sendall(json.dumps({"op": "token", "subject": self.subject()}).encode() + b"\n")
            self.assertNotEqual(systemctl("start", "tokencached.service", check=False).returncode, 0)
            messages = [str(entry["MESSAGE"]) for entry in journal("_COMM=tokencached", since=self.began)]
            where = "tokencached.yaml:3: tenants.main.client_secret"
            self.assertTrue(any(where in message for message in messages), messages)
            SECRET.write_text("s3cret")
            SECRET.chmod(0o600)
            self.assertIn(b"access_token", replies.readline())

    def test_a_tenant_that_is_down_does_not_end_the_daemon(self):
        systemctl("stop", "standin-tenant.service")
        self.assertEqual(ask({"op": "token", "subject": self.subject(), "timeout": 1})["error"], "unavailable")
        self.assertEqual(property_of("ActiveState"), "active")
        self.assertEqual(property_of("NRestarts"), "0")


class Reload(MachineTestCase):
    def test_it_returns_once_the_new_configuration_is_in_force(self):
        token(self.subject())
        process = property_of("MainPID")
        for number in range(5):
            tenant = 'host: "http://127.0.0.1:9", client_id: c, client_secret: { credential: main-client-secret }'
            line = f"  more{number}: {{ {tenant} }}"
            configure(tenants=line, settings="default_tenant: main")
            systemctl("reload", "tokencached.service")
            self.assertEqual(sorted(ask({"op": "hello"})["tenants"]), ["main", f"more{number}"])
        self.assertEqual(property_of("MainPID"), process)

    def test_it_fails_with_an_invalid_configuration_and_the_old_one_stays(self):
        token(self.subject())
        CONFIGURATION.write_text("tenants: 7\n")
        result = systemctl("reload", "tokencached.service", check=False)
        self.assertNotEqual(result.returncode, 0)
        with self.no_mint():
            self.assertEqual(token(self.subject())["source"], "cache")
        messages = [entry["MESSAGE"] for entry in journal("--unit=tokencached", since=self.began)]
        self.assertTrue(any("tenants" in str(message) for message in messages), messages)

    def test_sighup_is_a_reload_too(self):
        token(self.subject())
        configure(settings="log: { level: debug }")
        systemctl("kill", "--kill-who=main", "--signal=SIGHUP", "tokencached.service")
        systemctl("reload", "tokencached.service")
        self.assertEqual(token(self.subject())["source"], "cache")


class Failures(MachineTestCase):
    def test_a_stuck_loop_of_the_tenants_is_killed(self):
        drop_in("watchdog", "[Service]\nWatchdogSec=1s\n")
        first = token(self.subject())
        with connect(REQUESTS) as idle, self.no_mint():
            with frozen_loop(int(property_of("MainPID")), 1):
                # Hits are still served, but no new token would ever arrive.
                self.assertEqual(token(self.subject())["access_token"], first["access_token"])
                self.assertEqual(idle.recv(1), b"", "the daemon's end closes it")
            self.assertEqual(token(self.subject())["access_token"], first["access_token"])
        self.assertEqual(property_of("NRestarts"), "1")

    def test_a_drain_may_take_longer_than_the_watchdog_allows(self):
        drop_in("watchdog", "[Service]\nWatchdogSec=1s\n")
        with connect(REQUESTS) as connection, connection.makefile("rb") as replies:
            slow = {"op": "token", "subject": f"after-4000+ok:{self.subject()}", "id": 1}
            connection.sendall(json.dumps(slow).encode() + b'\n{"op":"hello","id":2}\n')
            self.assertEqual(json.loads(replies.readline())["id"], 2)
            systemctl("restart", "tokencached.service")
            self.assertIn("access_token", json.loads(replies.readline()))
        self.assertEqual(property_of("NRestarts"), "0")
        with self.no_mint():
            self.assertEqual(token(slow["subject"])["source"], "cache")

    def test_a_stuck_loop_is_killed_and_the_daemon_restarted(self):
        drop_in("watchdog", "[Service]\nWatchdogSec=1s\n")
        systemctl("start", "tokencached.service")
        first = token(self.subject())
        with self.no_mint(), frozen_loop(int(property_of("MainPID"))):
            # The request waits in the socket, and the next daemon answers it.
            self.assertEqual(token(self.subject())["access_token"], first["access_token"])
        self.assertEqual(property_of("NRestarts"), "1")
        messages = [str(entry["MESSAGE"]) for entry in journal("UNIT=tokencached.service", since=self.began)]
        self.assertTrue(any("Watchdog timeout" in message for message in messages), messages)

    def test_kill_9_costs_no_token(self):
        first = token(self.subject())
        with self.no_mint():
            kill_daemon()
            self.assertEqual(token(self.subject())["access_token"], first["access_token"])
        self.assertEqual(property_of("NRestarts"), "1")

    def test_no_limit_of_starts_ever_closes_the_sockets(self):
        # More starts than the 5 in 10 s of systemd's default limit, and fewer than the 20 in 2 s after which it takes a
        # socket for one that nobody serves (TriggerLimitBurst=).
        for _ in range(8):
            entries()
            kill_daemon()
        for _ in range(8):
            entries()
            systemctl("stop", "tokencached.service")
        self.assertEqual(entries(), 0)
        for unit in SOCKETS:
            self.assertEqual(property_of("ActiveState", unit), "active")


class Credentials(MachineTestCase):
    def test_the_secret_is_readable_for_root_and_the_daemon_alone(self):
        token(self.subject())
        self.assertEqual(stat.S_IMODE(SECRET.stat().st_mode), 0o600)
        self.assertNotEqual(int(property_of("UID")), 0)

    def test_an_encrypted_secret(self):
        encrypted = pathlib.Path("/etc/tokencached/main-client-secret.cred")
        self.addCleanup(encrypted.unlink, missing_ok=True)
        run("systemd-creds", "encrypt", "--name=main-client-secret", "--with-key=host", str(SECRET), str(encrypted))
        SECRET.unlink()
        drop_in("encrypted-secret", (SHIPPED_DROP_INS / "encrypted-secret.conf").read_text())
        self.assertNotIn(b"s3cret", encrypted.read_bytes())
        self.assertEqual(token(self.subject())["source"], "tenant")


class Journal(MachineTestCase):
    def test_refusals_do_not_crowd_out_the_audit_trail(self):
        configure(settings="access: [{ users: [root], subjects: ['*'], operations: [token] }]")
        with connect(REQUESTS) as connection, connection.makefile("rb") as replies:
            line = json.dumps({"op": "prefetch", "subjects": ["x"], "tenant": "y" * 1000}).encode() + b"\n"
            for _ in range(64):
                connection.sendall(line * 500)
                for _ in range(500):
                    self.assertEqual(json.loads(replies.readline())["error"], "forbidden")
        token(self.subject())
        self.assertEqual(ask({"op": "flush"}, ADMIN)["flushed"], 1)
        systemctl("restart", "tokencached.service")
        records = journal("MESSAGE_ID=8ef0e71883da49b1bc1a87e3e039ddb2", since=self.began)
        refusals = [entry for entry in records if entry["TOKENCACHED_EVENT"] == "refusal"]
        counted = sum(int(entry.get("TOKENCACHED_COUNT", 1)) for entry in refusals)
        self.assertEqual(counted, 32_000)
        self.assertLess(len(refusals), 20)
        events = [entry["TOKENCACHED_EVENT"] for entry in records]
        self.assertEqual(events.count("flush"), 1)
        self.assertTrue(any(entry.get("TOKENCACHED_SUBJECT") == self.subject() for entry in records))
        self.assertNotIn("loss", events)

    def test_the_shipped_drop_in_makes_a_directory_for_an_audit_file(self):
        drop_in("audit-file", (SHIPPED_DROP_INS / "audit-file.conf").read_text())
        configure(settings="audit: { to: /var/log/tokencached/audit.jsonl }")
        token(self.subject())
        systemctl("stop", "tokencached.service")
        lines = pathlib.Path("/var/log/tokencached/audit.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["event"] for line in lines], ["mint"])

    def test_the_audit_trail_has_fields_to_search_by(self):
        token(self.subject())
        records = [
            entry
            for entry in journal("TOKENCACHED_EVENT=mint", since=self.began)
            if entry.get("TOKENCACHED_SUBJECT") == self.subject()
        ]
        self.assertEqual(len(records), 1)
        record = records[0]
        self.assertEqual(record["_SYSTEMD_UNIT"], "tokencached.service")
        self.assertEqual(record["TOKENCACHED_PEER_UID"], "0")
        self.assertEqual(len(record["MESSAGE_ID"]), 32)

    def test_the_log_has_fields_to_search_by(self):
        token(self.subject())
        systemctl("stop", "standin-tenant.service")
        for number in range(20):
            reply = ask({"op": "token", "subject": f"{self.subject()}{number}", "timeout": 1})
            self.assertEqual(reply["error"], "unavailable")
        # All lines are written by then.
        systemctl("stop", "tokencached.service")
        entries = journal("TOKENCACHED_EVENT=outage_began", since=self.began)
        self.assertEqual(len(entries), 1, "one record, however many callers there are")
        entry = entries[0]
        self.assertEqual(entry["_SYSTEMD_UNIT"], "tokencached.service")
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "tokencached")
        self.assertEqual(entry["MESSAGE_ID"], "687ca787e09d4fea9a68a6deaba000fe")
        self.assertEqual(entry["PRIORITY"], "3")
        self.assertEqual(entry["TOKENCACHED_TENANT"], "main")
        self.assertEqual(entry["TOKENCACHED_CODE"], "connection_refused")
        self.assertRegex(entry["MESSAGE"], "^calls to the tenant fail code=connection_refused ")

    def test_an_operator_sets_the_level_of_the_log_for_a_while(self):
        token(self.subject())
        self.assertEqual(ask({"op": "log_level", "level": "debug", "for": 1}, ADMIN), {"level": "debug", "for": 1})
        token(self.subject() + "2")
        systemctl("stop", "tokencached.service")
        self.assertTrue(journal("TOKENCACHED_OUTCOME=minted", "PRIORITY=7", since=self.began))
        records = journal("TOKENCACHED_EVENT=log_level", since=self.began)
        self.assertEqual([record["TOKENCACHED_LEVEL"] for record in records], ["debug"])

    def test_no_record_holds_a_token_or_the_secret(self):
        given = token(self.subject())["access_token"]
        systemctl("restart", "tokencached.service")
        text = run("journalctl", "--no-pager", "--output=export", f"--since=@{self.began}").stdout
        # The stand-in tenant's records have its command line with the secret.
        records = [record for record in text.split("\n\n") if "standin-tenant" not in record]
        self.assertTrue(any("tokencached.service" in record for record in records))
        for record in records:
            self.assertFalse(given in record or "s3cret" in record, "a record holds a token or the secret")
