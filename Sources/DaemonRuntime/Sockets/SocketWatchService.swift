package import Logging
import OperatorReplies
import ServiceLifecycle
import SocketServer
package import TokenCache
import TokenProtocol

/// Checks every few seconds that the sockets' names lead to the daemon.
///
/// A cleaner of temporary files, or an operator by mistake, may delete a name. Then nobody can connect, although the
/// daemon seems well.
package struct SocketWatchService: DaemonService {
    private static let interval = Duration.seconds(2)

    private let frontend: Frontend
    private let sockets: Sockets
    private let unreachable: OwnIncident
    private let lostRequests: OwnIncident
    private let lostAdmin: OwnIncident

    /// Prepares the service.
    package init(_ frontend: Frontend, _ sockets: Sockets, log: Logger) {
        self.frontend = frontend
        self.sockets = sockets
        unreachable = OwnIncident(.unreachable, log: log)
        lostRequests = OwnIncident(.lostNames, log: log)
        lostAdmin = OwnIncident(.lostNames, log: log)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                await check(now: .now)
            }
        }
    }

    /// Binds the sockets again whose names are gone.
    ///
    /// - Returns: The reason why nobody can connect, or nil.
    @discardableResult
    package func check(now: Instant = .now) async -> String? {
        let fault = await bindAgain(now: now)
        if let fault {
            unreachable.note(until: nil, [LogKey.reason: "\(fault)"], now: now)
        } else {
            unreachable.end(now: now)
        }
        for incident in [unreachable, lostRequests, lostAdmin] { incident.report(at: now) }
        let check = HealthReply.Check(name: "socket", tenant: nil, status: .failing, description: fault)
        await frontend.note(fault == nil ? nil : check, named: "socket")
        return fault
    }

    private func bindAgain(now: Instant) async -> String? {
        var faults: [String] = []
        for (socket, lostName) in [(sockets.requests, lostRequests), (sockets.admin, lostAdmin)] {
            do {
                guard let descriptor = try socket.bindAgainIfGone() else { continue }
                try await serve(descriptor, inPlaceOf: socket)
                lostName.note(until: now, failures: 1, [LogKey.path: "\(socket.path)"], now: now)
            } catch {
                faults.append("\(error)")
            }
        }
        return faults.isEmpty ? nil : faults.joined(separator: "; ")
    }

    private func serve(_ descriptor: CInt, inPlaceOf socket: DaemonSocket) async throws {
        do {
            try await frontend.listen(on: descriptor, inPlaceOf: socket)
        } catch {
            socket.unbind()
            throw error
        }
    }
}
