import FleetProtocol
import NIOCore

/// The connection to a node for everything but events, from its handshake to its end.
///
/// It belongs to its event loop.
final class EngineSession {
    /// Functions that are told what becomes of it.
    struct Observer {
        /// The handshake is done.
        var ready: (EngineSession, EngineHandshake.Result) -> Void
        /// The connection couldn't be opened, or is lost.
        ///
        /// It is called at most once, and not after a ``EngineSession/close()``.
        var ended: (EngineSession, EngineFault, String) -> Void
    }

    let address: EngineAddress
    /// The identity of the engine's process, from the handshake on.
    private(set) var identity: EngineIdentity?
    /// Its epoch.
    var epoch: String? { identity?.epoch }
    /// The engine's name and version, if it has told them.
    private(set) var version: String?
    /// The scripts that were sent in full.
    private var scripts: Set<EngineScript> = []
    private let dialer: EngineDialer
    private var handshake: EngineHandshake
    private var observer: Observer?
    private var connection: EngineConnection?
    private var deadline: Scheduled<Void>?
    private var isDraining = false

    /// Creates a session.
    ///
    /// - Parameter probe: The name of a key to write, or nil for a session that only reads.
    init(_ address: EngineAddress, _ dialer: EngineDialer, probe: String?, _ observer: Observer) {
        (self.address, self.dialer, self.observer) = (address, dialer, observer)
        handshake = EngineHandshake(dialer.settings, at: address, probe: probe)
    }

    /// Opens the connection.
    func open() {
        deadline = dialer.loop.assumeIsolated().scheduleTask(in: TimeAmount(dialer.time)) {
            self.connection?.close(.timeout, "no connection in time")
        }
        connection = dialer.dial(address) {
            self.begin()
        } closed: { fault, detail in
            self.closed(fault, detail)
        }
    }

    private func begin() {
        for command in handshake.commands {
            send(command.encoded) { result in
                if case .success(let value) = result { self.answered(value) }
            }
        }
    }

    private func answered(_ value: RespValue) {
        do throws(EngineHandshake.Failure) {
            guard let result = try handshake.answer(value) else { return }
            deadline?.cancel()
            (identity, version) = (result.identity, result.version)
            observer?.ready(self, result)
        } catch {
            connection?.close(error.fault, error.detail)
        }
    }

    private func closed(_ fault: EngineFault, _ detail: String) {
        deadline?.cancel()
        connection = nil
        let observer = observer
        self.observer = nil
        observer?.ended(self, fault, detail)
    }

    /// Notes the use of a script, and returns true if it is the first one on this connection.
    func noteUse(of script: EngineScript) -> Bool { scripts.insert(script).inserted }

    /// Sends a command.
    func send(_ command: [UInt8], _ completion: @escaping EngineConnection.Completion) {
        guard let connection else { return completion(.failure(.notConnected)) }
        connection.send(command) { result in
            completion(result)
            if self.isDraining, connection.isIdle { self.close() }
        }
    }

    /// Closes the connection as soon as no answer is awaited.
    func drain() {
        observer = nil
        isDraining = true
        guard epoch != nil, connection?.isIdle == false else { return close() }
        deadline = dialer.loop.assumeIsolated().scheduleTask(in: TimeAmount(dialer.time)) { self.close() }
    }

    /// Closes the connection.
    ///
    /// Commands without an answer fail.
    func close(_ fault: EngineFault = .connectionLost) {
        observer = nil
        deadline?.cancel()
        connection?.close(fault)
        connection = nil
    }
}
