/// A user who is created at the tenant.
package struct NewUser: Sendable, Equatable {
    /// The subject, as UTF-8.
    package var subject: [UInt8]
    /// The name, or nil for none.
    package var name: String?
    /// The e-mail address, or nil for none.
    package var email: String?

    /// Creates a user.
    package init(subject: [UInt8], name: String?, email: String?) {
        self.subject = subject
        self.name = name
        self.email = email
    }
}
