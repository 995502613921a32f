/// The state of the configuration file.
package struct ConfigurationFacts: Sendable, Equatable {
    /// The reason why a file can't be read.
    package enum Obstacle: Sendable, Equatable {
        case missing
        case denied
    }

    package var path: String
    package var obstacle: Obstacle?
    /// The faults that would keep a daemon from starting, each as a sentence.
    package var faults: [String] = []
    /// Sentences about probable mistakes.
    package var notes: [String] = []
    /// The names of the tenants.
    package var tenants: [String] = []
    /// The tenant that the examination is confined to.
    package var wanted: String?

    /// Creates facts about a file without faults.
    package init(path: String) { self.path = path }
}

extension ConfigurationFacts {
    private static let example = "/usr/share/doc/tokencached/examples/tokencached.yaml"

    /// The findings, of which there is at least one.
    package var findings: [Finding] {
        if let obstacle { return [judge(obstacle)] }
        let faults = faults.map {
            Finding.failed(
                .configuration,
                nil,
                $0,
                "correct it, and run the doctor again; a daemon with this configuration doesn't start"
            )
        }
        let notes = notes.map {
            Finding.warning(
                .configuration,
                nil,
                $0,
                "if this is not meant, correct \(path), and run tokencachectl reload"
            )
        }
        if let wanted, self.faults.isEmpty, !tenants.contains(wanted) {
            return [
                .failed(
                    .configuration,
                    nil,
                    "\(path) has no tenant '\(wanted)'",
                    "name one of these with --tenant: \(tenants.sorted().joined(separator: ", "))"
                )
            ]
        }
        return faults.isEmpty ? [.ok(.configuration, nil, summary)] + notes : faults + notes
    }

    private func judge(_ obstacle: Obstacle) -> Finding {
        switch obstacle {
        case .missing:
            .failed(
                .configuration,
                nil,
                "\(path) doesn't exist",
                "create it (\(Self.example) is an example), or name another with --config"
            )
        case .denied:
            .failed(
                .configuration,
                nil,
                "this user may not read \(path)",
                "run the doctor as root; or give the file mode 644, as it contains no secret"
            )
        }
    }

    private var summary: String {
        "\(path) is valid: \(tenants.count) \(tenants.count == 1 ? "tenant" : "tenants")"
    }
}
