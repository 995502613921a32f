import DaemonConfiguration
import Logging
import NIOCore
import Secrets
import Tenant
import TokenCache
import TokenProtocol

/// The tenants' clients and secrets: makes the calls that the cache orders.
///
/// Secrets are read here, off the cache's loop. A client that a reload has replaced is closed when its last call is back.
actor TenantPool: TenantCalling {
    /// A secret is looked at again after a 401 at most so often: a tenant that refuses everybody costs no disk.
    private static let lookInterval = Duration.seconds(1)

    private struct Member {
        var number: Int
        var client: TenantClient
        var credential: ClientCredential
        var credentialSource: DaemonConfiguration.Credential
        var lastLook: Instant?
        var callsUnderWay = 0
    }

    private let source: ConfigurationSource
    private let group: any EventLoopGroup
    private let log: Logger
    private var members: [String: Member] = [:]
    private var retired: [Int: Member] = [:]
    private var lastNumber = 0
    private var secretChanged: @Sendable (String) async -> Void = { _ in }

    init(_ source: ConfigurationSource, on group: any EventLoopGroup, log: Logger) {
        self.source = source
        self.group = group
        self.log = log
    }

    /// Is told when a tenant's secret is found to have changed.
    func onSecretChange(_ notify: @escaping @Sendable (String) async -> Void) { secretChanged = notify }

    // MARK: Calls

    func mint(_ key: TokenKey) async -> MintResult {
        let name = key.user.tenant
        guard let member = members[name] else {
            return .failed(.unavailable("the tenant is no longer configured", pause: nil))
        }
        count(member.number, name, 1)
        let outcome = await member.client.mint(key.user.user, scopes: key.scopes, as: member.credential)
        // Meanwhile a reload may have put another client in its place, or another call have found a new secret.
        await callEnded(member.number, name)
        return result(outcome, secretChanged: await findsNewSecret(outcome, name, used: member.credential))
    }

    func revoke(_ token: AccessToken, tenant name: String) async -> RevocationResult {
        guard let member = members[name] else {
            return .failed(.unavailable("the tenant is no longer configured", pause: nil))
        }
        count(member.number, name, 1)
        let outcome = await member.client.revoke(token)
        await callEnded(member.number, name)
        switch outcome {
        case .taken: return .taken
        case .refused: return .refused
        case .failed(let outcome):
            guard case .failed(let failure) = result(outcome, secretChanged: false) else { return .refused }
            return .failed(failure)
        }
    }

    private func count(_ number: Int, _ name: String, _ calls: Int) {
        if members[name]?.number == number {
            members[name]?.callsUnderWay += calls
        } else {
            retired[number]?.callsUnderWay += calls
        }
    }

    private func callEnded(_ number: Int, _ name: String) async {
        count(number, name, -1)
        await closeUnused()
    }

    private nonisolated func result(_ outcome: MintOutcome, secretChanged: Bool) -> MintResult {
        switch outcome {
        case .minted(let token): .minted(token.accessToken, scope: token.scope, lifetime: token.lifetime)
        case .denied(let upstream): .failed(.denied(upstream, secretChanged: secretChanged))
        case .throttled(let retryAfter): .failed(.throttled(retryAfter: retryAfter))
        case .nonsense(let reason): .failed(.nonsense(reason))
        case .unavailable(let fault):
            switch fault.retryAfter {
            case .absent: .failed(.unavailable(fault.reason, pause: nil))
            case .unusable: .failed(.unavailable(fault.reason, pause: .unreadable))
            case .usable(let length): .failed(.unavailable(fault.reason, pause: .asked(length)))
            }
        }
    }

    // MARK: Secrets

    /// Whether a refused client has another secret by now than the call went out with.
    private func findsNewSecret(_ outcome: MintOutcome, _ name: String, used: ClientCredential) async -> Bool {
        guard case .denied(let upstream) = outcome, upstream.status == 401, let member = members[name] else {
            return false
        }
        if member.credential != used { return true }
        let now = ContinuousClock.now
        if let last = member.lastLook, now - last < Self.lookInterval { return false }
        members[name]?.lastLook = now
        guard let credential = read(member.credentialSource, name), credential != used else { return false }
        members[name]?.credential = credential
        log.notice(
            "the tenant refused the client, and its secret has changed: the new one is used",
            metadata: [
                LogKey.tenant: "\(name)"
            ]
        )
        await secretChanged(name)
        return true
    }

    private func read(_ source: DaemonConfiguration.Credential, _ name: String) -> ClientCredential? {
        do {
            return try self.source.credential(source)
        } catch {
            log.warning(
                "the client's secret can't be read again: the old one is kept",
                metadata: [
                    LogKey.tenant: "\(name)", LogKey.reason: "\(error)",
                ]
            )
            return nil
        }
    }

    // MARK: Configuration

    /// Takes over the tenants of a configuration; where one can't be set up, all stays as it was.
    ///
    /// - Returns: The tenants whose secret is another now.
    func apply(_ loaded: ConfigurationSource.Loaded) async throws(ConfigurationFaults) -> [String] {
        var next: [String: Member] = [:]
        var faults: [ConfigurationFaults.Fault] = []
        for (name, tenant) in loaded.configuration.tenants {
            guard let credential = loaded.credentials[name] else { continue }
            let settings = TenantSettings(tenant)
            if var kept = members[name], kept.client.settings == settings, tenant.caFile == nil {
                kept.credential = credential
                kept.credentialSource = tenant.credential
                next[name] = kept
                continue
            }
            do {
                lastNumber += 1
                next[name] = Member(
                    number: lastNumber,
                    client: try TenantClient(settings, on: group, memory: source.memory),
                    credential: credential,
                    credentialSource: tenant.credential
                )
            } catch {
                let message = "\(tenant.caFile ?? "") can't be read as certificates in PEM form"
                let key = "tenants.\(name).ca_file"
                faults.append(.init(file: source.path, line: tenant.lines.caFile, key: key, message: message))
            }
        }
        guard faults.isEmpty else {
            // The clients that could be set up were never used.
            for (name, member) in next where members[name]?.number != member.number { retired[member.number] = member }
            await closeUnused()
            throw ConfigurationFaults(faults)
        }
        let changed = next.filter { name, member in members[name].map { $0.credential != member.credential } ?? false }
            .keys
        for (name, member) in members where next[name]?.number != member.number { retired[member.number] = member }
        members = next
        await closeUnused()
        return changed.sorted()
    }

    /// Closes all clients.
    func shutdown() async {
        for (_, member) in members { retired[member.number] = member }
        members = [:]
        for number in retired.keys { retired[number]?.callsUnderWay = 0 }
        await closeUnused()
    }

    private func closeUnused() async {
        while let (number, member) = retired.first(where: { $0.value.callsUnderWay == 0 }) {
            retired[number] = nil
            do {
                try await member.client.shutdown()
            } catch {
                log.warning("a tenant's connections were not closed cleanly", metadata: [LogKey.reason: "\(error)"])
            }
        }
    }
}

extension TenantSettings {
    /// As the configuration gives them.
    init(_ tenant: DaemonConfiguration.Tenant) {
        self.init(
            origin: tenant.host,
            clientID: tenant.clientID,
            timeout: tenant.timeout,
            caFile: tenant.caFile,
            userAgent: "tokencached/\(Version.current)"
        )
    }
}
