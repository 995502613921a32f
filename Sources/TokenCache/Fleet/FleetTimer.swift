/// Something that the use of the second level is woken for.
enum FleetTimer: Equatable {
    /// The lease of another machine ends, for whose token a mint waits.
    case endOfYield(CallID)
    /// The lease of a mint is extended.
    case renewal(CallID)
    /// A tenant's drops that were not answered are repeated.
    case drops(TenantID)
    /// A token is claimed for its revocation, which its user's logout has left to whoever has it.
    case claim(CallID)
    /// A tenant's suspect tokens have expired.
    case suspects(TenantID)
}
