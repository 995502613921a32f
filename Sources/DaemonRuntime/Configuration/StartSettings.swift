package import DaemonConfiguration

/// The settings that only a start puts into force.
///
/// A reload checks them and ignores their changes.
///
/// They are the section `sockets` and the command line's values for it. The daemon may not have the rights to bind a
/// socket any more, and the limit of open files is raised once.
package struct StartSettings: Sendable, Equatable {
    /// The paths, modes and groups of both sockets.
    package let requests: DaemonConfiguration.Socket
    package let admin: DaemonConfiguration.Socket
    /// The most connections that are wanted over both.
    package let maxConnections: Int

    /// Takes the settings of a configuration.
    package init(_ configuration: DaemonConfiguration) {
        requests = configuration.sockets.requests
        admin = configuration.sockets.admin
        maxConnections = configuration.sockets.maxConnections
    }
}
