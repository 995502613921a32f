import OperatorReplies
import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// Requests for tokens and prefetches: the answers that the rules demand, and the checks that they are given.
extension ModelRun {
    /// The answer that the model expects for a request.
    struct Judgement {
        enum Verdict {
            case serve(meetsMinTTL: Bool)
            case serveAndRefresh
            case mint
            case negative(ModelError)
            case paced(ModelError)
            /// The call could go at the very time of the caller's timeout, so both answers are right.
            case mintOrPaced(ModelError)
        }

        var verdict: Verdict
        var mayServeStale = false
    }

    // MARK: Judging

    func judge(_ key: ModelKey, _ options: RequestOptions) -> Judgement {
        var judgement = Judgement(verdict: .mint)
        if let entry = key.entry, !options.noCache {
            switch entry.verdict(at: now, minTTL: options.minTTL) {
            case .serve(let meets): return Judgement(verdict: .serve(meetsMinTTL: meets))
            case .serveAndRefresh: return Judgement(verdict: .serveAndRefresh)
            case .mint(let mayServeStale): judgement.mayServeStale = mayServeStale
            }
        }
        if key.tenant.isRetired {
            judgement.verdict = .negative(ModelError(code: .unknownTenant))
            return judgement
        }
        guard key.isConfigured else { return Judgement(verdict: .negative(ModelError(code: .invalidRequest))) }
        let peer = options.peer.uid
        let isUnderWay = key.current?.isSent ?? false
        if var error = key.negativeError(at: now), !options.noCache || error.code != .denied {
            // The latest end counts: after the denial ends, the tenant may still not be called.
            let earliest = key.tenant.earliest(of: key.current, for: peer, now: now)
            error.wait = max(error.wait ?? .zero, earliest - now)
            judgement.verdict = .negative(error)
        } else if !isUnderWay {
            judgement.verdict = pace(key, peer, until: now + options.timeout)
        }
        return judgement
    }

    /// Returns the verdict for a call that is queued or would be.
    private func pace(_ key: ModelKey, _ peer: PeerUID, until deadline: Instant) -> Judgement.Verdict {
        let tenant = key.tenant
        let earliest = tenant.earliest(of: key.current, for: peer, now: now)
        guard earliest + Self.tolerance > deadline, earliest > now else { return .mint }
        let start = max(now, tenant.block(now) ?? now)
        let isRate = earliest > start
        let code: ErrorReply.Code = isRate || tenant.isThrottled(now) ? .rateLimited : .unavailable
        let error = ModelError(code: code, wait: earliest - now)
        return earliest > deadline + Self.tolerance ? .paced(error) : .mintOrPaced(error)
    }

    // MARK: Asking

    /// Requests a token, and checks the answer against the rules.
    ///
    /// - Returns: The error, if the answer is one.
    @discardableResult
    func ask(_ key: ModelKey, _ options: RequestOptions) throws -> ErrorReply? {
        tally.note(.asked)
        let peer = options.peer.uid
        let isPlain = options == RequestOptions(peer: options.peer, trace: options.trace)
        let explained = isPlain && random.once(in: 4) ? machine.explain(key.key, for: peer, now: now).source : nil
        if let refused = options.refused {
            switch report(key, refused) {
            case .dropped: tally.note(.refusedTokenReplaced)
            case .tooYoung: tally.note(.refusedTokenTooYoung)
            case .unknown: break
            }
        }
        let judgement = judge(key, options)
        if try isHit(key, options, judgement) {
            if let explained, explained != .cache { throw violated("explain names \(explained), a request hits") }
            return nil
        }
        let waiter = newWaiter()
        let answer = begin(machine.request(key.key, options, waiter: waiter, now: now))
        trace("\(peer) asks for \(key), \(options.timeout), min \(options.minTTL ?? .zero): \(answer)")
        if let entry = key.entry { entry.ask(at: now, by: peer, use: newUse()) }
        try check(answer, against: judgement, key, options, waiter)
        if let explained { try check(explained, answer) }
        try finish()
        if case .fail(let error) = answer { return error }
        return nil
    }

    private func check(_ explained: ExplainReply.Source, _ answer: RequestAnswer) throws {
        tally.note(.explained)
        let given: ExplainReply.Source =
            switch answer {
            case .serve, .serveAndRefresh: .cache
            case .wait: .tenant
            case .fail: .error
            }
        guard explained == given else { throw violated("explain names \(explained), a request gets \(given)") }
    }

