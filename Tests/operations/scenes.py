"""The situations in which the documentation's examples are run."""

import os
import pathlib
import shlex
import tempfile

from stage import Connection, Stage, wait_for

PROGRAMS = pathlib.Path(os.environ["TOKENCACHED_PROGRAMS"])
INSTALLED = {
    "/run/tokencached/tokencached.sock": "requests.sock",
    "/run/tokencached-admin/admin.sock": "admin.sock",
    "/etc/tokencached/tokencached.yaml": "tokencached.yaml",
    "/etc/tokencached/main-client-secret": "main-client-secret",
}
"""The paths of an installation, and the files of the stage in their place."""


class Scenes:
    """One page's stage. A scene is a method, which the page names in a comment `scene: …` above a block."""

    def __init__(self, stage=None):
        self.stage = stage or Stage()
        self.directory = tempfile.TemporaryDirectory(prefix="examples-")
        # An installation has the programs in PATH, and the daemon finds its configuration by itself.
        commands = pathlib.Path(self.directory.name)
        (commands / "tokencachectl").symlink_to(PROGRAMS / "tokencachectl")
        daemon = f'#!/bin/sh\nexec {shlex.quote(str(PROGRAMS / "tokencached"))} --config {self.stage.file} "$@"\n'
        (commands / "tokencached").write_text(daemon)
        (commands / "tokencached").chmod(0o755)

    @property
    def environment(self):
        """The environment of a command of the documentation."""
        return {
            "PATH": f"{self.directory.name}:{os.environ['PATH']}",
            "HOME": self.directory.name,
            "LC_ALL": "C.UTF-8",
            "TOKENCACHED_SOCKET": str(self.stage.socket),
            "TOKENCACHED_ADMIN_SOCKET": str(self.stage.admin),
        }

    def on_stage(self, text):
        """Replaces the paths of an installation by those of the stage."""
        for path, name in INSTALLED.items():
            text = text.replace(path, str(self.stage.directory / name))
        return text

    def as_installed(self, text):
        """Replaces the paths of the stage by those of an installation."""
        for path, name in INSTALLED.items():
            text = text.replace(str(self.stage.directory / name), path)
        return text

    def play(self, name):
        """Plays a scene by its name."""
        getattr(self, name.replace(" ", "_"))()

    def ask(self, subject, **options):
        return self.request(self.stage.socket, {"op": "token", "subject": subject, **options})

    def request(self, socket, request):
        connection = Connection(socket)
        (reply,) = connection.ask(request)
        connection.close()
        return reply

    def checks(self):
        """Returns the names of the checks that are not ok."""
        reply = self.request(self.stage.admin, {"op": "health"})
        return {check["check"] for check in reply["checks"] if check["status"] != "ok"}

    def wait_until_all_is_well(self):
        """Requests a token until the tenant gives one and no check finds a fault."""
        wait_for(lambda: "access_token" in self.ask("auth0|dave") and not self.checks(), "all is well")

    # Scenes

    def cached_token(self):
        assert "access_token" in self.ask("auth0|alice")

    def faulty_configuration(self):
        self.stage.file.write_text(self.stage.file.read_text() + "mistake: 1\n")

    def corrected_configuration(self):
        self.stage.file.write_text(self.stage.file.read_text().removesuffix("mistake: 1\n"))

    def tenant_fails(self):
        self.tenant.set(script="1000*status-500")
        for number in range(5):
            assert self.ask(f"user{number}")["error"] == "unavailable"
        assert "circuit" in self.checks()

    def tenant_recovers(self):
        self.tenant.set(script="ok")
        self.wait_until_all_is_well()

    def tenant_throttles(self):
        self.tenant.set(script="throttled-60")
        assert self.ask("user")["error"] == "rate_limited"

    def secret_changed(self):
        """Begins anew, as the hold of the last scene lasts for a minute."""
        self.new_stage()
        self.cached_token()
        self.tenant.set(secrets=["another"])
        for number in range(3):
            assert self.ask(f"user{number}")["error"] in ("denied", "unavailable")
        wait_for(lambda: self.request(self.stage.admin, {"op": "health"})["status"] == "failing", "the probe is denied")

    def secret_written(self):
        (self.stage.directory / "main-client-secret").write_text("another")
        self.wait_until_all_is_well()

    def user_denied(self):
        self.new_stage()

    @property
    def tenant(self):
        return self.stage.tenants["main"]

    def logins(self):
        self.new_stage(Stage.for_logins())

    def fleet(self):
        self.new_stage(Stage.for_fleet())

    def new_stage(self, stage=None):
        """Begins with another tenant and daemon."""
        self.end()
        self.__init__(stage)

    def end(self):
        self.stage.end()
        self.directory.cleanup()
