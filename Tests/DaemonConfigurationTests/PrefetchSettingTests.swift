import DaemonConfiguration
import Foundation
import Testing

@Suite("The key prefetch of a tenant")
struct PrefetchSettingTests {
    private func prefetch(_ value: String) throws(ConfigurationFaults) -> DaemonConfiguration.Prefetch? {
        let text = """
            tenants:
              main:
                host: https://one.example
                client_id: id
                client_secret: { file: /run/secret }
                prefetch: \(value)
            """
        return try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml").tenants["main"]?.prefetch
    }

    @Test("The file is read once, or again after `every`.")
    func values() throws {
        #expect(try prefetch("{ file: /p }") == .init(file: "/p", every: .zero))
        #expect(try prefetch("{ file: /p, every: 0 }") == .init(file: "/p", every: .zero))
        #expect(try prefetch("{ file: /p, every: 1m }") == .init(file: "/p", every: .seconds(60)))
        #expect(try prefetch("{ file: /p, every: 24h }") == .init(file: "/p", every: .seconds(86_400)))
    }

    @Test(
        "A value out of its range is a fault.",
        arguments: [
            ("{}", "6: tenants.main.prefetch.file: is missing"),
            ("{ every: 1m }", "6: tenants.main.prefetch.file: is missing"),
            ("{ file: p }", "6: tenants.main.prefetch.file: should be an absolute path"),
            ("{ file: /p, every: 59s }", "6: tenants.main.prefetch.every: should be a duration from 1 min to 24 h"),
            ("{ file: /p, every: 25h }", "6: tenants.main.prefetch.every: should be a duration from 1 min to 24 h"),
            (
                "{ file: /p, every: 5 }",
                "6: tenants.main.prefetch.every: should be a duration from 1 min to 24 h, or 0: a number of seconds"
            ),
            ("{ file: /p, each: 1m }", "6: tenants.main.prefetch.each: is not a known key"),
            ("/p", "6: tenants.main.prefetch: should be a mapping of file, every"),
        ]
    )
    func faults(value: String, sentence: String) {
        let faults = #expect(throws: ConfigurationFaults.self) { try prefetch(value) }
        #expect(faults?.faults.count == 1)
        #expect(faults?.description.hasPrefix("t.yaml:\(sentence)") == true, "\(faults?.description ?? "")")
    }
}
