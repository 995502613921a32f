import Secrets
import Synchronization
import TokenCache
import TokenProtocol

/// A tenant that answers at once, with tokens that name their user and their number.
final class ImmediateTenant: TenantCalling {
    private let minted = Mutex<[TokenKey: Int]>([:])

    func mint(_ key: TokenKey, in trace: TraceContext?) async -> MintOutcome {
        let number = minted.withLock { minted in
            minted[key, default: 0] += 1
            return minted[key, default: 0]
        }
        let user = String(decoding: key.user.user.value, as: UTF8.self)
        return .minted(AccessToken("\(user)-\(number)"), scope: nil, lifetime: .seconds(1_000))
    }

    func mintForClient(_ key: TokenKey, clientID: String, in trace: TraceContext?) async -> MintOutcome {
        await mint(key, in: trace)
    }

    func revoke(_ token: AccessToken, tenant: TenantID, in trace: TraceContext?) async -> RevocationOutcome {
        .accepted
    }

    func call(
        _ call: APICall,
        tenant: TenantID,
        bearer: AccessToken,
        in trace: TraceContext?
    ) async -> APIOutcome {
        .done
    }
}
