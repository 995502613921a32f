extension TokenCacheClient {
    /// A user who exists in the tenant, and what had to be done for that.
    public struct ProvisionedUser: Sendable, Hashable {
        /// The tenant's own ID of the user.
        public let userID: String
        /// The user's status in the tenant.
        public let status: Status
        /// True if this call has created the user.
        public let created: Bool
        /// True if this call has added the user to a group or removed the user from one.
        public let groupsChanged: Bool
        /// The source of the answer, ``Source/cache`` if the daemon remembered the user.
        public let source: Source

        /// Creates a result, for a test double of the client.
        ///
        /// - Parameters:
        ///   - userID: The tenant's own ID of the user.
        ///   - status: The user's status in the tenant.
        ///   - created: True if the user has been created.
        ///   - groupsChanged: True if the user's groups have been changed.
        ///   - source: The source of the answer.
        public init(
            userID: String,
            status: Status = .active,
            created: Bool = false,
            groupsChanged: Bool = false,
            source: Source = .tenant
        ) {
            self.userID = userID
            self.status = status
            self.created = created
            self.groupsChanged = groupsChanged
            self.source = source
        }
    }
}

extension TokenCacheClient.ProvisionedUser: Decodable, OperationReply {
    /// Decodes a reply to `provision`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        userID = try members.decode(String.self, forKey: .userID)
        guard !userID.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .userID, in: members, debugDescription: "it is empty")
        }
        status = Status(rawValue: try members.decode(String.self, forKey: .status))
        created = try members.decode(Bool.self, forKey: .created)
        groupsChanged = try members.decode(Bool.self, forKey: .groupsChanged)
        source =
            try members.contains(.source)
            ? TokenCacheClient.Source(rawValue: members.decode(String.self, forKey: .source)) : .tenant
    }

    private enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case status
        case created
        case groupsChanged = "groups_changed"
        case source
    }
}
