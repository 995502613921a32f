package import FleetProtocol

/// The settings of the engine that the machines share.
///
/// They are equatable, so that a reload finds out what has changed.
package struct FleetSettings: Sendable, Equatable {
    /// The address of the engine, or of any node of a cluster.
    package var url: EngineURL
    /// True if the engine is a cluster.
    package var isCluster: Bool
    /// True if a node of a cluster may refer to another machine that is reached without TLS.
    package var allowsPlain: Bool
    /// The engine's user, or nil for its default one.
    package var username: String?
    /// The user's password, or nil if the engine asks for none.
    package var password: EnginePassword?
    /// A file of certificate authorities that are trusted besides the system's.
    package var caFile: String?
    /// The time limit of an order.
    package var timeout: Duration
    /// The beginning of all names of keys.
    package var prefix: String
    /// The keys by which values are sealed and names are made.
    package var keys: FleetKeys

    /// The default time limit of an order: many times what a call takes within a data centre, and less than what a caller
    /// notices.
    package static let defaultTimeout = Duration.milliseconds(100)
    /// The default beginning of names.
    package static let defaultPrefix = "tokencached"

    /// Creates settings.
    package init(
        url: EngineURL,
        isCluster: Bool = false,
        allowsPlain: Bool = false,
        username: String? = nil,
        password: EnginePassword? = nil,
        caFile: String? = nil,
        timeout: Duration = FleetSettings.defaultTimeout,
        prefix: String = FleetSettings.defaultPrefix,
        keys: FleetKeys
    ) {
        self.url = url
        self.isCluster = isCluster
        self.allowsPlain = allowsPlain
        self.username = username
        self.password = password
        self.caFile = caFile
        self.timeout = timeout
        self.prefix = prefix
        self.keys = keys
    }

    /// True if connections that were opened with other settings can be kept.
    func sharesConnections(with other: FleetSettings) -> Bool {
        url == other.url && isCluster == other.isCluster && allowsPlain == other.allowsPlain
            && username == other.username && password == other.password && caFile == other.caFile
            && prefix == other.prefix
    }
}
