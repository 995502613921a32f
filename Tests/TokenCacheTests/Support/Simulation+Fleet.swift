import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

/// The second level as tests play it.
extension Simulation {
    /// Creates a cache whose second level answers.
    static func inFleet(_ policy: TenantPolicy = .test(), machines: Int = 1) -> Simulation {
        var cache = Simulation(tenants: ["main": policy])
        cache.fleet { $0.setFleet(FleetPolicy(machines: machines), now: $1) }
        cache.connect()
        return cache
    }

    /// Lets the second level answer.
    @discardableResult
    mutating func connect(_ epoch: String = "one", tenant: TenantID = "main") -> [Delivery] {
        happen(.connected(tenant, epoch: epoch))
    }

    @discardableResult
    mutating func happen(_ event: FleetEvent) -> [Delivery] { fleet { $0.fleetHappened(event, now: $1) } }

    /// Answers a look or a payment.
    @discardableResult
    mutating func answer(
        _ call: CallID,
        _ outcome: FleetAnswer.Outcome,
        level: Double? = 80,
        hold: FleetLimits.Hold? = nil,
        time: Int64 = 1_000
    ) -> [Delivery] {
        let limits = level.map { FleetLimits(level: $0, hold: hold, time: FleetFence(time)) }
        return fleet { $0.fleetAnswered(call, FleetAnswer(outcome, limits), now: $1) }
    }

    @discardableResult
    mutating func answerDrop(_ drop: FleetDropID, _ answer: FleetDropAnswer?) -> [Delivery] {
        fleet { $0.fleetDropAnswered(drop, answer, now: $1) }
    }

    mutating func answerClaim(_ call: CallID, _ isOurs: Bool) {
        fleet { $0.revocationClaimed(call, isOurs, now: $1) }
    }

    /// Returns the only order, which is a look.
    mutating func onlyLook(sourceLocation: SourceLocation = #_sourceLocation) throws -> (call: CallID, look: FleetLook)
    {
        let orders = fleetOrders()
        #expect(orders.count == 1, "\(orders)", sourceLocation: sourceLocation)
        guard case .look(let call, let look)? = orders.first else {
            throw Unexpected(orders: orders)
        }
        return (call, look)
    }

    /// Returns the only order, which is a drop.
    mutating func onlyDrop(
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (id: FleetDropID, drop: FleetDrop) {
        let orders = fleetOrders()
        #expect(orders.count == 1, "\(orders)", sourceLocation: sourceLocation)
        guard case .drop(let id, let drop)? = orders.first else { throw Unexpected(orders: orders) }
        return (id, drop)
    }

    /// Puts a fresh token into the cache that the machine has minted with a lease of this fence.
    ///
    /// - Returns: The token's fingerprint.
    @discardableResult
    mutating func warmInFleet(
        _ key: TokenKey,
        fence: Int64,
        lifetime: Duration = .seconds(21_600)
    ) throws -> Fingerprint {
        #expect(ask(key) == .wait)
        let look = try onlyLook()
        answer(look.call, .go(FleetFence(fence)), time: fence)
        let delivery = try #require(succeed(onlyMint(), lifetime: lifetime).first)
        _ = fleetOrders()
        return try #require(delivery.reply.token).token.fingerprint
    }

    /// Returns a token of the second level.
    func stored(_ text: String, fence: Int64, left: Duration = .seconds(20_000)) -> FleetToken {
        FleetToken(
            token: GrantedToken(AccessToken(text), scope: "user_default", expiresAt: WallTime(seconds: 1_795_020_000)),
            lifetime: .seconds(21_600),
            expiry: now + left,
            fence: FleetFence(fence)
        )
    }

    /// Other orders than a test expects.
    struct Unexpected: Error {
        let orders: [FleetOrder]
    }
}
