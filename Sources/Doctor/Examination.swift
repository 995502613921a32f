import DaemonConfiguration
import TokenCacheClient

/// Looks at an installation step by step.
///
/// The steps are in an order in which the first failure is the cause of later ones.
package struct Examination: Sendable {
    static let packagedConfiguration = "/etc/tokencached/tokencached.yaml"
    /// The time limit of steps that only look at this machine.
    static let localLimit = Duration.seconds(15)

    let settings: Settings

    /// Creates an examination.
    package init(_ settings: Settings) { self.settings = settings }

    /// Performs all steps.
    ///
    /// - Parameter report: Gets each finding as soon as there is one.
    package func run(_ report: (Finding) throws -> Void) async throws -> Diagnosis {
        var diagnosis = Diagnosis()
        func add(_ finding: Finding) throws {
            diagnosis.add(finding)
            try report(finding)
        }
        guard var machine = await Bounded.run(within: Self.localLimit, { look() }) else {
            try add(Self.hang)
            return diagnosis
        }
        try machine.findings.forEach(add)
        let daemon = await greet(machine)
        try add(daemon?.finding ?? .skipped(.daemon, nil, "no socket can be used"))
        // The greeting may have made systemd start the daemon.
        if !machine.hasProcess, case .success? = daemon?.version {
            machine = await Bounded.run(within: Self.localLimit) { look() } ?? machine
        }
        try machine.processFindings.forEach(add)
        var rest = machine.tenants[...]
        while !rest.isEmpty {
            try await reach(Array(rest.prefix(Self.tenantsTogether)), machine).forEach(add)
            rest = rest.dropFirst(Self.tenantsTogether)
        }
        try await tryEngine(machine).forEach(add)
        // Each further request to a daemon that hangs would take its whole time.
        if daemon?.isHung == true {
            try add(.skipped(.token, settings.tenant, "the daemon doesn't answer"))
            try add(.skipped(.health, nil, "the daemon doesn't answer"))
            return diagnosis
        }
        try add(await token(machine))
        try await account(machine).forEach(add)
        return diagnosis
    }

    private static var hang: Finding {
        .failed(
            .configuration,
            nil,
            "looking at files, accounts and units took more than \(Int(localLimit / .seconds(1))) s",
            "a name service or a network file system hangs: time getent passwd, df"
        )
    }

    // MARK: This machine

    private func look() -> Machine {
        var units = UnitProbe.look()
        let unitPath = units.text.map { $0.configurationPath ?? Self.packagedConfiguration }
        let path = settings.configuration ?? unitPath ?? Self.packagedConfiguration
        if let unitPath, unitPath != path {
            units = UnitProbe.Result(absence: "\(UnitProbe.service) has another configuration, \(unitPath)")
        }
        let configuration = ConfigurationProbe.look(at: path, wanted: settings.tenant)
        let sockets = configuration.configuration?.sockets ?? DaemonConfiguration.Sockets()
        let hasUnits = !units.units.isEmpty
        return Machine(
            configuration: configuration,
            units: units,
            requests: SocketProbe.look(
                at: settings.requestsPath ?? sockets.requests.path,
                .requests,
                hasUnits: hasUnits
            ),
            admin: SocketProbe.look(at: settings.adminPath ?? sockets.admin.path, .admin, hasUnits: hasUnits),
            settings: settings
        )
    }

    // MARK: The daemon

    /// Greets the daemon by the first socket that can be used.
    private func greet(_ machine: Machine) async -> DaemonFacts? {
        guard let path = machine.requestsPath ?? machine.adminPath else { return nil }
        return DaemonFacts(version: await DaemonProbe(path: path).version(), toolVersion: settings.toolVersion)
    }

    private func token(_ machine: Machine) async -> Finding {
        guard let subject = settings.subject else {
            return .skipped(
                .token,
                settings.tenant,
                "no user was named",
                "--subject SUBJECT asks the daemon for that user's token, which may cost one call to the tenant"
            )
        }
        guard let path = machine.requestsPath else {
            return .skipped(.token, settings.tenant, "the applications' socket can't be used")
        }
        let result = await DaemonProbe(path: path).token(subject, tenant: settings.tenant)
        return TokenFacts(tenant: settings.tenant, subject: subject, result: result).finding
    }

    private func account(_ machine: Machine) async -> [Finding] {
        guard let path = machine.adminPath else {
            return [.skipped(.health, nil, "the operators' socket can't be used")]
        }
        let probe = DaemonProbe(path: path)
        let findings: [Finding]
        switch await probe.health() {
        case .success(let health): findings = health.findings
        case .failure(let error):
            let advice = "run the doctor as root, or as a user of admin.users; systemctl status tokencached"
            return [.skipped(.health, nil, "the daemon doesn't tell its health: \(error.message)", advice)]
        }
        guard case .success(let stats) = await probe.stats() else { return findings }
        let lost = await probe.lostRecordCount()
        return findings + ActivityFacts(stats: stats, lostRecords: lost, tenants: machine.tenants).findings
    }
}
