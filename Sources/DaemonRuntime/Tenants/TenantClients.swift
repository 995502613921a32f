package import DaemonConfiguration
import Dispatch
package import Logging
package import NIOCore
package import Secrets
package import Tenant
package import TokenCache
package import TokenProtocol

/// The tenants' clients and secrets, which make the calls that the cache orders.
///
/// A client belongs to a tenant's identity, so a call can reach no other origin than the one that it was ordered for.
/// Secrets are read here, off the cache's loop. A client that a reload has replaced is closed when its last call ends.
package actor TenantClients: TenantCalling {
    /// One tenant of the present configuration.
    fileprivate struct Member {
        /// The number of its client.
        var client: Int
        var known: KnownCredential
        /// The credentials of the further clients.
        var further: [FurtherClient: KnownCredential] = [:]

        /// The credential of one of its clients, which is removed by nil.
        subscript(further: FurtherClient?) -> KnownCredential? {
            get { further.map { self.further[$0] } ?? known }
            set {
                if let further { self.further[further] = newValue } else if let newValue { known = newValue }
            }
        }
    }

    /// A further client of a tenant.
    ///
    /// While a reload changes its id, calls by both are made.
    fileprivate struct FurtherClient: Hashable {
        let name: String
        let clientID: String
    }

    /// The tenants of a configuration, checked and ready for ``apply(_:)``.
    package struct Prepared: Sendable {
        /// The configured tenants' identities, by name.
        package let identities: [String: TenantID]
        fileprivate let members: [TenantID: Member]
        fileprivate let registry: TenantRegistry
    }

    private let source: ConfigurationSource
    private let group: any EventLoopGroup
    private let log: Logger
    private let loadAuthorities: TrustStore.Loader
    private var registry = TenantRegistry()
    private var members: [TenantID: Member] = [:]
    /// The secrets that can't be read again.
    private var unreadable: [ClientReference: Incident] = [:]
    private var clients = ClientTable<TenantClient>()
    /// The system's authorities, which are read once for all tenants without a file of their own.
    private var systemTrust: TrustStore?
    private var secretChanged: @Sendable (ClientReference) async -> Void = { _ in }

    /// Creates an actor without tenants.
    ///
    /// - Parameters:
    ///   - source: The source of the secrets.
    ///   - group: The event loops of the calls.
    ///   - loadAuthorities: The reader of the system's authorities.
    package init(
        _ source: ConfigurationSource,
        on group: any EventLoopGroup,
        log: Logger,
        loadAuthorities: @escaping TrustStore.Loader = TrustStore.load
    ) {
        self.source = source
        self.group = group
        self.log = log
        self.loadAuthorities = loadAuthorities
    }

    /// Sets the function that is called when a client's secret is found to have changed.
    package func onSecretChange(_ notify: @escaping @Sendable (ClientReference) async -> Void) {
        secretChanged = notify
    }

    // MARK: Calls

    package func mint(_ key: TokenKey, in trace: TraceContext? = nil) async -> MintOutcome {
        // The tenant's own client acts for users only.
        guard key.user.clientName == nil else { return .failed(Self.clientRemoved) }
        return await mint(key, as: nil, in: trace)
    }

    package func mintForClient(
        _ key: TokenKey,
        clientID: String,
        in trace: TraceContext? = nil
    ) async -> MintOutcome {
        guard let name = key.user.clientName else { return .failed(Self.clientRemoved) }
        return await mint(key, as: FurtherClient(name: name, clientID: clientID), in: trace)
    }

    /// Mints a key's token as the tenant's own client or as a further one.
    private func mint(_ key: TokenKey, as further: FurtherClient?, in trace: TraceContext?) async -> MintOutcome {
        let tenant = key.user.tenant
        guard let member = members[tenant] else { return .failed(Self.removed) }
        guard let used = member[further]?.credential, let client = clients.begin(member.client) else {
            return .failed(Self.clientRemoved)
        }
        let user = key.user.user
        let outcome = await client.mint(user, scopes: key.scopes, as: used, of: further?.clientID, in: trace)
        // Meanwhile a reload may have replaced the client, or another call may have found a new secret.
        end(member.client)
        guard case .failed(.denied(let upstream, _)) = outcome,
            await findsNewSecret(upstream, tenant, further, used: used)
        else { return outcome }
        return .failed(.denied(upstream, secretChanged: true))
    }

    package func revoke(
        _ token: AccessToken,
        tenant: TenantID,
        in trace: TraceContext? = nil
    ) async -> RevocationOutcome {
        guard let member = members[tenant], let client = clients.begin(member.client) else {
            return .failed(Self.removed)
        }
        let outcome = await client.revoke(token, in: trace)
        end(member.client)
        return outcome
    }

    package func call(
        _ call: APICall,
        tenant: TenantID,
        bearer: AccessToken,
        in trace: TraceContext? = nil
    ) async -> APIOutcome {
        guard let member = members[tenant], let client = clients.begin(member.client) else {
            return .failed(Self.removed)
        }
        let outcome = await client.call(call, bearer: bearer, in: trace)
        end(member.client)
        return outcome
    }

    private static let removed = CallFailure.unavailable("the tenant is no longer configured")
    private static let clientRemoved = CallFailure.unavailable("the client is no longer configured")

    private func end(_ client: Int) { close(clients.end(client)) }

    /// Returns true if there were many calls since it last returned true, and none since it was last called.
    package func hasBurstEnded() -> Bool { clients.hasBurstEnded() }

    // MARK: Secrets

    /// Looks for a new secret after a 401.
    ///
    /// - Returns: True if the client's secret is no longer the one that the call was made with. The cache then retries
    ///   the call once.
    private func findsNewSecret(
        _ upstream: ErrorReply.Upstream,
        _ tenant: TenantID,
        _ further: FurtherClient?,
        used: ClientCredential
    ) async -> Bool {
        guard upstream.status == 401, let known = members[tenant]?[further] else { return false }
        if known.credential != used { return true }
        let (stamp, client) = (source.stamp(of: known.source), ClientReference(tenant, name: further?.name))
        guard members[tenant]?[further]?.beginLook(stamp, now: ContinuousClock.now) == true,
            let credential = read(known.source, client), credential != used
        else { return false }
        members[tenant]?[further]?.credential = credential
        log.notice(
            "the tenant refused the client, and its secret has changed: the new one is used",
            metadata: Self.metadata(client)
        )
        await secretChanged(client)
        return true
    }

    private func read(_ source: DaemonConfiguration.Credential, _ client: ClientReference) -> ClientCredential? {
        do {
            let credential = try self.source.credential(source)
            unreadable[client] = nil
            return credential
        } catch {
            reportUnreadable(client, error, now: .now)
            return nil
        }
    }

    /// Logs that a secret can't be read again, at most once a minute.
    private func reportUnreadable(_ client: ClientReference, _ error: any Error, now: Instant) {
        unreadable[client, default: Incident()].note(until: nil, now: now)
        guard unreadable[client]?.report(at: now) != nil else { return }
        log.warning(
            "the client's secret can't be read again: the old one is kept",
            metadata: Self.metadata(client).merging([LogKey.reason: "\(error)"]) { $1 }
        )
    }

    private static func metadata(_ client: ClientReference) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.tenant: "\(client.tenant.name)"]
        if let name = client.name { metadata[LogKey.client] = "\(name)" }
        return metadata
    }

    // MARK: Configuration

    /// Sets up the tenants of a configuration beside the present ones.
    ///
    /// After a fault everything is as it was before.
    ///
    /// From here on calls to both can be made. ``apply(_:)`` has to follow when the cache knows the new ones.
    package func prepare(_ loaded: LoadedConfiguration) throws(ConfigurationFaults) -> Prepared {
        var registry = registry
        let identities = registry.identify(loaded.configuration.tenants.mapValues(\.policy.identity))
        var next: [TenantID: Member] = [:]
        var faults: [ConfigurationFaults.Fault] = []
        var trusts: [String: TrustStore] = [:]
        for (name, tenant) in loaded.configuration.tenants.sorted(by: { $0.key < $1.key }) {
            guard let credential = loaded.credentials[name], let id = identities[name] else { continue }
            do {
                let client = try client(for: id, tenant, loaded.proxies[name], &trusts)
                var known = KnownCredential(credential, from: tenant.credential)
                known.inheritLook(from: members[id]?.known)
                let further = further(of: tenant, loaded.clientCredentials[name] ?? [:], before: members[id])
                next[id] = Member(client: client, known: known, further: further)
            } catch {
                let message = Self.unusableAuthorities(tenant.caFile ?? "")
                faults.append(tenant.fault(name, "ca_file", tenant.lines.caFile, message, mainFile: source.path))
            }
        }
        guard faults.isEmpty else {
            replaceClients(except: members)
            throw ConfigurationFaults(faults, mainFile: source.path)
        }
        for (id, member) in next {
            members[id, default: member].further.merge(member.further) { present, _ in present }
        }
        return Prepared(identities: identities, members: next, registry: registry)
    }

    /// Returns the credentials of a tenant's further clients.
    private func further(
        of tenant: DaemonConfiguration.Tenant,
        _ credentials: [String: ClientCredential],
        before: Member?
    ) -> [FurtherClient: KnownCredential] {
        var further: [FurtherClient: KnownCredential] = [:]
        for (name, settings) in tenant.clients {
            guard let credential = credentials[name] else { continue }
            let client = FurtherClient(name: name, clientID: settings.clientID)
            var known = KnownCredential(credential, from: settings.credential)
            known.inheritLook(from: before?[client])
            further[client] = known
        }
        return further
    }

    /// The sentence on a file of authorities that can't be used.
    static func unusableAuthorities(_ path: String) -> String { "\(path) can't be read as certificates in PEM form" }

    /// Replaces the present tenants by prepared ones.
    ///
    /// - Returns: The clients whose secret has changed.
    package func apply(_ prepared: Prepared) -> [ClientReference] {
        let changed = prepared.members.flatMap { id, member in
            members[id].map { Self.changes(of: id, from: $0, to: member) } ?? []
        }
        registry = prepared.registry
        members = prepared.members
        unreadable = unreadable.filter { isConfigured($0.key) }
        replaceClients(except: members)
        return changed.sorted { ($0.tenant.name, $0.name ?? "") < ($1.tenant.name, $1.name ?? "") }
    }

    private func isConfigured(_ client: ClientReference) -> Bool {
        guard let member = members[client.tenant] else { return false }
        return client.name == nil || member.further.keys.contains { $0.name == client.name }
    }

    /// Returns the clients of one tenant whose secret differs between two configurations.
    private static func changes(of tenant: TenantID, from old: Member, to new: Member) -> [ClientReference] {
        let clients = [nil] + new.further.keys.map { Optional($0) }
        return clients.compactMap { client in
            guard let before = old[client], before.credential != new[client]?.credential else { return nil }
            return ClientReference(tenant, name: client?.name)
        }
    }

    /// Returns the number of a tenant's client: the present one, or a new one if its settings or its file of
    /// authorities may have changed.
    ///
    /// - Parameter trusts: The files of authorities that this configuration has read.
    private func client(
        for id: TenantID,
        _ tenant: DaemonConfiguration.Tenant,
        _ proxy: ProxySettings?,
        _ trusts: inout [String: TrustStore]
    ) throws -> Int {
        let settings = TenantSettings(tenant, proxy: proxy)
        if let present = members[id]?.client, clients[present]?.settings == settings, tenant.caFile == nil {
            return present
        }
        let trust = try trust(tenant.caFile, &trusts)
        return clients.add(try TenantClient(settings, on: group, trust: trust, memory: source.memory))
    }

    /// Returns the authorities of a file or the system, which are read once for all tenants.
    ///
    /// - Parameter trusts: The files that this configuration has read.
    private func trust(_ file: String?, _ trusts: inout [String: TrustStore]) throws -> TrustStore {
        guard let file else {
            let trust = try systemTrust ?? TrustStore(nil, load: loadAuthorities)
            systemTrust = trust
            return trust
        }
        let trust = try trusts[file] ?? TrustStore(file, load: loadAuthorities)
        trusts[file] = trust
        return trust
    }

    /// Reads the system's authorities for the tenants that need them, so that the first call finds them in memory.
    ///
    /// It takes milliseconds, so it is done on a queue of its own and after the daemon serves. A call that comes earlier
    /// reads them itself, or waits for this.
    package func readAuthorities() async {
        guard let systemTrust, members.values.contains(where: { usesSystemTrust($0) }) else { return }
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                // A fault is one of each call, which names it.
                _ = try? systemTrust.context()
                continuation.resume()
            }
        }
    }

    private func usesSystemTrust(_ member: Member) -> Bool {
        guard let client = clients[member.client] else { return false }
        return client.usesTLS && client.settings.caFile == nil
    }

    private func replaceClients(except members: [TenantID: Member]) {
        close(clients.replaceAll(except: Set(members.values.map(\.client))))
    }

    /// Closes all clients.
    package func shutdown() {
        members = [:]
        close(clients.removeAll())
    }

    private func close(_ clients: [TenantClient]) {
        for client in clients { client.shutdown() }
    }
}
