import Glibc

/// Asks systemd for the daemon's units.
enum UnitProbe {
    /// The daemon's service.
    static let service = "tokencached.service"
    private static let sockets = ["tokencached.socket", "tokencached-admin.socket"]
    private static let limit = Duration.seconds(5)

    /// The daemon's units.
    struct Result: Sendable {
        /// The service and the sockets, empty if systemd doesn't run or doesn't know the service.
        var units: [UnitFacts] = []
        var text: UnitText?
        /// The reason why there is nothing to judge.
        var absence: String?

        /// The unit of the daemon itself.
        var service: UnitFacts? { units.first { $0.name == UnitProbe.service } }
    }

    /// True if systemd runs this machine, by the test of `sd_booted(3)`.
    static var isBootedBySystemd: Bool { unsafe access("/run/systemd/system", F_OK) == 0 }

    static func look() -> Result {
        guard isBootedBySystemd else {
            return Result(absence: "systemd doesn't run this machine")
        }
        let properties = UnitFacts.properties.joined(separator: ",")
        let show = ["systemctl", "show", "--no-pager", "--property=\(properties)", service] + sockets
        guard let shown = ProgramOutput.of(show, within: limit) else {
            return Result(absence: "systemctl show gives no answer")
        }
        let units = UnitFacts.read(shown)
        guard let daemon = units.first(where: { $0.name == service }), daemon.isLoaded else {
            return Result(absence: "systemd has no unit \(service)")
        }
        let text = ProgramOutput.of(["systemctl", "cat", "--no-pager", service], within: limit)
        return Result(units: units, text: text.map(UnitText.init))
    }
}
