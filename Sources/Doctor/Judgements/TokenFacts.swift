import SafeText
package import TokenCacheClient

/// The daemon's answer to a request for a token.
package struct TokenFacts: Sendable {
    /// The reply without the token.
    package struct Received: Sendable, Equatable {
        package var source: String
        /// In seconds.
        package var expiresIn: Int
        package var isStale: Bool

        package init(source: String, expiresIn: Int, isStale: Bool = false) {
            self.source = source
            self.expiresIn = expiresIn
            self.isStale = isStale
        }
    }

    package var tenant: String?
    package var subject: String
    package var result: Result<Received, TokenCacheError>

    /// Creates facts.
    package init(tenant: String?, subject: String, result: Result<Received, TokenCacheError>) {
        self.tenant = tenant
        self.subject = subject
        self.result = result
    }
}

extension TokenFacts {
    /// The judgement.
    package var finding: Finding {
        switch result {
        case .success(let token): judge(token)
        case .failure(let error): .failed(.token, tenant, found(error), advice(on: error))
        }
    }

    private func judge(_ token: Received) -> Finding {
        let source = token.source == "tenant" ? "the tenant minted it now" : "from the cache"
        let found = "\(subject) gets a token: \(source), \(token.expiresIn / 60) min left"
        guard token.isStale else { return .ok(.token, tenant, found) }
        return .warning(
            .token,
            tenant,
            "\(found); the daemon would prefer a newer one and can't get it",
            "tokencachectl explain \(subject.quotedForShell) shows the reason"
        )
    }

    private func found(_ error: TokenCacheError) -> String {
        let upstream = error.upstream
        let words = [upstream?.status.map { "status \($0)" }, upstream?.code, upstream?.title].compactMap(\.self)
        let tenant = words.isEmpty ? "" : " (the tenant: \(words.joined(separator: ", ")))"
        let retry = error.retryAfter.map { "; try again in \($0.components.seconds) s" } ?? ""
        return "\(subject) gets no token: \(error.code): \(error.message)\(tenant)\(retry)"
    }

    private func advice(on error: TokenCacheError) -> String {
        switch error.code {
        case .denied where error.upstream?.status == 403:
            "see that the user is active, and that the OAuth client is published and trusted, with grant and scopes"
        // Tenants answer 400, 401 and 404 alike for a user that they don't know and for a client that is wrong.
        case .denied:
            "see that the tenant has a user with exactly this subject; if other users are denied, too, see the client's "
                + "secret, client_id and grant"
        case .forbidden: "add a rule for this user to the section access, or run the doctor as an application's user"
        case .unknownTenant: "run the doctor with --tenant, or set default_tenant"
        case .rateLimited: "tokencachectl stats shows the rate and the hold of the tenant"
        case .unavailable: "the steps before show whether the tenant is reachable; tokencachectl health shows a circuit"
        case .timeout:
            "the tenant is slow, or calls wait for their turn: tokencachectl explain \(subject.quotedForShell)"
        case .badUpstream: "something else than the tenant answers, often a proxy: journalctl -u tokencached -p warning"
        default: "tokencachectl explain \(subject.quotedForShell)"
        }
    }
}
