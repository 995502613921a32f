/// The reason why the audit trail can't be written to its configured destination.
package struct AuditTrailError: Error, CustomStringConvertible {
    /// A sentence for operators.
    package let description: String

    init(_ description: String) { self.description = description }
}
