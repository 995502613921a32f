// FleetStore: the client of the engine that the machines of a fleet share.
//
// Purpose: performs the cache's orders to the second level, and passes on what other machines do. It turns tokens and users
// into sealed values and names, keeps the connections, and stops asking an engine that fails.
//
// Promises: each order is answered once, within the time-out. Nothing of it is loaded without a `fleet` in the
// configuration.
package import NIOCore
package import Secrets
import Synchronization
package import Tenant
package import TokenCache
package import TokenProtocol

/// The second level: takes orders from any thread, and answers each once, within the time limit.
package final class FleetStore: Sendable {
    /// Everything that it needs from outside.
    package struct Dependencies: Sendable {
        /// Reads the clock that keeps running during suspend.
        package var now: @Sendable () -> Instant
        /// Reads the wall clock, for display.
        package var wall: @Sendable () -> WallTime
        /// A random number from 0 up to 1, but not 1.
        package var random: @Sendable () -> Double
        /// The memory for tokens, or nil for the heap.
        package var memory: SecretMemory?
        /// True if this is a machine of which the others take note.
        package var announces: Bool
        /// The time between two looks at the engine's identity and at the other machines.
        package var presenceInterval: Duration

        /// Creates dependencies.
        package init(
            now: @escaping @Sendable () -> Instant = { ContinuousClock.now },
            wall: @escaping @Sendable () -> WallTime,
            random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
            memory: SecretMemory? = nil,
            announces: Bool = true,
            presenceInterval: Duration = FleetStore.presenceInterval
        ) {
            self.now = now
            self.wall = wall
            self.random = random
            self.memory = memory
            self.announces = announces
            self.presenceInterval = presenceInterval
        }
    }

    /// The usual time between two looks at the other machines: a lost one doesn't make a machine disappear.
    package static let presenceInterval = Duration.seconds(15)

    private struct Published {
        var status = FleetStatus()
        var places: [TenantID: FleetPlace] = [:]
    }

    private struct Inbox {
        var orders: [FleetOrder] = []
        var isScheduled = false
    }

    private let loop: any EventLoop
    private let coordinator: NIOLoopBoundBox<FleetCoordinator?>
    private let inbox = Mutex(Inbox())
    private let published = Mutex(Published())

    /// Creates a store without settings, which answers that it is unavailable.
    ///
    /// - Parameters:
    ///   - loop: The event loop of its connections.
    ///   - machine: The name of this machine in leases and events, which no other one has, and which changes with each
    ///     start.
    package init(
        on loop: any EventLoop,
        machine: String,
        _ dependencies: Dependencies,
        listener: any FleetListening
    ) {
        self.loop = loop
        coordinator = .makeEmptyBox(valueType: FleetCoordinator.self, eventLoop: loop)
        loop.execute { [self] in
            coordinator.value = FleetCoordinator(on: loop, machine: machine, dependencies, listener) { [weak self] in
                self?.publishSoon()
            }
        }
    }

    /// Puts settings and tenants into force.
    ///
    /// Without settings, the store is unavailable.
    ///
    /// - Parameter trust: The authorities that vouch for an engine with TLS.
    package func apply(_ settings: FleetSettings?, trust: TrustStore?, tenants: [TenantID: FleetTenant]) {
        loop.execute { [self] in coordinator.value?.apply(settings, trust: trust, tenants) }
    }

    /// Performs an order.
    package func perform(_ order: FleetOrder) {
        let isFirst = inbox.withLock { inbox in
            inbox.orders.append(order)
            defer { inbox.isScheduled = true }
            return !inbox.isScheduled
        }
        // The orders of a turn of the reactor share a wake-up.
        if isFirst { loop.execute { self.performAll() } }
    }

    private func performAll() {
        let orders = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox.orders
        }
        for order in orders { coordinator.value?.perform(order) }
    }

    /// The state, as it was a moment ago.
    package var status: FleetStatus { published.withLock { $0.status } }

    /// The last event of each tenant that has been passed on, to be kept with the tokens.
    package var places: [TenantID: FleetPlace] { published.withLock { $0.places } }

    /// Closes all connections.
    ///
    /// Orders under way are answered that it is unavailable, and so are later ones.
    package func shutDown() async {
        await withCheckedContinuation { continuation in
            loop.execute {
                guard let coordinator = self.coordinator.value else { return continuation.resume() }
                coordinator.shutDown { continuation.resume() }
            }
        }
    }

    private func publishSoon() {
        guard let coordinator = coordinator.value, !coordinator.isPublishing else { return }
        coordinator.isPublishing = true
        loop.execute { [self] in
            guard let coordinator = self.coordinator.value else { return }
            coordinator.isPublishing = false
            let (status, places) = (coordinator.status, coordinator.places)
            published.withLock { $0 = Published(status: status, places: places) }
        }
    }
}
