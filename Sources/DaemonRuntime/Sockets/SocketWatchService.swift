package import Logging
import OperatorReplies
import ServiceLifecycle
import SocketServer
import TokenProtocol

/// Checks every few seconds that the sockets' names lead to the daemon.
///
/// A cleaner of temporary files, or an operator by mistake, may delete a name. Then nobody can connect, although the
/// daemon seems well.
package struct SocketWatchService: DaemonService {
    private static let interval = Duration.seconds(2)

    private let frontend: Frontend
    private let sockets: Sockets
    private let log: Logger

    /// Prepares the service.
    package init(_ frontend: Frontend, _ sockets: Sockets, log: Logger) {
        self.frontend = frontend
        self.sockets = sockets
        self.log = log
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var last: String?
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                last = await check(last: last)
            }
        }
    }

    /// Binds the sockets again whose names are gone.
    ///
    /// - Parameter last: The fault of the last check, which is not logged again.
    /// - Returns: The reason why nobody can connect, or nil.
    @discardableResult
    package func check(last: String? = nil) async -> String? {
        let fault = await bindAgain()
        if let fault, fault != last { log.error("nobody can connect", metadata: [LogKey.reason: "\(fault)"]) }
        let check = HealthReply.Check(name: "socket", tenant: nil, status: .failing, description: fault)
        await frontend.note(fault == nil ? nil : check, named: "socket")
        return fault
    }

    private func bindAgain() async -> String? {
        var faults: [String] = []
        for socket in [sockets.requests, sockets.admin] {
            do {
                guard let descriptor = try socket.bindAgainIfGone() else { continue }
                try await serve(descriptor, inPlaceOf: socket)
                log.warning("a socket's name was gone; it is bound anew", metadata: [LogKey.path: "\(socket.path)"])
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
