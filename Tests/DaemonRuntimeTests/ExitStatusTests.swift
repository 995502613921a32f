import DaemonConfiguration
import DaemonRuntime
import SocketServer
import Testing

@Suite("The exit status")
struct ExitStatusTests {
    private struct OtherError: Error, CustomStringConvertible {
        let description = "something else"
    }

    @Test("Faults of the configuration end the daemon with 78, each with a line in the log.")
    func faults() {
        let log = RecordedLog()
        let faults = ConfigurationFaults([
            .init(file: "c.yaml", line: 2, key: "b", message: "second"),
            .init(file: "c.yaml", line: 1, key: "a", message: "first"),
        ])
        #expect(ExitStatus.report(faults, to: log.logger) == .wrongConfiguration)
        #expect(
            log.lines == [
                #"<2>the daemon can't serve reason="c.yaml:1: a: first""#,
                #"<2>the daemon can't serve reason="c.yaml:2: b: second""#,
            ]
        )
    }

    @Test("A socket that the configuration names wrongly ends the daemon with 78, one that is in use with 1.")
    func sockets() {
        let log = RecordedLog()
        #expect(
            ExitStatus.report(ListeningSocketError.unknownGroup("x", path: "/s"), to: log.logger) == .wrongConfiguration
        )
        #expect(ExitStatus.report(ListeningSocketError.inUse("/s"), to: log.logger) == .failure)
    }

    @Test("Any other error ends the daemon with 1.")
    func others() {
        let log = RecordedLog()
        #expect(ExitStatus.report(OtherError(), to: log.logger) == .failure)
        #expect(log.lines == [#"<2>the daemon can't serve reason="something else""#])
    }

    @Test("The statuses are those that the manual names.")
    func numbers() {
        #expect(ExitStatus.failure.rawValue == 1)
        #expect(ExitStatus.wrongConfiguration.rawValue == 78)
    }
}
