import TokenProtocol

/// One uid's callers who wait.
struct WaitingCallers {
    /// How many.
    var count = 0
    /// In the order in which they came; some of them may wait no longer.
    var inOrder: [Waiter] = []
}

/// How many callers may wait, in all and of one uid.
extension CacheStateMachine {
    /// Refusals are counted for so many uids; those that come later are not told apart.
    private static var mostCountedPeers: Int { 1_024 }

    /// Whether one more caller of a uid may wait.
    ///
    /// While others wait, too, a uid's share is its bound; where all places are taken, one of a uid over its quota makes
    /// room for one that is below.
    mutating func makeRoomToWait(for peer: PeerUID, now: Instant) -> Bool {
        let own = waitingByPeer[peer]?.count ?? 0
        let isAlone = own == waiting.count
        guard isAlone || own < waitingBound(contenders: 1) else {
            refuseByQuota(peer)
            return false
        }
        guard waiting.count >= Self.mostWaiting else { return true }
        let bound = waitingBound(contenders: waitingByPeer.count + (own == 0 ? 1 : 0))
        guard own < bound, displaceOne(over: bound, now: now) else {
            refuseByQuota(peer)
            return false
        }
        return true
    }

    private func waitingBound(contenders: Int) -> Int {
        Quota.bound(Self.mostWaiting, share: policy.waitingShare, contenders: contenders)
    }

    /// Notes that one more waits.
    mutating func noteWait(of waiter: Waiter, _ peer: PeerUID) {
        let present = waiting
        var callers = waitingByPeer.removeValue(forKey: peer) ?? WaitingCallers()
        callers.count += 1
        // Those who have left are dropped where they have become the greater part.
        if callers.inOrder.count > 2 * callers.count + 64 { callers.inOrder.removeAll { present[$0] == nil } }
        callers.inOrder.append(waiter)
        waitingByPeer[peer] = callers
    }

    /// Notes that one waits no longer.
    mutating func noteEndOfWait(_ peer: PeerUID) {
        waitingByPeer[peer]?.count -= 1
        if waitingByPeer[peer]?.count == 0 { waitingByPeer[peer] = nil }
    }

    /// Tells the last who came, of the uid that has the most over the bound, that there is no room; its mint goes on.
    private mutating func displaceOne(over bound: Int, now: Instant) -> Bool {
        guard let (peer, callers) = waitingByPeer.max(by: { $0.value.count < $1.value.count }), callers.count > bound
        else { return false }
        while let waiter = waitingByPeer[peer]?.inOrder.popLast() {
            guard let key = waiting[waiter].flatMap({ flights[$0.call]?.key }) else { continue }
            let takes = stopWaiting(waiter)?.takesLivingToken ?? false
            displaced.append(fail(waiter, takesLivingToken: takes, .tooManyWaiting, key, now))
            refuseByQuota(peer)
            return true
        }
        return false
    }

    private mutating func refuseByQuota(_ peer: PeerUID) {
        guard overQuota[peer] != nil || overQuota.count < Self.mostCountedPeers else { return }
        overQuota[peer, default: 0] += 1
    }

    /// The callers who had to make room since this was last asked.
    package mutating func takeDisplaced() -> [Delivery] {
        guard !displaced.isEmpty else { return [] }
        defer { displaced = [] }
        return displaced
    }
}
