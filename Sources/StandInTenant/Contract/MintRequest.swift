/// A request of the token endpoint that keeps to the contract.
package struct MintRequest: Sendable, Equatable {
    /// The client's proof of its identity, not yet checked.
    package enum Proof: Sendable, Equatable {
        case secret(id: String, String)
        case assertion(String)  // A signed one, which names the client.
    }

    package var proof: Proof
    /// The user or the client whose token it asks for.
    package var key: StandInTenant.MintKey
    /// The client that asks, as it says.
    package var clientID: String
}
