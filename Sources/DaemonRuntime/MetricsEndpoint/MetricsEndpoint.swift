package import DaemonConfiguration
package import Logging
package import MetricsServer
package import NIOCore
import OperatorReplies
import SystemPackage
import TokenProtocol

/// The HTTP server of the metrics, which comes, goes and moves with the configuration.
///
/// If an address can't be listened on at the start, the daemon serves tokens without it, because an address that is
/// taken or not there yet must not keep users from their tokens. The log and `health` say so, and
/// ``MetricsEndpointService`` tries again until it succeeds. At a reload the operator is there, and it is a fault of
/// the configuration.
package actor MetricsEndpoint {
    /// The setting of a configuration.
    fileprivate struct Setting {
        let address: ListenAddress
        let path: String
        let line: Int?

        func fault(_ error: any Error) -> ConfigurationFaults.Fault {
            let reason = (error as? IOError).map { "\(Errno(rawValue: $0.errnoCode))" } ?? "\(error)"
            let message = "\(address) can't be listened on: \(reason)"
            return .init(file: path, line: line, key: "metrics.listen", message: message)
        }
    }

    /// A server that listens.
    fileprivate struct Listener {
        let id: Int
        let address: ListenAddress
        let server: MetricsServer
    }

    /// A server that is to be run.
    package struct Order: Sendable {
        fileprivate let id: Int
        fileprivate let server: MetricsServer
        /// Gets one result: when the server listens, or can't.
        fileprivate let result: AsyncStream<Result<Void, any Error>>.Continuation
    }

    /// The result of ``prepare(_:)``.
    package struct Prepared: Sendable {
        fileprivate let setting: Setting?
        fileprivate let listener: Listener?
        /// True if the present server, or the attempts to start it, go on.
        fileprivate let isUnchanged: Bool
    }

    /// No server can be run any more.
    private struct Ending: Error {}

    /// The name of the check in `health`.
    private static let checkName = "metrics"

    /// The servers to run.
    package nonisolated let orders: AsyncStream<Order>
    private nonisolated let order: AsyncStream<Order>.Continuation
    private let frontend: Frontend
    private let pages: Pages
    private let group: any EventLoopGroup
    private let log: Logger
    private var lastID = 0
    private var setting: Setting?
    private var listener: Listener?
    private var isRunning = false
    /// True from a reload's first change to its last.
    private var isReplacing = false
    private var isFailing = false

    /// Creates an endpoint without a server.
    ///
    /// - Parameter group: An event loop that nothing else uses.
    package init(_ frontend: Frontend, _ pages: Pages, on group: any EventLoopGroup, log: Logger) {
        self.frontend = frontend
        self.pages = pages
        self.group = group
        self.log = log
        (orders, order) = AsyncStream.makeStream()
    }

    // MARK: Configuration

    /// Listens on the address of a configuration, beside the present one.
    ///
    /// After a fault everything is as it was before. Nothing is listened on before the service runs, so that a start
    /// can't fail.
    package func prepare(_ loaded: LoadedConfiguration) async throws(ConfigurationFaults) -> Prepared {
        let configuration = loaded.configuration
        let new = configuration.metricsListen.map {
            let address = ListenAddress(host: $0.host, port: $0.port)
            return Setting(address: address, path: loaded.path, line: configuration.metricsLine)
        }
        guard isRunning, let new, new.address != setting?.address else {
            return Prepared(setting: new, listener: nil, isUnchanged: new?.address == setting?.address)
        }
        do {
            return Prepared(setting: new, listener: try await replace(new.address), isUnchanged: false)
        } catch {
            isReplacing = false
            throw ConfigurationFaults([new.fault(error)])
        }
    }

    /// Starts a server, and stops the present one first if both can't listen at once.
    private func replace(_ address: ListenAddress) async throws -> Listener {
        isReplacing = true
        guard let old = listener, old.address.port == address.port else { return try await open(address) }
        // One of them may be the address of all interfaces.
        listener = nil
        await old.server.stop()
        do {
            return try await open(address)
        } catch {
            listener = try? await open(old.address)
            throw error
        }
    }

    /// Puts a setting into force.
    package func apply(_ prepared: Prepared) async {
        isReplacing = false
        setting = prepared.setting
        guard !prepared.isUnchanged else { return }
        let old = listener
        listener = prepared.listener
        await old?.server.stop()
        // Before the service runs there is no server yet.
        if isRunning { await report(nil) }
    }

    // MARK: Service

    /// Begins to serve: a server can be run from now on.
    package func begin() { isRunning = true }

    /// Ends the orders: no server is started any more.
    package nonisolated func end() { order.finish() }

    /// Starts the server that should be there and is not.
    package func openMissing() async {
        guard let setting, listener == nil, !isReplacing else { return }
        do {
            let new = try await open(setting.address)
            // A reload may have changed the setting meanwhile.
            guard self.setting?.address == setting.address, listener == nil, !isReplacing else {
                return await new.server.stop()
            }
            listener = new
            await report(nil)
        } catch is Ending {
        } catch {
            await report(setting.fault(error))
        }
    }

    /// Runs a server until it is stopped or fails.
    package func run(_ order: Order) async {
        let result = await Result.of { try await order.server.run() }
        if case .failure(let error) = result { order.result.yield(.failure(error)) }
        order.result.finish()
        // If it is still the one to be used, nobody has stopped it, or the daemon ends.
        guard listener?.id == order.id else { return }
        listener = nil
        if case .failure(let error) = result, let setting { await report(setting.fault(error)) }
    }

    private func open(_ address: ListenAddress) async throws -> Listener {
        lastID += 1
        let id = lastID
        let (results, result) = AsyncStream<Result<Void, any Error>>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let server = MetricsServer(on: address, pages, group: group) { _ in result.yield(.success(())) }
        if case .terminated = order.yield(Order(id: id, server: server, result: result)) { throw Ending() }
        for await result in results {
            try result.get()
            return Listener(id: id, address: address, server: server)
        }
        throw Ending()
    }

    /// Logs the state if it has changed, and shows a fault in `health`.
    private func report(_ fault: ConfigurationFaults.Fault?) async {
        let wasFailing = isFailing
        isFailing = fault != nil
        await frontend.note(fault.map(Self.check), named: Self.checkName)
        if let fault {
            guard !wasFailing else { return }
            log.warning("the metrics are not served by HTTP: tried again", metadata: [LogKey.fault: "\(fault)"])
        } else if let listener {
            log.info("the metrics are served by HTTP", metadata: [LogKey.address: "\(listener.address)"])
        } else {
            log.info("the metrics are no longer served by HTTP")
        }
    }

    private static func check(_ fault: ConfigurationFaults.Fault) -> HealthReply.Check {
        let description = "\(fault.key): \(fault.message)"
        return HealthReply.Check(name: checkName, tenant: nil, status: .degraded, description: description)
    }
}
