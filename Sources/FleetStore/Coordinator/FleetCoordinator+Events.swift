import FleetProtocol
import TokenCache

/// The events: each tenant's state is read first, then the events that were missed, then those that happen.
extension FleetCoordinator {
    /// Reads a tenant's state, if its node can be asked.
    func position(_ id: TenantID) {
        guard let tenant = tenants[id], tenant.state == .away, let address = tenant.node,
            nodes[address]?.readySession != nil
        else { return }
        tenants[id]?.state = .positioning
        let run = ScriptRun(
            until: now + callTime,
            call: { [weak self] _, _ in
                self?.tenants[id].map { $0.translator.state(above: $0.latest) }
            },
            { [weak self] result in self?.positioned(id, at: address, result) }
        )
        self.run(run, at: address)
    }

    private func positioned(
        _ id: TenantID,
        at address: EngineAddress,
        _ result: Result<(EngineAnswer, epoch: String), EngineFault>
    ) {
        // The tenant may have been removed, or moved to another node.
        guard let tenant = tenants[id], tenant.state == .positioning, tenant.node == address,
            let node = nodes[address]
        else { return }
        switch result {
        case .success((let answer, let epoch)):
            guard let position = answer.events, let identity = node.readySession?.identity, identity.epoch == epoch
            else { return lose(node, .malformed, "no position in a tenant's state") }
            tenants[id]?.state = .catchingUp
            tenants[id]?.see(position.fence, EngineTime(time: answer.time, at: now))
            let outcomes = tenants[id]?.cursor.connected(
                to: position,
                epoch: epoch,
                continues: tenant.cursor.place.map { identity.continues($0.epoch) } ?? false,
                // Fences may run ahead of the time.
                time: max(answer.time, position.fence)
            )
            tenants[id]?.limits = FleetLimits(answer)
            perform(outcomes ?? [], of: id)
            for (number, drop) in tenant.repeated.all { repeatDrop(drop, number, of: id) }
            updateReaders(node)
        case .failure:
            // It is counted already. The connection may be of use to other tenants.
            tenants[id]?.state = .away
            retryLater()
        }
        changed()
    }

    /// Opens and closes connections for events, so that they are those of the node's tenants.
    ///
    /// A read of a cluster is of one slot. Otherwise tenants share a read.
    func updateReaders(_ node: NodeConnections) {
        guard let epoch = node.epoch, let dialer else { return }
        let own = tenants.filter { $0.value.node == node.address }
        // The others are added when their states are known.
        let positioned = own.filter { $0.value.state == .catchingUp || $0.value.state == .connected }.keys
        guard own.values.allSatisfy({ $0.state != .positioning }) else { return }
        let groups = Self.groups(Array(positioned), size: dialer.settings.isCluster ? 1 : EventReader.eventsPerRead)
        let present = node.readers.map { Set($0.streams.map(\.tenant)) }
        for (reader, group) in zip(node.readers, present) where !groups.contains(group) { reader.close() }
        node.readers = zip(node.readers, present).filter { groups.contains($1) }.map(\.0)
        for group in groups where !present.contains(group) { read(group, node, epoch, dialer) }
    }

    private static func groups(_ tenants: [TenantID], size: Int) -> [Set<TenantID>] {
        let tenants = tenants.sorted { $0.number < $1.number }
        return stride(from: 0, to: tenants.count, by: size).map { Set(tenants[$0..<min($0 + size, tenants.count)]) }
    }

    private func read(_ group: Set<TenantID>, _ node: NodeConnections, _ epoch: String, _ dialer: EngineDialer) {
        let streams = group.compactMap { id in
            tenants[id].map { tenant in
                let names = tenant.translator.names.tenant
                return EventReader.Stream(tenant: id, name: names.events, count: names.eventCount)
            }
        }
        let observer = EventReader.Observer(
            ready: { [weak self] reader in
                for stream in reader.streams { self?.announce(stream.tenant) }
            },
            position: { [weak self] id in
                let cursor = self?.tenants[id]?.cursor
                return (cursor?.nextID ?? EventID.zero.text, cursor?.isLive ?? true)
            },
            entries: { [weak self] id, entries in self?.received(entries, of: id) ?? true },
            ended: { [weak self, weak node] reader, fault, detail in
                guard let self, let node, node.readers.contains(where: { $0 === reader }) else { return }
                self.ended(reader, node, fault, detail)
            }
        )
        let reader = EventReader(streams, at: node.address, epoch: epoch, dialer, observer)
        node.readers.append(reader)
        reader.open()
    }

