import TokenProtocol

/// Taking over the records of an earlier daemon, in slices.
extension TokenStorage {
    /// The number of tokens that take as long as the look at a region's head.
    private static let headCost = 2
    /// The number of tokens that take as long as the look at a region's records.
    private static let regionCost = 64

    /// True if not all records of the earlier daemon have been restored.
    package var isRestoring: Bool { restoration != nil }

    /// Restores about a number of tokens.
    ///
    /// A record that is damaged, or that the earlier daemon had removed or not finished, is overwritten. The tokens
    /// come in the order of the memory, which is that of their arrival as long as no slot was used again. Two can have
    /// the same key if the daemon was killed while it replaced one by the other.
    ///
    /// - Parameters:
    ///   - budget: The number of tokens.
    ///   - now: The time, which no token's arrival or last use is after.
    ///   - take: Returns true if a token is wanted. If it isn't, it is removed. It may remove tokens that it took.
    /// - Returns: The cost in tokens. It can be more than the budget, as a step isn't divided. It is less if another thread is
    ///   about to finish the last step.
    @discardableResult
    package func restoreNext(_ budget: Int, now: Int64, to take: (RecordID) -> Bool) -> Int {
        var left = budget
        while left > 0, let restoration {
            if let id = restoration.nextFound() {
                left -= 1
                count += 1
                if !take(id) { remove(id) }
            } else {
                guard let cost = goOn(restoration, now) else { break }
                left -= cost
            }
        }
        return budget - left
    }

    /// Does the next step, and returns its cost, or nil if another thread has to finish it.
    private func goOn(_ restoration: Restoration, _ now: Int64) -> Int? {
        switch restoration.phase {
        case .classes:
            guard let index = restoration.nextRegion() else {
                readTokens(restoration)
                return begin(.tokens, restoration)
            }
            return open(index, restoration)
        case .tokens:
            switch restoration.reader?.next() ?? .over {
            case .found(let found):
                findTokens(found, restoration, now)
                return Self.regionCost
            case .pending: return nil
            case .over: return begin(.unusedClasses, restoration)
            }
        case .unusedClasses:
            guard let index = restoration.nextRegion() else {
                self.restoration = nil
                return Self.headCost
            }
            guard slab.regions[index].kind == .classes else { return Self.headCost }
            dropUnusedClasses(index)
            return Self.regionCost
        }
    }

    private func begin(_ phase: Restoration.Phase, _ restoration: Restoration) -> Int {
        restoration.phase = phase
        (restoration.next, restoration.end) = (1, slab.regions.count)
        return Self.headCost
    }

    private func open(_ index: Int, _ restoration: Restoration) -> Int {
        slab.open(index)
        switch slab.regions[index].kind {
        case nil: return Self.headCost
        case .tokens:
            let slotSize = Int(slab.regions[index].slotUnits) * SlotSize.unit
            let part = RegionReader.Part(index: index, slots: slab.slots(of: index), slotSize: slotSize)
            restoration.tokenRegions.append(part)
            return Self.headCost
        case .classes:
            restoreClasses(index)
            return Self.regionCost
        }
    }

    // MARK: Tokens

    private func readTokens(_ restoration: Restoration) {
        let reader = RegionReader(restoration.tokenRegions, records, in: range)
        restoration.tokenRegions = []
        restoration.reader = reader
        restoration.inBackground { reader.readAhead() }
    }

    private func findTokens(_ whole: RegionReader.Found, _ restoration: Restoration, _ now: Int64) {
        let found = whole.records.filter { isUsable(records[$0], restoration, now) }
        for id in found {
            let record = records[id]
            records[class: record.classID].references += 1
            record.limitLastUse(to: now)
        }
        slab.close(whole.index, keeping: found)
        restoration.found = found
    }

    private func isUsable(_ record: TokenRecord, _ restoration: Restoration, _ now: Int64) -> Bool {
        guard record.isPlausible(now: now) else { return false }
        let tokenClass = record.classID
        guard tokenClass == restoration.lastClass || slab.hasClass(at: tokenClass) else { return false }
        restoration.lastClass = tokenClass
        return true
    }

    // MARK: Classes

    private func restoreClasses(_ index: Int) {
        let size = Int(slab.regions[index].slotUnits) * SlotSize.unit
        var found: [RecordID] = []
        for units in slab.slots(of: index) {
            let id = RecordID(units: units)
            let record = records[class: id]
            guard slab.state(of: id) == .tokenClass, record.isWhole(in: size) else { continue }
            record.reset(hash: unsafe ClassTable.hash(record.encoded))
            found.append(id)
        }
        slab.close(index, keeping: found)
        for id in found { classes.insert(id, in: records) }
    }

    private func dropUnusedClasses(_ index: Int) {
        let unused = slab.slots(of: index).map(RecordID.init(units:))
            .filter { slab.state(of: $0) == .tokenClass && records[class: $0].references == 0 }
        for id in unused { drop(id) }
    }
}
