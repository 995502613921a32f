import TokenProtocol
import TokenStorage

/// A token that a tenant has minted.
struct MintedToken {
    let token: GrantedToken
    let life: TokenLife
    /// Its record, or none if it is not to be cached.
    let record: RecordID
}
