/// The result of an operation of the API.
enum APIReply: Sendable, Equatable {
    case json(Int, String)
    case empty(Int)
    case error(Int, code: String, title: String, detail: String)

    /// The reply to a request about something that doesn't exist.
    static func missing(_ detail: String) -> APIReply {
        .error(404, code: "API-404", title: "Not found", detail: detail)
    }
}

extension Behaviour {
    /// The behaviour with the reply of an operation in place of a token, unless it has a reply of its own.
    func carrying(_ reply: APIReply) -> Behaviour {
        guard body == .token else { return self }
        switch reply {
        case .json(let status, let text): return with(\.status, status).with(\.body, .json(text))
        case .empty(let status): return with(\.status, status).with(\.body, .empty).with(\.contentType, nil)
        case .error(let status, let code, let title, let detail):
            return with(\.status, status).with(\.body, .tenantError(code: code, title: title, detail: detail))
        }
    }
}
