"""The package: its installation, upgrades and removal."""

import os
import pathlib
import shutil
import tempfile

from machine import (
    ADMIN,
    PACKAGE,
    REQUESTS,
    SOCKETS,
    MachineTestCase,
    entries,
    install,
    property_of,
    run,
    systemctl,
    token,
)
from test_restarts import Load


class Package(MachineTestCase):
    def another_version(self, version):
        """Builds the same package under another version."""
        directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, directory)
        run("dpkg-deb", "--raw-extract", PACKAGE, str(directory / "tree"))
        control = directory / "tree/DEBIAN/control"
        lines = control.read_text().splitlines()
        changed = [f"Version: {version}" if line.startswith("Version:") else line for line in lines]
        control.write_text("\n".join(changed) + "\n")
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(directory / "tree"), str(directory / "new.deb"))
        return str(directory / "new.deb")

    def test_after_installation_the_sockets_listen_and_the_daemon_waits(self):
        run("dpkg", "--purge", "tokencached")
        install()
        for unit in SOCKETS:
            self.assertEqual(property_of("ActiveState", unit), "active")
            self.assertEqual(property_of("UnitFileState", unit), "enabled")
        self.assertEqual(property_of("ActiveState"), "inactive")

    def test_an_upgrade_under_load_loses_no_request_and_no_token(self):
        package = self.another_version("9.9")
        subjects = [self.subject(str(number)) for number in range(4)]
        given = {subject: token(subject)["access_token"] for subject in subjects}
        process = property_of("MainPID")
        with self.no_mint(), Load(subjects) as load:
            install(package)
        self.assertNotEqual(property_of("MainPID"), process)
        self.assertEqual(load.lost, [])
        for subject, expected in given.items():
            self.assertEqual(token(subject)["access_token"], expected)
        run("dpkg", "--purge", "tokencached")

    def test_an_upgrade_starts_no_daemon_that_was_not_running(self):
        install(self.another_version("9.9"))
        self.assertEqual(property_of("ActiveState"), "inactive")
        run("dpkg", "--purge", "tokencached")

    def test_disabled_sockets_leave_nothing_and_stay_disabled_after_an_upgrade(self):
        entries()
        systemctl("disable", "--now", *SOCKETS)
        install(self.another_version("9.9"))
        self.assertEqual(property_of("ActiveState"), "inactive")
        for unit in SOCKETS:
            self.assertEqual(property_of("UnitFileState", unit), "disabled")
        for path in (REQUESTS, ADMIN):
            self.assertFalse(os.path.exists(path))
        run("dpkg", "--purge", "tokencached")

    def test_a_removed_package_leaves_only_its_configuration(self):
        entries()
        run("dpkg", "--remove", "tokencached")
        self.assertEqual(property_of("LoadState"), "not-found")
        self.assertTrue(pathlib.Path("/etc/tokencached/tokencached.yaml").exists())
        self.assertFalse(pathlib.Path("/usr/sbin/tokencached").exists())
        self.assertFalse(os.path.exists(REQUESTS))

    def test_a_purged_package_leaves_nothing(self):
        entries()
        files = run("dpkg", "--listfiles", "tokencached").stdout.split()
        own = [path for path in files if "tokencache" in path]
        self.assertGreater(len(own), 20)
        run("dpkg", "--purge", "tokencached")
        self.assertEqual([path for path in own if os.path.lexists(path)], [])
        left = run("find", "/etc", "/run", "/usr", "/var", "-xdev", "-name", "*tokencache*").stdout.split()
        known = {"/run/systemd/units/invocation:tokencached.service"}
        self.assertEqual([path for path in left if path not in known and "probe" not in path], [])
