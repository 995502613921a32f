import DaemonConfiguration
import Logging
import NIOCore
import Secrets
import Systemd
import Tenant
import TokenCache
import TokenProtocol

/// The tenants' clients and secrets: makes the calls that the cache orders.
///
/// A client belongs to a tenant's identity, so a call can reach no other origin than the one that it was ordered for.
/// Secrets are read here, off the cache's loop. A client that a reload has replaced is closed when its last call is back.
actor TenantClients: TenantCalling {
    /// A secret is looked at again after a 401 at most so often: a tenant that refuses everybody costs no disk.
    private static let lookInterval = Duration.seconds(1)

    /// A client, and how many calls use it.
    private struct Connection {
        let client: TenantClient
        var callsUnderWay = 0
        /// Whether a reload has replaced it: it is closed when its last call is back.
        var isReplaced = false
    }

    fileprivate struct Member {
        var connection: Int
        var credential: ClientCredential
        var credentialSource: DaemonConfiguration.Credential
        var lastLook: Instant?
        /// The file that the secret was last looked for in, as it was then.
        var stamp: SecretFile.Stamp?
    }

    /// What a configuration changes, checked and ready to be taken over.
    struct Prepared {
        /// The configured tenants' identities, by name.
        let identities: [String: TenantID]
        fileprivate let members: [TenantID: Member]
        fileprivate let registry: TenantRegistry
    }

    private let source: ConfigurationSource
    private let group: any EventLoopGroup
    private let log: Logger
    private var registry = TenantRegistry()
    private var members: [TenantID: Member] = [:]
    private var failures: [TenantID: FailureHistory] = [:]
    private var connections: [Int: Connection] = [:]
    private var lastConnection = 0
    private var secretChanged: @Sendable (TenantID) async -> Void = { _ in }

    init(_ source: ConfigurationSource, on group: any EventLoopGroup, log: Logger) {
        self.source = source
        self.group = group
        self.log = log
    }

    /// Is told when a tenant's secret is found to have changed.
    func onSecretChange(_ notify: @escaping @Sendable (TenantID) async -> Void) { secretChanged = notify }

    // MARK: Calls

    func mint(_ key: TokenKey) async -> MintOutcome {
        let tenant = key.user.tenant
        guard let member = members[tenant], let client = begin(member.connection) else { return .failed(Self.removed) }
        let outcome = await client.mint(key.user.user, scopes: key.scopes, as: member.credential)
        // Meanwhile a reload may have put another client in its place, or another call have found a new secret.
        end(member.connection)
        report(outcome, tenant)
        guard case .failed(.denied(let upstream, _)) = outcome,
            await findsNewSecret(upstream, tenant, used: member.credential)
        else { return outcome }
        return .failed(.denied(upstream, secretChanged: true))
    }

    func revoke(_ token: AccessToken, tenant: TenantID) async -> RevocationOutcome {
        guard let member = members[tenant], let client = begin(member.connection) else { return .failed(Self.removed) }
        let outcome = await client.revoke(token)
        end(member.connection)
        if case .failed(let failure) = outcome { report(.failed(failure), tenant) }
        return outcome
    }

    private static let removed = CallFailure.unavailable("the tenant is no longer configured")

    /// Says in the log why calls fail, once for each cause, and when they no longer do.
    private func report(_ outcome: MintOutcome, _ tenant: TenantID) {
        guard members[tenant] != nil else { return }
        switch failures[tenant, default: FailureHistory()].note(outcome, now: .now) {
        case .fails(let reason, let code):
            var metadata: Logger.Metadata = [LogKey.tenant: "\(tenant.name)", LogKey.reason: "\(reason)"]
            if let code { metadata[LogKey.code] = "\(code)" }
            log.warning("a call to the tenant failed", metadata: metadata)
        case .recovers:
            log.notice("calls to the tenant no longer fail", metadata: [LogKey.tenant: "\(tenant.name)"])
        case nil: break
        }
    }

    private func begin(_ connection: Int) -> TenantClient? {
        connections[connection]?.callsUnderWay += 1
        return connections[connection]?.client
    }

    private func end(_ connection: Int) {
        connections[connection]?.callsUnderWay -= 1
        closeUnused()
    }

    // MARK: Secrets

    /// Whether a refused client has another secret by now than the call went out with.
    private func findsNewSecret(
        _ upstream: ErrorReply.Upstream,
        _ tenant: TenantID,
        used: ClientCredential
    ) async -> Bool {
        guard upstream.status == 401, let member = members[tenant] else { return false }
        if member.credential != used { return true }
        let now = ContinuousClock.now
        let stamp = source.stamp(of: member.credentialSource)
        // To look at the file's times costs next to nothing, so a change is found even right after another look.
        if let last = member.lastLook, now - last < Self.lookInterval, stamp == member.stamp { return false }
        members[tenant]?.lastLook = now
        members[tenant]?.stamp = stamp
        guard let credential = read(member.credentialSource, tenant), credential != used else { return false }
        members[tenant]?.credential = credential
        log.notice(
            "the tenant refused the client, and its secret has changed: the new one is used",
            metadata: [LogKey.tenant: "\(tenant.name)"]
        )
        await secretChanged(tenant)
        return true
    }

    private func read(_ source: DaemonConfiguration.Credential, _ tenant: TenantID) -> ClientCredential? {
        do {
            return try self.source.credential(source)
        } catch {
            log.warning(
                "the client's secret can't be read again: the old one is kept",
                metadata: [LogKey.tenant: "\(tenant.name)", LogKey.reason: "\(error)"]
            )
            return nil
        }
    }

    // MARK: Configuration

    /// Sets up the tenants of a configuration beside the present ones; where one can't be, all stays as it was.
    ///
    /// From here on calls to both can be made; ``take(_:)`` has to follow when the cache knows the new ones.
    func prepare(_ loaded: ConfigurationSource.Loaded) throws(ConfigurationFaults) -> Prepared {
        var registry = registry
        let identities = registry.identify(loaded.configuration.tenants.mapValues(\.identity))
        var next: [TenantID: Member] = [:]
        var faults: [ConfigurationFaults.Fault] = []
        for (name, tenant) in loaded.configuration.tenants {
            guard let credential = loaded.credentials[name], let id = identities[name] else { continue }
            do {
                next[id] = Member(
                    connection: try connection(for: id, tenant, loaded.proxies[name]),
                    credential: credential,
                    credentialSource: tenant.credential,
                    lastLook: members[id]?.lastLook
                )
            } catch {
                let message = Self.unusableAuthorities(tenant.caFile ?? "")
                let key = "tenants.\(name).ca_file"
                faults.append(.init(file: source.path, line: tenant.lines.caFile, key: key, message: message))
            }
        }
        guard faults.isEmpty else {
            replaceConnections(besides: members)
            closeUnused()
            throw ConfigurationFaults(faults)
        }
        for (id, member) in next where members[id] == nil { members[id] = member }
        return Prepared(identities: identities, members: next, registry: registry)
    }

    /// The sentence on a file of authorities that can't be used.
    static func unusableAuthorities(_ path: String) -> String { "\(path) can't be read as certificates in PEM form" }

    /// Takes prepared tenants over; the others are gone.
    ///
    /// - Returns: The tenants whose secret is another now.
    func take(_ prepared: Prepared) -> [TenantID] {
        let changed = prepared.members.filter { id, member in
            members[id].map { $0.credential != member.credential } ?? false
        }
        registry = prepared.registry
        members = prepared.members
        failures = failures.filter { members[$0.key] != nil }
        replaceConnections(besides: members)
        closeUnused()
        return changed.keys.sorted { $0.name < $1.name }
    }

    /// The connection of a tenant: the present one, unless its settings have changed or its file of authorities may have.
    private func connection(
        for id: TenantID,
        _ tenant: DaemonConfiguration.Tenant,
        _ proxy: ProxySettings?
    ) throws -> Int {
        let settings = TenantSettings(tenant, proxy: proxy)
        if let present = members[id]?.connection, connections[present]?.client.settings == settings,
            tenant.caFile == nil
        {
            return present
        }
        lastConnection += 1
        let client = try TenantClient(settings, on: group, memory: source.memory)
        connections[lastConnection] = Connection(client: client)
        return lastConnection
    }

    private func replaceConnections(besides members: [TenantID: Member]) {
        let used = Set(members.values.map(\.connection))
        for number in connections.keys where !used.contains(number) { connections[number]?.isReplaced = true }
    }

    /// Closes all clients.
    func shutdown() {
        members = [:]
        for number in connections.keys {
            connections[number]?.isReplaced = true
            connections[number]?.callsUnderWay = 0
        }
        closeUnused()
    }

    private func closeUnused() {
        for (number, unused) in connections where unused.isReplaced && unused.callsUnderWay == 0 {
            connections[number] = nil
            unused.client.shutdown()
        }
    }
}

extension TenantSettings {
    /// As the configuration gives them.
    init(_ tenant: DaemonConfiguration.Tenant, proxy: ProxySettings?) {
        self.init(
            origin: tenant.host,
            clientID: tenant.clientID,
            timeout: tenant.timeout,
            caFile: tenant.caFile,
            userAgent: "tokencached/\(Version.current)"
        )
        self.proxy = proxy
    }
}
