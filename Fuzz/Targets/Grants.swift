import Foundation
import NIOHTTP1
import Secrets
import TokenCache
import TokenProtocol

@testable import Tenant

/// Fuzzes a tenant's reply: tokens are valid, times are in range, and nothing else of the reply is passed on.
///
/// The input is a line with the status, lines with the values of `Date` and `Retry-After`, then the body.
func fuzzGrants(_ input: [UInt8]) throws(BrokenPromise) {
    let parts = input.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return }
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    var headers = HTTPHeaders()
    if !texts[1].isEmpty { headers.add(name: "date", value: texts[1]) }
    if !texts[2].isEmpty { headers.add(name: "retry-after", value: texts[2]) }
    let head = TenantReply(status: Int(texts[0]) ?? 200, headers: headers, wall: 1_800_000_000)
    let reply = GrantReply(reply: head, memory: nil)
    let body = Array(parts[3])
    try check(reply.outcome(body.span))
    if case .failed(let failure) = reply.revocationOutcome(body.span) { try check(failure) }
    try checkDates(texts[1], texts[2])
}

private let longest = Duration.seconds(86_400 * 366)

private func check(_ outcome: MintOutcome) throws(BrokenPromise) {
    switch outcome {
    case .minted(let token, let scope, let lifetime):
        try check(lifetime)
        try check(token, scope)
    case .failed(let failure): try check(failure)
    }
}

private func check(_ failure: CallFailure) throws(BrokenPromise) {
    switch failure {
    case .denied(let upstream, _):
        for words in [upstream.code, upstream.title].compactMap(\.self) {
            try check(words.unicodeScalars.count <= 200, "the tenant's words are cut")
            let isSafe = words.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            try check(isSafe, "the tenant's words are safe to print")
        }
    case .throttled(let pause): try check(pause)
    case .unavailable(_, _, .usable(let pause)): try check(pause)
    case .unavailable, .malformed, .rejected, .noMemory: break
    }
}

private func check(_ time: Duration?) throws(BrokenPromise) {
    guard let time else { return }
    try check(time > .zero && time <= longest, "a time is in the future and in range")
}

private func check(_ token: AccessToken, _ scope: String?) throws(BrokenPromise) {
    let isVisible = unsafe token.bytes.withUnsafeBytes {
        unsafe $0.allSatisfy { (0x21...0x7E).contains($0) }
    }
    try check(isVisible && token.bytes.count > 0, "a token is visible ASCII")
    let encoded = GrantedToken(token, scope: scope ?? "", expiresAt: WallTime(seconds: 0))
    var output = OutputBuffer()
    ReplyEncoder.encode(.token(TokenReply(token: encoded, expiresIn: 1, source: .tenant)), id: nil, into: &output)
    let line = unsafe output.drain { unsafe Data($0) }
    let members = try? JSONSerialization.jsonObject(with: line) as? [String: Any]
    let answered = (members?["access_token"] as? String).map(AccessToken.init)
    try check(answered == token, "the token is answered as it was minted")
    try check(members?["scope"] as? String == scope ?? "", "the scope is answered as it was granted")
}

/// Checks that a date that is read is within the range of a calendar.
private func checkDates(_ texts: String...) throws(BrokenPromise) {
    for text in texts {
        for seconds in [HTTPDate.seconds(text), HTTPDate.timestamp(text)].compactMap(\.self) {
            try check(abs(seconds) < 400_000_000_000, "a date is within the range of a calendar")
        }
    }
}