    /// Tries a hit first, as connections do, about half of the time.
    private func isHit(_ key: ModelKey, _ options: RequestOptions, _ judgement: Judgement) throws -> Bool {
        guard !options.noCache, options.refused == nil, random.once(in: 2) else { return false }
        let (user, peer) = (key.key.user, options.peer.uid)
        let noID: [UInt8] = []
        var output = OutputBuffer()
        let isHit = machine.answerHit(
            user.tenant,
            user.user.field,
            user.user.value.span,
            key.key.scopes,
            minTTL: options.minTTL,
            for: peer,
            at: machine.time(of: now),
            id: noID.span,
            into: &output
        )
        guard isHit else {
            guard output.isEmpty else { throw violated("a request that is no hit was answered") }
            return false
        }
        trace("\(peer) hits \(key)")
        guard case .serve(let meetsMinTTL) = judgement.verdict, let entry = key.entry else {
            throw violated("a request hit the cache that should not")
        }
        entry.ask(at: now, by: peer, use: newUse())
        try check(try TokenReply(line: &output), isOf: entry, key, options, meetsMinTTL: meetsMinTTL)
        return true
    }

    // MARK: Answers

    private func check(
        _ answer: RequestAnswer,
        against judgement: Judgement,
        _ key: ModelKey,
        _ options: RequestOptions,
        _ name: Waiter
    ) throws {
        let stale = judgement.mayServeStale ? key.entry : nil
        switch judgement.verdict {
        case .serve(let meetsMinTTL):
            guard case .serve(let reply) = answer, let entry = key.entry else { throw unexpected(answer, "a token") }
            try check(reply, isOf: entry, key, options, meetsMinTTL: meetsMinTTL)
        case .serveAndRefresh: try checkRefreshAnswer(answer, key, options)
        case .negative(let error):
            counters.negatives += stale == nil ? 1 : 0
            tally.note(.deniedByNegative)
            try check(answer, refuses: error, stale, key, options)
        case .paced(let error):
            tally.note(.rejectedByPace)
            try check(answer, refuses: error, stale, key, options)
        case .mintOrPaced(let error):
            if case .fail(let told) = answer, told.code == error.code, range(of: error, contains: told) { return }
            if case .serve(let reply) = answer, reply.isStale, options.timeout > .zero {
                return try check(answer, refuses: error, stale, key, options)
            }
            try checkMintAnswer(answer, key, options, stale, name)
        case .mint: try checkMintAnswer(answer, key, options, stale, name)
        }
    }

    private func unexpected(_ answer: RequestAnswer, _ expected: String) -> Violation {
        let given =
            switch answer {
            case .serve(let reply): reply.isStale ? "a stale token" : "a token"
            case .serveAndRefresh: "a token, and a refresh was queued"
            case .wait: "nothing yet"
            case .fail(let error): "\(error.code), \(error.description)"
            }
        return violated("a request got \(given) where it should have got \(expected)")
    }

    private func checkRefreshAnswer(_ answer: RequestAnswer, _ key: ModelKey, _ options: RequestOptions) throws {
        guard let entry = key.entry else { return }
        let isQueued = key.current == nil && key.negativeError(at: now) == nil
        switch answer {
        case .serve(let reply) where !isQueued: try check(reply, isOf: entry, key, options)
        case .serveAndRefresh(let reply) where isQueued:
            try check(reply, isOf: entry, key, options)
            _ = enqueueRefresh(of: key, entry)
        default: throw unexpected(answer, "a token\(isQueued ? ", and a refresh" : "")")
        }
    }

    private func check(
        _ answer: RequestAnswer,
        refuses error: ModelError,
        _ stale: ModelEntry?,
        _ key: ModelKey,
        _ options: RequestOptions
    ) throws {
        if let stale {
            guard case .serve(let reply) = answer else { throw unexpected(answer, "the old token") }
            tally.note(.servedStale)
            return try check(reply, isOf: stale, key, options, isStale: true)
        }
        guard case .fail(let told) = answer else { throw unexpected(answer, "\(error.code)") }
        try check(told, is: error)
    }

