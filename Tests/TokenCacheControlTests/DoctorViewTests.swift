import Doctor
import Testing
import tokencachectl

@Suite("The doctor's findings for people")
struct DoctorViewTests {
    private let failed = Finding(.secret, "main", .failed, "it is open", "chmod 600 it")
    private let warning = Finding(.clock, "a-tenant-with-a-long-name", .warning, "it is late", "set it")
    private let ok = Finding(.daemon, nil, .ok, "it answers")

    @Test("A finding is a line, and its advice another one below what was found.")
    func lines() {
        let view = DiagnosisView(style: .plain)
        #expect(view.text(of: ok) == "ok       daemon                  it answers")
        let indent = String(repeating: " ", count: 33)
        #expect(
            view.text(of: failed) == "failed   secret main             it is open\n\(indent)→ chmod 600 it"
        )
        #expect(
            view.text(of: warning) == "warning  clock a-tenant-with-a-long-name it is late\n\(indent)→ set it"
        )
    }

    @Test("The last line says how many steps have failed, and with which to begin.")
    func summary() {
        let view = DiagnosisView(style: .plain)
        #expect(view.summary(of: Diagnosis([ok])) == "\nnothing has failed; 0 warnings, 0 skipped")
        #expect(
            view.summary(of: Diagnosis([warning, failed, failed]))
                == "\n2 failed; 1 warning, 0 skipped; begin with: secret main"
        )
    }

    @Test(
        "Of what passes for many tenants, the first five have lines, and the others are counted where the tenants end."
    )
    func manyTenants() {
        var passed = PassedSteps()
        func names(_ count: Int) -> [Finding] {
            (0..<count).map { Finding(.name, "t\($0)", .ok, "it has an address") }
        }
        #expect(names(1_000).flatMap { passed.add($0) } == Array(names(5)))
        #expect(passed.add(failed) == [failed] && passed.add(warning) == [warning])
        #expect(passed.add(ok) == [Finding(.name, nil, .ok, "995 more have passed; --json has all"), ok])
        #expect(passed.takeSummaries().isEmpty)
        #expect(names(1).flatMap { passed.add($0) }.isEmpty)
        #expect(passed.takeSummaries() == Array(names(1)), "one more has its own line")
        let other = Finding(.http, "t0", .ok, "it answers")
        #expect(passed.add(other) == [other])
    }

    @Test("Each status has a colour, which leaves the columns as they are.")
    func colours() {
        let view = DiagnosisView(style: Style(isColoured: true))
        #expect(view.text(of: ok) == "\u{1B}[32mok       \u{1B}[0mdaemon                  it answers")
        #expect(view.text(of: failed).hasPrefix("\u{1B}[31mfailed   \u{1B}[0msecret main"))
        #expect(view.text(of: warning).hasPrefix("\u{1B}[33mwarning  \u{1B}[0m"))
    }
}
