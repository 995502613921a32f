import Logging
import OperatorReplies
import ServiceLifecycle
import SocketServer
import TokenProtocol

/// Sees to it that the sockets' names lead to the daemon: a cleaner of temporary files, or somebody by mistake, may have
/// deleted them, and nobody could connect then while all seems well.
struct SocketWatchService: Service {
    private static let interval = Duration.seconds(2)

    let frontend: Frontend
    let sockets: Sockets
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var said: String?
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                let fault = await look()
                if let fault, fault != said { log.error("nobody can connect", metadata: [LogKey.reason: "\(fault)"]) }
                said = fault
                let check = HealthReply.Check(name: "socket", tenant: nil, status: .failing, description: fault)
                await frontend.note(fault == nil ? nil : check, named: "socket")
            }
        }
    }

    /// Binds anew what is gone; why that can't be done, in a sentence.
    private func look() async -> String? {
        var faults: [String] = []
        for socket in [sockets.requests, sockets.admin] {
            do {
                guard let descriptor = try socket.bindAnewIfGone() else { continue }
                try await frontend.listen(on: descriptor, inPlaceOf: socket)
                log.warning("a socket's name was gone; it is bound anew", metadata: [LogKey.path: "\(socket.path)"])
            } catch {
                faults.append("\(error)")
            }
        }
        return faults.isEmpty ? nil : faults.joined(separator: "; ")
    }
}
