import DaemonConfiguration
import Glibc
import SocketServer
import Systemd
import TokenCache

/// Everything that was found on this machine without asking the daemon or a tenant.
struct Machine: Sendable {
    let configuration: ConfigurationProbe.Result
    let proxies: ProxyProbe
    let secrets: SecretProbe
    /// The path of the applications' socket, or nil if this process can't connect to it.
    let requestsPath: String?
    /// The path of the operators' socket, or nil if this process can't connect to it.
    let adminPath: String?
    /// The tenants to look at.
    let tenants: [String]
    /// The findings about configuration, secrets, units and sockets.
    let findings: [Finding]
    /// True if the number of the daemon's process is known.
    let hasProcess: Bool
    /// The findings about the daemon's process.
    let processFindings: [Finding]

    init(
        configuration: ConfigurationProbe.Result,
        units: UnitProbe.Result,
        requests: SocketProbe.Result,
        admin: SocketProbe.Result,
        settings: Examination.Settings
    ) {
        let process = Self.process(units, [admin, requests]).flatMap(ProcessProbe.look)
        let environment = process?.environment ?? settings.environment
        let directory = environment["CREDENTIALS_DIRECTORY"]
        let secrets = SecretProbe(process?.reader, units.text, credentialsDirectory: directory)
        let all = configuration.configuration?.tenants ?? [:]
        let tenants = all.keys.filter { settings.tenant == nil || $0 == settings.tenant }.sorted()
        self.configuration = configuration
        self.tenants = tenants
        self.secrets = secrets
        proxies = ProxyProbe(environment: environment, secrets: secrets)
        requestsPath = requests.facts.isUsable ? requests.facts.path : nil
        adminPath = admin.facts.isUsable ? admin.facts.path : nil
        findings =
            configuration.facts.findings + Self.files(configuration, tenants, secrets)
            + tenants.flatMap { name in all[name].map { secrets.look(at: $0, name).map(\.finding) } ?? [] }
            + tenants.flatMap { Self.provision(configuration.configuration, $0) }
            + Self.judge(units) + [requests.facts.finding, admin.facts.finding]
        hasProcess = process != nil
        processFindings = Self.limits(process, configuration.configuration) + Self.audit(configuration, process)
    }

    /// The number of the daemon's process.
    private static func process(_ units: UnitProbe.Result, _ sockets: [SocketProbe.Result]) -> Int32? {
        guard units.units.isEmpty else { return units.service?.mainProcess }
        let listener = sockets.lazy.compactMap(\.listener?.process).first
        // Systemd listens for services that it starts, and here it is unknown which.
        return listener == 1 && UnitProbe.isBootedBySystemd ? nil : listener.flatMap { $0 > 0 ? $0 : nil }
    }

    /// The judgement of the files that the configuration consists of or names, if it can be read.
    private static func files(
        _ configuration: ConfigurationProbe.Result,
        _ tenants: [String],
        _ secrets: SecretProbe
    ) -> [Finding] {
        guard configuration.facts.obstacle == nil else { return [] }
        let probe = FileProbe(reader: secrets.reader, readerName: secrets.readerName)
        let sections = tenants.compactMap { name in configuration.configuration?.tenants[name].map { (name, $0) } }
        let facts = [probe.look(at: configuration.facts.path)].compactMap(\.self) + probe.look(atFilesOf: sections)
        return facts.map(\.finding)
    }

    private static func provision(_ configuration: DaemonConfiguration?, _ tenant: String) -> [Finding] {
        configuration.flatMap { ProvisionFacts($0, tenant) }?.findings ?? []
    }

    private static func judge(_ units: UnitProbe.Result) -> [Finding] {
        if let absence = units.absence { return [.skipped(.unit, nil, absence)] }
        return units.units.map(\.finding)
    }

    private static func limits(_ process: ProcessProbe.Result?, _ configuration: DaemonConfiguration?) -> [Finding] {
        guard let process else { return [.skipped(.limits, nil, "the daemon's process isn't known here")] }
        guard let configuration else { return [.skipped(.limits, nil, "the configuration can't be read")] }
        return LimitFacts(
            files: process.files,
            lockedMemory: process.lockedMemory,
            mayLockAll: process.mayLockAll,
            maxConnections: configuration.sockets.maxConnections,
            reservedFiles: OpenFileLimit.reserve + SocketServer.reservedAdminConnections,
            maxEntries: configuration.cachePolicy.maxEntries
        ).findings
    }

    private static func audit(_ configuration: ConfigurationProbe.Result, _ process: ProcessProbe.Result?) -> [Finding]
    {
        guard configuration.configuration != nil else { return [] }
        guard geteuid() == 0 || geteuid() == process?.reader.user ?? geteuid() else {
            let found = "only root and the daemon's user can look at the trail"
            return [.skipped(.audit, nil, found, "run the doctor as root")]
        }
        guard let fault = configuration.auditFault else { return [.ok(.audit, nil, "its destination can be written")] }
        return [.failed(.audit, nil, fault, "make the directory writable for the daemon, or correct audit.to")]
    }
}