    /// Opens a connection for events anew, or gives the node up.
    private func ended(_ reader: EventReader, _ node: NodeConnections, _ fault: EngineFault, _ detail: String) {
        let redirection = settings?.isCluster == true ? Redirection(detail, from: node.address) : nil
        let isOfStreams = fault == .malformed || fault == .rejected
        guard redirection != nil || isOfStreams else { return lose(node, fault, detail) }
        node.readers.removeAll { $0 === reader }
        for id in reader.streams.map(\.tenant) {
            if tenants[id]?.disconnected(at: now) == true { listener.fleetHappened(.disconnected(id)) }
            if redirection == nil { tenants[id]?.cursor.failed() }
        }
        if case .moved(let slot, let address) = redirection, permits(address) {
            routes.move(slot, to: address)
            return assign()
        }
        // Events that can't be read count as lost, and the other tenants' connections go on.
        if redirection == nil { counters.fail(fault, detail) }
        changed()
        retryLater()
    }

    /// Takes a tenant's entries, and returns false if they or their numbers can't be those of the scripts.
    private func received(_ entries: EventReader.Entries, of id: TenantID) -> Bool {
        guard let cursor = tenants[id]?.cursor else { return true }
        if let found = entries.found, let last = found.lastID {
            guard let lastID = EventID(last), lastID.isPlausible, cursor.isBefore(lastID) else { return false }
            for event in found.events { perform(tenants[id]?.cursor.received(event) ?? [], of: id) }
            perform(tenants[id]?.cursor.passed(lastID) ?? [], of: id)
            counters.eventsNotOpened += found.foreign
            changed()
        } else {
            perform(tenants[id]?.cursor.exhausted() ?? [], of: id)
        }
        guard let count = entries.count else { return true }
        return tenants[id]?.cursor.agrees(with: count, before: cursor.checkpoint) ?? true
    }

    private func perform(_ outcomes: [EventCursor.Outcome], of id: TenantID) {
        for outcome in outcomes {
            switch outcome {
            case .event(let event): pass(event, of: id)
            case .lost(let fence):
                let bound = tenants[id]?.translator.engineTime?.bounded(fence, at: now) ?? fence
                tenants[id]?.see(bound)
                listener.fleetHappened(.eventsLost(id, upTo: FleetFence(bound)))
            case .emptied: listener.fleetHappened(.emptied(id))
            case .caughtUp: announce(id)
            }
        }
    }

    private func pass(_ event: EngineEvent, of id: TenantID) {
        guard let tenant = tenants[id] else { return }
        if let time = tenant.translator.engineTime, time.bounded(event.fence, at: now) != event.fence {
            counters.eventsNotOpened += 1
            return
        }
        tenants[id]?.see(event.fence)
        guard event.text.machine != machine else { return }
        guard let details = tenant.translator.open(event),
            let happened = tenant.translator.event(details, fence: event.fence)
        else {
            counters.eventsNotOpened += 1
            return
        }
        // Before the looks that the cache orders when it hears of the drop.
        if let drop = tenant.translator.repeated(details, fence: event.fence),
            let (number, drop) = tenants[id]?.repeated.add(drop)
        {
            repeatDrop(drop, number, of: id)
        }
        listener.fleetHappened(happened)
    }

    /// Repeats a drop until the engine has noted it, if need be on another connection.
    private func repeatDrop(_ drop: EngineDrop, _ number: UInt64, of id: TenantID) {
        guard let address = tenants[id]?.node else { return }
        let run = ScriptRun(
            until: now + callTime,
            keepsOrder: true,
            call: { _, _ in .drop(drop) },
            { [weak self] result in self?.repeatedDrop(number, of: id, at: address, result) }
        )
        self.run(run, at: address)
    }

    private func repeatedDrop(
        _ number: UInt64,
        of id: TenantID,
        at address: EngineAddress,
        _ result: Result<(EngineAnswer, epoch: String), EngineFault>
    ) {
        switch result {
        case .success: tenants[id]?.repeated.noted(number)
        case .failure(let fault):
            guard let node = nodes[address], node.readySession != nil else { return }
            lose(node, fault, "a drop of another machine was not repeated")
        }
    }

    /// Tells the cache that the second level can be used, if all earlier events have been passed on.
    private func announce(_ id: TenantID) {
        guard let tenant = tenants[id], tenant.state == .catchingUp, tenant.cursor.isLive,
            let epoch = tenant.node.flatMap({ nodes[$0]?.epoch })
        else { return }
        tenants[id]?.connected(at: now)
        listener.fleetHappened(.connected(id, epoch: epoch))
        if let limits = tenant.limits { listener.fleetHappened(.limits(id, limits)) }
        tenants[id]?.limits = nil
        giveLateLeasesBack(of: id)
        changed()
    }
}
