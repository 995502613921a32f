import ArgumentParser
import Glibc
import SystemPackage

/// `top`: shows the daemon's work live, on the whole screen.
struct Top: AsyncParsableCommand {
    /// The range of the time between two looks, in seconds.
    private static let intervals = 0.2...3_600.0

    static let configuration = CommandConfiguration(
        abstract: "Show the daemon's work live, on the whole screen.",
        discussion: "Keys: q quits, space pauses, t sorts the tenants in another order, ? explains the screen."
    )

    @OptionGroup var sockets: SocketOptions

    @Option(help: "The time between two looks, in seconds, from 0.2 to 3600.")
    var interval = 2.0

    func validate() throws {
        guard Self.intervals.contains(interval) else {
            throw ValidationError("'--interval' must be from 0.2 to 3600 seconds.")
        }
    }

    func run() async throws {
        guard Terminal.canDraw, var terminal = try? FullScreen(style: .standardOutput) else {
            throw Terminal.refuse(
                "top needs a terminal to draw on; where there is none, use 'tokencachectl stats --watch'"
            )
        }
        let end: LiveScreen.End
        do {
            end = try await show(on: &terminal)
        } catch {
            terminal.leave()
            throw Terminal.refuse("the screen can't be drawn: \(error)")
        }
        terminal.leave()
        if let code = end.exitCode { throw code }
    }

    private func show(on terminal: inout FullScreen) async throws -> LiveScreen.End {
        let clock = TopClock()
        let events = TerminalEvents(terminal: terminal.descriptor.rawValue)
        let report = { @Sendable [continuation = events.continuation] event in _ = continuation.yield(event) }
        let poller = TopPoller(sockets: sockets, interval: .seconds(interval), clock: clock, report: report)
        var screen = LiveScreen(events: events, clock: clock, interval: interval, names: UserNames(report: report))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await poller.run() }
            defer { group.cancelAll() }
            return try await screen.run(on: &terminal)
        }
    }
}
