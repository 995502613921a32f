import Doctor
import FleetStore
import Testing

@Suite("The judgement of a fleet's engine")
struct EngineFactsTests {
    private func finding(_ report: EngineProbe.Report) -> Finding {
        EngineFacts(address: "cache:6379", timeout: .milliseconds(100), report: report).finding
    }

    @Test("An engine that does all in time is fine.")
    func fine() {
        let finding = finding(.init(version: "redis 7.0.15", latency: .microseconds(450)))
        #expect(finding.status == .ok)
        #expect(finding.found == "redis 7.0.15 stores, opens and drops tokens; a call takes 0.45 ms")
    }

    @Test("An old, a slow or an unusable engine is a warning, as users get tokens without it.")
    func warnings() {
        for version in ["redis 6.0.16", "valkey 7.1.9"] {
            let finding = finding(.init(version: version, latency: .zero))
            #expect(finding.status == .warning && finding.found == "the engine is \(version)")
        }
        #expect(finding(.init(version: "valkey 7.2.0", latency: .zero)).status == .ok)
        #expect(finding(.init(version: "redis 6.2", latency: .zero)).status == .ok)
        let slow = finding(.init(version: "redis 7.0.15", latency: .milliseconds(51)))
        #expect(slow.status == .warning && slow.advice?.contains("fleet.timeout") == true)
        #expect(finding(.init(failed: .connect)).found == "the engine can't be used: no answer in time")
    }

    @Test("Each kind of failure has an advice.", arguments: EngineFault.allCases)
    func advice(fault: EngineFault) {
        let finding = finding(.init(failed: .lease, fault: .init(kind: fault, detail: "NOPERM\u{1B}[2J")))
        #expect(finding.status == .warning && finding.advice?.isEmpty == false)
        #expect(finding.found.contains(fault.rawValue) && !finding.found.contains("\u{1B}"))
    }
}
