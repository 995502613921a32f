import Secrets
import TokenCache
import TokenProtocol

/// What callers get.
extension ModelRun {
    /// Takes replies to those who waited.
    mutating func take(_ deliveries: [Delivery]) throws {
        for delivery in deliveries {
            if logouts.remove(delivery.waiter) != nil { continue }
            guard let asker = askers.removeValue(forKey: delivery.waiter) else {
                throw violated("somebody got a reply who didn't wait")
            }
            switch delivery.reply {
            case .token(let reply):
                try check(reply, for: asker.key, minTTL: asker.minTTL, since: asker.generation)
            case .error(let error): try check(error, for: asker)
            default: throw violated("a caller got a reply that is no token and no error")
            }
        }
    }

    private func check(_ error: ErrorReply, for asker: Asker) throws {
        // Whoever has no wish of their own gets the living token rather than an error.
        guard !asker.noCache, asker.minTTL == nil, asker.generation == generation(asker.key),
            let token = living(asker.key), token.generation == asker.generation, token.sent < now
        else { return }
        throw violated("who waited got \(error.code) though a living token was there")
    }

    /// A token that is handed out.
    func check(_ reply: TokenReply, for key: TokenKey, minTTL: Duration?, since generation: Int) throws {
        guard let token = tokens[reply.token.fingerprint] else { throw violated("a token came that nobody minted") }
        let left = token.expiry - now
        if token.key != key { throw violated("a token of another key was handed out") }
        if token.isRevoked { throw violated("a token was handed out after its user's logout") }
        if !murky.contains(key), token.generation < generation {
            throw violated("who asked after an invalidation got a token from before it")
        }
        if left < .seconds(1), reply.source == .tenant {
            throw violated("a token with less than a second was handed out")
        }
        if reply.expiresIn != left.wholeSeconds { throw violated("expires_in is not what is left") }
        guard reply.source == .cache else { return }
        if left <= token.margin { throw violated("a token came from the cache within its margin") }
        if left < minTTL ?? .zero, reply.meetsMinTTL, !reply.isStale {
            throw violated("min_ttl was neither met nor marked")
        }
        if minTTL != nil, reply.isStale { throw violated("who insists on min_ttl got a stale token") }
    }

    /// Every wait has an end.
    func checkWaits() throws {
        for (_, asker) in askers where asker.deadline < now {
            throw violated("somebody waits past their timeout")
        }
    }
}
