import Foundation
import NIOHTTP1
import Secrets
import TokenCache
import TokenProtocol

@testable import Tenant

private let tenant = Endpoint(origin: "https://tenant.example")

/// Fuzzes a reply of the tenant's API: what is read from it is what Foundation reads, and can't lead elsewhere.
///
/// The input is a line with the number of the call and the status, lines with the values of `Date` and `Retry-After`,
/// then the body, which is also the subject of a search.
func fuzzUsers(_ input: [UInt8]) throws(BrokenPromise) {
    let parts = input.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let tenant else { return }
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    let head = texts[0].split(separator: " ")
    var headers = HTTPHeaders()
    if !texts[1].isEmpty { headers.add(name: "date", value: texts[1]) }
    if !texts[2].isEmpty { headers.add(name: "retry-after", value: texts[2]) }
    let calls: [APICall] = [
        .findUsers(subject: Array("ann".utf8), page: nil), .listTokens(userID: "u", page: nil), .revokeToken("t"),
        .createUser(NewUser(subject: Array("ann".utf8), name: "Ann", email: "ann@example.org")),
        .changeGroups(userID: "u", .replace([])),
    ]
    let call = calls[Int((head.first.flatMap { UInt($0) } ?? 0) % UInt(calls.count))]
    let status = head.count > 1 ? Int(head[1]) ?? 200 : 200
    let body = Array(parts[3])
    let hidden = HiddenTexts(personal: ["Ann", "ann@example.org"])
    let reply = TenantReply(status: status, headers: headers, wall: 1_800_000_000, hidden: hidden)
    try check(APIReply(reply: reply, tenant: tenant).outcome(of: call, body.span), of: call, body)
    try checkFilter(body)
}

private func check(_ outcome: APIOutcome, of call: APICall, _ body: [UInt8]) throws(BrokenPromise) {
    let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
    switch outcome {
    case .users(let users, let next):
        let data = object?["data"] as? [[String: Any]]
        try check(data?.count == users.count, "all users are read")
        for (user, members) in zip(users, data ?? []) { try check(user, members) }
        try checkLink(next, "/api/v1/users")
    case .created(let user): try check(user, object ?? [:])
    case .tokens(let ids, let next):
        let data = object?["data"] as? [[String: Any]]
        try check(data?.map { $0["id"] as? String } == ids, "all tokens are read")
        for id in ids { try checkID(id) }
        try checkLink(next, "/api/v1/oauth-tokens")
    case .refused(let upstream):
        for words in [upstream.code, upstream.title].compactMap(\.self) {
            try check(words.unicodeScalars.count <= 200, "the tenant's words are cut")
            let isSafe = words.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            try check(isSafe, "the tenant's words are safe to print")
            try check(words.firstRange(of: "ann@example.org") == nil, "no e-mail address is passed on")
        }
    case .done, .failed: break
    }
}

private func check(_ user: TenantUser, _ members: [String: Any]) throws(BrokenPromise) {
    try check(user.id == members["id"] as? String, "the id is the user's")
    try checkID(user.id)
    try check(user.subject == (members["subject"] as? String).map { Array($0.utf8) }, "the subject is the user's")
    try check(user.status == members["status"] as? String, "the status is the user's")
    let letters = user.status.unicodeScalars
    let isWord = letters.allSatisfy { $0.isASCII && $0.properties.isAlphabetic || $0 == "_" }
    try check(isWord, "a status is one word")
    let groups = (members["assignedGroups"] as? [[String: Any]] ?? []).map { $0["name"] as? String }
    try check(user.groups.map(\.name) == groups, "the groups are the user's")
}

/// Checks that an id stays one part of a path.
private func checkID(_ id: String) throws(BrokenPromise) {
    let path = "/a/\(id.percentEncoded)"
    let components = URLComponents(string: "https://tenant.example\(path)")
    try check(components?.path == "/a/\(id)" && components?.query == nil, "an id is a part of the path")
    let url = URL(string: "https://tenant.example\(path)")?.standardized
    try check(url?.path(percentEncoded: true) == path, "an id is no other path")
}

/// Checks that the request for a next page goes to the same list of the same tenant.
private func checkLink(_ target: String?, _ path: String) throws(BrokenPromise) {
    guard let target else { return }
    try check(target.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a target can't end the request's line")
    try check(target.hasPrefix("\(path)?") && !target.contains("#"), "a target leads to the same list")
}

/// Checks that a subject is one string of the filter, whatever is in it.
private func checkFilter(_ subject: [UInt8]) throws(BrokenPromise) {
    guard String(validating: subject, as: UTF8.self) != nil else { return }
    let target = APIRequest.make(.findUsers(subject: subject, page: nil), bearer: AccessToken("t")).target
    try checkLink(target, "/api/v1/users")
    let query = URLComponents(string: "https://tenant.example\(target)")?.queryItems ?? []
    let filter = query.first { $0.name == "filter" }?.value ?? ""
    let (start, end) = ("(subject eq ", ") and (status eq \"active\" or status eq \"invited\" or status eq")
    guard query.count == 2, filter.hasPrefix(start), let close = filter.range(of: end, options: .backwards) else {
        throw BrokenPromise(promise: "a search has one filter")
    }
    let string = Data(filter[start.endIndex..<close.lowerBound].utf8)
    let read = try? JSONSerialization.jsonObject(with: string, options: .fragmentsAllowed) as? String
    try check(read.map { Array($0.utf8) } == subject, "the filter's string is the subject")
}
