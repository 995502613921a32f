import FoundationEssentials

extension TenantMachine {
    /// Lists the users whom a filter matches.
    ///
    /// A client that doesn't manage users sees only the active ones. Without a condition on the state, deleted users
    /// are left out.
    func listUsers(_ filter: UserFilter?, _ page: PageRequest, for bearer: Bearer, at now: Date) -> APIReply {
        let showsDeleted = filter?.namesStatus ?? false
        let matching = users.entries.filter { entry in
            let isVisible =
                bearer.managesUsers ? showsDeleted || entry.user.status != .deleted : entry.user.status == .active
            return isVisible && entry.listedFrom <= now && filter?.matches(entry.user) ?? true
        }
        return list(matching, page) { entry in describe(entry, for: bearer) }
    }

    /// Lists the groups that were ever assigned.
    func listGroups(_ page: PageRequest) -> APIReply {
        list(users.groups, page) { id, group in
            JSONText.object([
                "id": JSONText.string(id), "tenantId": JSONText.string(Self.tenantID),
                "name": JSONText.string(group.name), "status": #""active""#,
                "providerType": JSONText.string(group.provider.rawValue),
            ])
        }
    }

    /// Lists the live tokens of a user.
    func listTokens(of id: String, _ page: PageRequest, at now: Date) -> APIReply {
        let records = users[id].map { entry in tokens.live(of: entry.user, at: now) } ?? []
        return list(records, page) { record in
            JSONText.object([
                "id": JSONText.string(record.id), "userId": JSONText.string(id),
                "tenantId": JSONText.string(Self.tenantID), "lastUsed": JSONText.string(now.iso8601),
                "deviceType": #""stand-in""#, "description": JSONText.string(record.scope),
            ])
        }
    }

    /// The JSON of a user, as much of it as the token may see.
    func describe(_ entry: UserDirectory.Entry, for bearer: Bearer) -> String {
        let user = entry.user
        guard bearer.managesUsers else {
            return JSONText.object(["id": JSONText.string(user.id), "name": JSONText.string(user.name)])
        }
        let groups = user.groups.map { group in
            JSONText.object([
                "id": JSONText.string(users.groupID(group)), "name": JSONText.string(group.name),
                "providerType": JSONText.string(group.provider.rawValue),
            ])
        }
        return JSONText.object([
            "id": JSONText.string(user.id), "tenantId": JSONText.string(Self.tenantID),
            "subject": JSONText.string(user.subject), "name": JSONText.string(user.name),
            "email": user.email.map(JSONText.string), "status": JSONText.string(user.status.rawValue),
            "createdAt": JSONText.string(entry.created.iso8601), "assignedRoles": "[]",
            "assignedGroups": JSONText.array(groups),
            "links": JSONText.object(["self": link(APITarget.prefix + "users/" + user.id)]),
        ])
    }

    private func list<Element>(_ elements: [Element], _ page: PageRequest, _ text: (Element) -> String) -> APIReply {
        let (slice, isLast) = page.slice(elements)
        let links = JSONText.object(["self": link(page.target), "next": isLast ? nil : nextLink(page)])
        return .json(200, JSONText.object(["data": JSONText.array(slice.map(text)), "links": links]))
    }

    private func link(_ target: String) -> String { JSONText.object(["href": JSONText.string(baseURL + target)]) }

    private func nextLink(_ page: PageRequest) -> String {
        let href =
            switch nextLinks {
            case .absolute: baseURL + page.following
            case .relative: page.following
            case .other: otherOriginURL + page.following
            case .loop: baseURL + page.target
            case .malformed: "http://[::1" + page.following
            }
        return JSONText.object(["href": JSONText.string(href)])
    }
}
