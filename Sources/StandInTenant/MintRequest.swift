/// A request of the token endpoint that keeps to the contract.
package struct MintRequest: Sendable, Equatable {
    /// How a client says that it is that client, not yet checked.
    package enum Proof: Sendable, Equatable {
        /// By its id and a secret.
        case secret(id: String, String)
        /// By a signed assertion, which names it.
        case assertion(String)
    }

    /// The client's proof.
    package var proof: Proof
    /// The user and the scope.
    package var key: StandInTenant.MintKey
}
