/// The members of `provision`.
package struct ProvisionRequest: Sendable, Equatable {
    /// The subject of the user, as UTF-8.
    package var subject: [UInt8]
    /// The name that the user is created with, or nil for none.
    package var name: String?
    /// The e-mail address that the user is created with, or nil for none.
    package var email: String?
    /// The groups that the user has to be in, without duplicates, or nil if no group is to be touched.
    package var groups: [String]?
    /// The tenant's name in the configuration, or nil for the default one.
    package var tenant: String?
    /// The longest time that the caller waits.
    package var timeout: Duration

    /// Creates a request for a user.
    package init(
        subject: [UInt8],
        name: String? = nil,
        email: String? = nil,
        groups: [String]? = nil,
        tenant: String? = nil,
        timeout: Duration = TokenRequest.defaultTimeout
    ) {
        self.subject = subject
        self.name = name
        self.email = email
        self.groups = groups
        self.tenant = tenant
        self.timeout = timeout
    }

    /// The user, as other operations name one.
    package var user: UserLookup { UserLookup(field: .subject, value: subject) }
}
