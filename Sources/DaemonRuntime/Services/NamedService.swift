import ServiceLifecycle

/// A service of the daemon as the service group sees it.
///
/// The group prints each service, and Swift searches the whole program for the way to print a type that it has not seen
/// yet. So the group gets services of one type only.
struct NamedService: Service, CustomStringConvertible {
    private let service: any DaemonService

    init(_ service: any DaemonService) { self.service = service }

    var description: String { service.description }

    func run() async throws { try await service.run() }
}
