import ArgumentParser
import Testing
import TokenCacheClient
import tokencachectl

@Suite("The tool's report of an error")
struct ErrorReportTests {
    @Test(
        "The exit status tells a script what went wrong.",
        arguments: [
            ("unreachable", 69), ("bad_reply", 76), ("denied", 77), ("forbidden", 77), ("rate_limited", 75),
            ("unavailable", 75), ("timeout", 75), ("overloaded", 75), ("shutting_down", 75), ("bad_upstream", 76),
            ("invalid_request", 65), ("unsupported_op", 65), ("invalid_configuration", 78), ("unknown_tenant", 78),
            ("new", 1), ("closed", 1),
        ] as [(String, Int32)]
    )
    func exitStatus(code: String, status: Int32) {
        #expect(ExitCode(for: TokenCacheError.Code(rawValue: code)).rawValue == status)
        #expect(ErrorReport(TokenCacheError(.init(rawValue: code), "no")).exitCode.rawValue == status)
    }

    @Test("An error is one line, with the time after which to try again.")
    func oneLine() {
        #expect(ErrorReport(TokenCacheError(.denied, "no; never")).lines == ["no; never"])
        #expect(
            ErrorReport(TokenCacheError(.rateLimited, "wait", retryAfter: .seconds(2.9))).lines == [
                "wait; try again in 2 s"
            ]
        )
    }

    @Test("Each fault of a configuration is a line of its own.")
    func faults() {
        let faults = ["/c.yaml:1: a: is plain; use b", "/c.yaml:2: c: is unknown", "/c.yaml: d: is missing; add it"]
        let error = TokenCacheError(.invalidConfiguration, faults.joined(separator: "; "))
        #expect(ErrorReport(error).lines == faults)
        #expect(ErrorReport(TokenCacheError(.invalidConfiguration, "no; path")).lines == ["no; path"])
    }
}
