import HTTPTypes
import NIOCore
import OperatorReplies

/// Answers requests for the pages.
struct Responder: Sendable {
    private let metrics: SharedAnswer<String?>
    private let loops: [(name: String, turn: SharedAnswer<Bool>)]
    private let readiness: SharedAnswer<HealthReply>

    /// Creates a responder.
    ///
    /// - Parameters:
    ///   - loop: The event loop of the timeouts.
    ///   - limit: The longest time that a page may take.
    ///   - interval: The shortest time between two makings of a page.
    init(_ pages: Pages, on loop: any EventLoop, within limit: TimeAmount, every interval: TimeAmount) {
        metrics = SharedAnswer(on: loop, within: limit, every: interval, pages.metrics)
        readiness = SharedAnswer(on: loop, within: limit, every: interval, pages.readiness)
        loops = pages.loops.sorted { $0.key < $1.key }.map { name, turn in
            let answer = SharedAnswer(on: loop, within: limit, every: interval) {
                await turn()
                return true
            }
            return (name, answer)
        }
    }

    /// Returns the page that a request gets, or the problem that it has.
    ///
    /// - Parameter isLoopback: True if the connection came to a loopback address.
    func page(for request: HTTPRequest, isLoopback: Bool) async -> Page {
        do throws(Problem) {
            return try await page(Route(request, isLoopback: isLoopback))
        } catch {
            return Page(error)
        }
    }

    private func page(_ route: Route) async throws(Problem) -> Page {
        switch route {
        case .metrics:
            guard let text = await metrics.value() ?? nil else {
                throw Problem(.serviceUnavailable, "the metrics were not collected in time")
            }
            return Page("text/plain; version=0.0.4; charset=utf-8", text)
        case .liveness: return try Self.health(await liveness(), "an event loop of the daemon doesn't answer")
        case .readiness:
            let unknown = HealthReply.Check(
                name: "event_loop",
                tenant: nil,
                status: .failing,
                description: "the daemon's health was not collected in time"
            )
            let reply = await readiness.value() ?? HealthReply(checks: [unknown])
            return try Self.health(reply, "the daemon should get no requests now")
        }
    }

    private func liveness() async -> HealthReply {
        // All are asked at once, so that two that are stuck take no longer than one.
        await withTaskGroup(of: HealthReply.Check.self) { group in
            for (name, turn) in loops {
                group.addTask {
                    Self.check(name, isAlive: await turn.value() != nil)
                }
            }
            return HealthReply(checks: await group.reduce(into: []) { $0.append($1) }.sorted { $0.name < $1.name })
        }
    }

    private static func check(_ loop: String, isAlive: Bool) -> HealthReply.Check {
        if isAlive { return HealthReply.Check(name: loop, tenant: nil, status: .ok) }
        return HealthReply.Check(
            name: loop,
            tenant: nil,
            status: .failing,
            description: "the event loop has had no turn in time"
        )
    }

    private static func health(_ reply: HealthReply, _ detail: String) throws(Problem) -> Page {
        guard reply.status < .failing else {
            throw Problem(.serviceUnavailable, detail, checks: reply.checks.filter { $0.status >= .failing })
        }
        return Page("application/json", json: reply)
    }
}
