import TokenProtocol

@testable import TokenCache

/// The number of times that each situation came up in a run: those checked, and the few that could not be.
struct ModelTally {
    enum Item: String, CaseIterable {
        case servedFromCache
        case servedUnmet
        case servedStale
        case servedByTenant
        case queued
        case rejectedByPace
        case toldByPace
        case toldByPaceUnjudged
        case deniedByNegative
        case rejectedAsForced
        case retriedAsTold
        case timedOut
        case timedOutUnexpectedly
        case logoutWaited
        case logoutWaitedInVain
        case holdReleased
        case noHoldReleased
        case revoked
        case revocationFailed
        case revocationExpired
        case revocationDropped
        case callerTurn
        case prefetchTurn
        case refreshTurn
        case roundTurn
        case roundBegan
        case roundEnded
        case refreshBesideCallers
        case refreshTriedAgain
        case urgentBeforePrefetch
        case probe
        case probeReplaced
        case clientProven
        case clientDoubted
        case clientRefused
        case clientTokenSent
        case clientRetired
        case refusedTokenReplaced
        case refusedTokenTooYoung
        case incidentReported
        case incidentEnded
        case circuitOpened
        case circuitClosed
        case oldGenerationCameBack
        case tokenRevokedOnArrival
        case loggedOutBeforeReply
        case sentWithNewSecret
        case sentInTrace
        case sentInUnawaitedTrace
        case sentAgainInTrace
        case doomedCallEnded
        case unwantedRefreshEnded
        case evictedOverLimit
        case forgottenOverLimit
        case toldOfRemoval
        case explained
        case restored
        case recounted
        case slicesOfTime
        case wokenAtItsTime
        case asked
    }

    private(set) var counts: [Item: Int] = [:]

    mutating func note(_ item: Item) { counts[item, default: 0] += 1 }

    mutating func add(_ other: ModelTally) { counts.merge(other.counts) { $0 + $1 } }
}

extension ModelTally: CustomStringConvertible {
    var description: String {
        Item.allCases.map { "\($0) \(counts[$0, default: 0])" }.joined(separator: ", ")
    }
}
