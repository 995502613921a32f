extension StandInTenant {
    /// A user of the tenant.
    package struct User: Sendable, Equatable {
        /// The state of a user's account.
        package enum Status: String, Sendable, CaseIterable {
            case active, invited, disabled, deleted
        }

        /// A group that a user is in, found by name and provider.
        package struct Group: Sendable, Hashable {
            package var name: String
            package var provider: Provider

            package init(_ name: String, _ provider: Provider = .custom) {
                self.name = name
                self.provider = provider
            }
        }

        /// The origin of a group.
        package enum Provider: String, Sendable, CaseIterable {
            case custom
            case identityProvider = "idp"
        }

        /// The tenant's id for the user, which the tenant chooses if it is empty.
        package var id: String
        package var subject: String
        package var name: String
        package var email: String?
        package var status: Status
        package var groups: [Group]

        /// A user, whose name is the subject if none is given.
        package init(
            id: String = "",
            subject: String,
            name: String? = nil,
            email: String? = nil,
            status: Status = .active,
            groups: [Group] = []
        ) {
            self.id = id
            self.subject = subject
            self.name = name ?? subject
            self.email = email
            self.status = status
            self.groups = groups
        }
    }
}
