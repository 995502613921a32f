import Doctor
import Testing

@Suite("The judgement of units")
struct UnitFactsTests {
    private func unit(_ values: [String: String]) -> UnitFacts {
        let usual = [
            "Id": "tokencached.service", "LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active",
            "SubState": "running", "StateChangeTimestamp": "Thu 2026-11-26 10:00:00 UTC",
        ]
        return UnitFacts(usual.merging(values) { $1 })
    }

    @Test("The output of systemctl is read unit by unit, with values that contain equals signs.")
    func output() {
        let units = UnitFacts.read(
            "Id=a.service\nMainPID=12\nUID=990\nX=a=b\n\nId=b.socket\nMainPID=0\nUID=[not set]\n"
        )
        #expect(units.map(\.name) == ["a.service", "b.socket"])
        #expect(units.map(\.mainProcess) == [12, nil])
        #expect(units.map(\.user) == [990, nil])
        #expect(UnitFacts.read("").isEmpty)
    }

    @Test("A unit that runs is well.")
    func running() {
        #expect(unit([:]).finding.status == .ok)
        #expect(unit([:]).finding.found == "it is active (running) since Thu 2026-11-26 10:00:00 UTC")
    }

    @Test("A unit that has failed says since when, why, and how often, and where to look.")
    func failed() {
        let finding = unit([
            "ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": "1",
            "NRestarts": "4",
        ]).finding
        #expect(finding.status == .failed)
        #expect(
            finding.found == "it has failed (exit status 1), since Thu 2026-11-26 10:00:00 UTC, 4 restarts"
        )
        #expect(finding.advice == "journalctl -u tokencached.service -n 50 shows the reason")
    }

    @Test("A daemon that restarts because of its configuration leads back to the configuration.")
    func configuration() {
        let finding = unit([
            "ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code", "ExecMainStatus": "78",
        ]).finding
        #expect(finding.status == .failed)
        #expect(finding.found.hasPrefix("it ends again and again (exit status 78)"))
        #expect(finding.advice?.hasPrefix("correct what the steps before found") == true)
    }

    @Test(
        "A socket has to listen, and to be enabled. A service starts with the first connection.",
        arguments: [
            (["Id": "t.socket", "SubState": "listening"], .ok, nil),
            (["Id": "t.socket", "UnitFileState": "disabled"], .warning, "systemctl enable t.socket"),
            (["Id": "t.socket", "ActiveState": "inactive"], .failed, "systemctl enable --now t.socket"),
            (["Id": "t.service", "ActiveState": "inactive"], .warning, "systemctl start t.service"),
            (["Id": "t.service", "UnitFileState": "disabled"], .ok, nil),
            (
                ["Id": "t.socket", "LoadState": "not-found"], .failed,
                "install the units of the package, then systemctl daemon-reload"
            ),
        ] as [([String: String], Finding.Status, String?)]
    )
    func states(values: [String: String], status: Finding.Status, advice: String?) {
        let finding = unit(values).finding
        #expect(finding.status == status)
        #expect(finding.advice == advice)
    }

    @Test("A unit's text gives the sources of credentials and the configuration. An empty value removes earlier ones.")
    func text() {
        let text = UnitText(
            """
            # /usr/lib/systemd/system/tokencached.service
            [Service]
            ExecStart=/usr/sbin/tokencached --config /etc/a.yaml
            LoadCredential=main:/etc/main
            #LoadCredential=comment:/etc/comment
            # drop-in
            [Service]
            ExecStart=
            ExecStart=/usr/sbin/tokencached \\
              --config=/etc/b.yaml
            LoadCredential=
            LoadCredential=other:/etc/o:x
            LoadCredential=searched
            User=tokencached
            SupplementaryGroups=a
            SupplementaryGroups=
            SupplementaryGroups=b c
            """
        )
        #expect(text.configurationPath == "/etc/b.yaml")
        #expect(text.credentials == ["other": "/etc/o:x", "searched": nil])
        #expect(text.user == "tokencached")
        #expect(text.groups == ["b", "c"])
        #expect(UnitText("ExecStart=/usr/sbin/tokencached").configurationPath == nil)
    }
}
