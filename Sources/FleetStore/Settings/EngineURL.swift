/// The address of an engine, as the configuration names it.
///
/// The user and the password have settings of their own.
package struct EngineURL: Sendable, Equatable {
    /// The place to connect to.
    package var address: EngineAddress
    /// True for TLS.
    package var isSecure: Bool
    /// The number of the database.
    package var database: Int

    /// Creates an address.
    package init(address: EngineAddress, isSecure: Bool = false, database: Int = 0) {
        self.address = address
        self.isSecure = isSecure
        self.database = database
    }
}
