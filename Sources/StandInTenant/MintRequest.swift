/// A request of the token endpoint that keeps to the contract.
package struct MintRequest: Sendable, Equatable {
    /// The client's id, not yet checked.
    package var clientID: String
    /// The client's secret, not yet checked.
    package var clientSecret: String
    /// The user and the scope.
    package var key: StandInTenant.MintKey
}