    /// Checks a token from the cache.
    private func check(
        _ reply: TokenReply,
        isOf entry: ModelEntry,
        _ key: ModelKey,
        _ options: RequestOptions,
        meetsMinTTL: Bool = true,
        isStale: Bool = false
    ) throws {
        counters.hits += 1
        tally.note(meetsMinTTL ? .servedFromCache : .servedUnmet)
        try check(reply, for: key, minTTL: options.minTTL, since: key.generation)
        guard reply.source == .cache, reply.token.fingerprint == entry.token.fingerprint else {
            throw violated("a request got another token than the cached one")
        }
        guard reply.meetsMinTTL == meetsMinTTL, reply.isStale == isStale else {
            throw violated("a token's marks are wrong")
        }
    }

    // MARK: Mints

    /// Checks a request that must wait, or queue a mint that it doesn't wait for.
    private func checkMintAnswer(
        _ answer: RequestAnswer,
        _ key: ModelKey,
        _ options: RequestOptions,
        _ stale: ModelEntry?,
        _ name: Waiter
    ) throws {
        let peer = options.peer.uid
        if let until = takeForced(key, options) {
            tally.note(.rejectedAsForced)
            let error = ModelError(code: .rateLimited, wait: until - now)
            return try check(answer, refuses: error, stale, key, options)
        }
        let waits = options.timeout > .zero
        let call = join(key, peer, waits: waits)
        call.traces.add(options.trace, waits: waits)
        guard waits else { return try check(answer, refuses: ModelError(code: .timeout), stale, key, options) }
        guard case .wait = answer else { throw unexpected(answer, "nothing yet") }
        tally.note(.queued)
        let waiter = ModelWaiter(name, key, options, acceptsStale: stale != nil, now: now)
        waiter.call = call
        waiter.forecast = key.tenant.forecast(for: call, until: waiter.deadline, now: now)
        call.waiters.append(waiter)
        add(waiter)
    }

    /// Joins the mint of a key, or queues it.
    private func join(_ key: ModelKey, _ peer: PeerUID, waits: Bool) -> ModelCall {
        if let call = key.current {
            counters.coalesced += 1
            call.requestedAt = now
            call.owner = peer
            if waits { key.tenant.promote(call, for: peer) }
            return call
        }
        counters.misses += 1
        let call = ModelCall(key, .caller, for: peer)
        call.requestedAt = now
        enqueue(call, as: waits ? .caller(peer) : .prefetch(peer))
        return call
    }

    /// Charges a forced mint to the caller's uid, or returns the time until which its allowance is empty.
    private func takeForced(_ key: ModelKey, _ options: RequestOptions) -> Instant? {
        let isReported = key.negative?.report == .unpaid
        guard key.current == nil, options.noCache || isReported else { return nil }
        if let until = key.tenant.takeForced(for: options.peer.uid, now: now) { return until }
        // If the mint fails, another try costs nothing.
        if isReported { change(key) { $0.report = .paid } }
        return nil
    }

    // MARK: Prefetches

    func prefetch(_ keys: [ModelKey], for peer: PeerUID) throws {
        let options = RequestOptions(timeout: .zero, peer: Self.peer(peer), trace: newTrace())
        let count = begin(machine.prefetch(keys.map(\.key), for: options.peer, in: options.trace, now: now))
        trace("\(peer) prefetches \(keys): \(count)")
        var expected = PrefetchCount()
        for key in keys {
            switch judge(key, options).verdict {
            case .serve, .serveAndRefresh: expected.cached += 1
            case .negative: expected.refused += 1
            case .mint, .paced, .mintOrPaced:
                if key.current != nil || enqueuePrefetch(key, options) {
                    key.current?.traces.add(options.trace, waits: false)
                    expected.queued += 1
                } else {
                    expected.refused += 1
                }
            }
        }
        guard count == expected else { throw violated("a prefetch counted \(count), not \(expected)") }
        try finish()
    }

    private func enqueuePrefetch(_ key: ModelKey, _ options: RequestOptions) -> Bool {
        guard takeForced(key, options) == nil else { return false }
        enqueue(ModelCall(key, .prefetch, for: options.peer.uid), as: .prefetch(options.peer.uid))
        return true
    }

    // MARK: What is remembered

    /// Changes the negative entry of a key, and removes the one that would be forgotten soonest beyond the limit.
    func change(_ key: ModelKey, _ change: (inout ModelNegative) -> Void) {
        var negative = key.negative ?? ModelNegative(forgetAt: now)
        change(&negative)
        key.negative = negative
        hasChangedNegatives = true
    }
}
