import FleetProtocol
import NIOCore
import TokenCache

/// The nodes: which are needed, and what becomes of their connections.
extension FleetCoordinator {
    /// The least time between two questions for the map of the cluster.
    private static let mapInterval = Duration.seconds(1)
    /// The time for which a node is kept that another one has referred to for a key.
    private static let visit = Duration.seconds(60)
    /// The number of such nodes at most.
    private static let mostVisited = 16

    private var isCluster: Bool { settings?.isCluster ?? false }

    /// The node that has a slot, or nil if it isn't known.
    func node(of slot: Int) -> EngineAddress? { isCluster ? routes.node(of: slot) : routes.seed }

    /// Finds each tenant's node, and connects to those that are needed.
    func assign() {
        let now = now
        visited = visited.filter { $0.value > now }
        var needed = Set(visited.keys)
        var isMapMissing = false
        for (id, tenant) in tenants {
            let address = node(of: tenant.translator.slot)
            if let address { needed.insert(address) } else { isMapMissing = true }
            if address != tenant.node { move(id, to: address) }
        }
        if !tenants.isEmpty, let address = node(of: presenceSlot) { needed.insert(address) }
        if isMapMissing { askForMap() }
        if let asked { needed.insert(asked) }
        for (address, node) in nodes where !needed.contains(address) {
            nodes[address] = nil
            _ = node.machine.release()
            node.close(drains: true)
        }
        for address in needed { perform(ensure(address).machine.want(), ensure(address)) }
        for (id, tenant) in tenants where tenant.state == .away { position(id) }
    }

    private func move(_ id: TenantID, to address: EngineAddress?) {
        let old = tenants[id]?.node
        if tenants[id]?.disconnected(at: now) == true { listener.fleetHappened(.disconnected(id)) }
        tenants[id]?.node = address
        if let node = old.flatMap({ nodes[$0] }) { updateReaders(node) }
    }

    private func ensure(_ address: EngineAddress) -> NodeConnections {
        if let node = nodes[address] { return node }
        let node = NodeConnections(address)
        nodes[address] = node
        return node
    }

    /// Keeps a node for a while, for a key that is being moved to it.
    func visit(_ address: EngineAddress) {
        guard visited.count < Self.mostVisited || visited[address] != nil else { return }
        visited[address] = now + Self.visit
        assign()
    }

    /// True if a node of a cluster may refer to an address.
    func permits(_ address: EngineAddress) -> Bool {
        guard let settings else { return false }
        return settings.url.isSecure || settings.allowsPlain || address.isLocal
    }

    private func perform(_ action: EngineNode.Action, _ node: NodeConnections) {
        switch action {
        case .none: break
        case .connect: connect(node)
        case .wait(let time):
            node.close()
            lose(tenantsOf: node.address)
            node.schedule(on: loop, in: time) { [weak self, weak node] in
                guard let self, let node else { return }
                self.perform(node.machine.waited(), node)
                self.changed()
            }
            if isCluster { failedOver(from: node.address) }
        case .close: node.close()
        }
        changed()
    }

    private func connect(_ node: NodeConnections) {
        guard let dialer else { return }
        let probe = tenants.values.first { $0.node == node.address } ?? tenants.values.first
        let session = EngineSession(
            node.address,
            dialer,
            probe: probe.map { "\($0.translator.names.tenant.bucket):probe" },
            EngineSession.Observer(
                ready: { [weak self, weak node] session, result in
                    guard let self, let node, node.session === session else { return }
                    self.ready(node, result)
                },
                ended: { [weak self, weak node] session, fault, detail in
                    guard let self, let node, node.session === session else { return }
                    self.lose(node, fault, detail)
                }
            )
        )
        node.session = session
        session.open()
    }

    private func ready(_ node: NodeConnections, _ result: EngineHandshake.Result) {
        node.machine.connected(at: now)
        if asked == node.address { asked = nil }
        node.release(nil)
        if let map = result.map { routes.replace(map.filter { permits($0.primary) }) }
        if node.address == self.node(of: presenceSlot) { present() }
        assign()
        changed()
    }

    /// Gives a node's connections up after a failure, and opens them again later.
    func lose(_ node: NodeConnections, _ fault: EngineFault, _ detail: String) {
        counters.fail(fault, detail)
        if asked == node.address { asked = nil }
        perform(node.machine.ended(at: now, random: random), node)
    }

    /// Takes note that a call has failed on a session.
    func failed(_ fault: EngineFault, _ detail: String, on session: EngineSession?) {
        counters.fail(fault, detail)
        guard let session, let node = nodes[session.address], node.session === session else { return changed() }
        perform(node.machine.failed(fault, at: now, random: random), node)
    }

    /// Takes note that a call was done on a session.
    func succeeded(on session: EngineSession) {
        guard let node = nodes[session.address], node.session === session else { return }
        node.machine.succeeded(at: now)
    }

    /// Tells the cache that the second level is away for a node's tenants.
    func lose(tenantsOf address: EngineAddress) {
        for (id, tenant) in tenants where tenant.node == address {
            if tenants[id]?.disconnected(at: now) == true { listener.fleetHappened(.disconnected(id)) }
        }
    }

    /// Looks for the node that has taken over.
    private func failedOver(from address: EngineAddress) {
        routes.forget(address)
        assign()
    }

    /// Connects the tenants after a while that have not been connected now.
    func retryLater() {
        guard retryTimer == nil else { return }
        retryTimer = loop.assumeIsolated().scheduleTask(in: TimeAmount(Self.mapInterval)) { [weak self] in
            guard let self else { return }
            self.retryTimer = nil
            self.assign()
        }
    }

    // MARK: The map of the cluster

    private func askForMap() {
        guard asked == nil, retryTimer == nil else { return }
        let wait = lastAsked.map { max($0 + Self.mapInterval - now, .zero) } ?? .zero
        guard wait > .zero else { return askNow() }
        retryLater()
    }

    private func askNow() {
        lastAsked = now
        let ready = nodes.values.compactMap(\.readySession)
        guard let session = ready.randomElement() else {
            asked = routes.nextToAsk()
            return
        }
        transmit(EngineCommand("CLUSTER", "SLOTS").encoded, on: session, until: now + callTime) { [weak self] result in
            guard let self else { return }
            if case .success(let value) = result, let map = ClusterRoutes.ranges(of: value, askedAt: session.address) {
                self.routes.replace(map.filter { self.permits($0.primary) })
            }
            self.assign()
        }
    }
}
