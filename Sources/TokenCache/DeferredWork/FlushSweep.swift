/// A walk through everything that a flushed tenant may have left: entries, calls and negative entries.
struct FlushSweep {
    let tenant: TenantID
    let serial: UInt64
    var nextCall = 0
    var nextNegative = 0

    init(_ tenant: TenantID, upTo serial: UInt64) {
        self.tenant = tenant
        self.serial = serial
    }
}
