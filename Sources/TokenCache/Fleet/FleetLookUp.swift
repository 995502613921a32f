/// A look at the second level, or a payment, that has not been answered.
struct FleetLookUp {
    /// Its purpose.
    enum Purpose: Equatable {
        /// A look that takes nothing.
        case peek
        /// A look that takes the lease of this name, and pays for the call.
        case claim(nonce: UInt64)
        /// A payment for a call that mints nothing that is shared.
        case payment
    }

    let tenant: TenantID
    /// The key that is looked up, or nil for a payment.
    let key: TokenKey?
    let purpose: Purpose
    /// True if a part of the bucket is left to other calls.
    var isReserved = false
    /// True if another machine has stored a token, or given up, since the look was ordered.
    var isOutdated = false
}
