import Secrets
import TokenCache
import TokenProtocol

/// A store that keeps tokens in an array and records each change.
final class RecordingTokenStore: TokenStore {
    private let recorder: EventRecorder
    private var tokens: [PersistedToken?] = []
    private let earlier: [PersistedToken]

    init(_ earlier: [PersistedToken], _ recorder: EventRecorder) {
        self.earlier = earlier
        self.recorder = recorder
    }

    func restore(to take: (Int, PersistedToken) -> Bool) {
        for token in earlier {
            let isTaken = take(tokens.count, token)
            if isTaken { tokens.append(token) } else { recorder.note(.removed(token.name)) }
        }
    }

    func persist(_ token: PersistedToken) -> Int? {
        guard !recorder.isFull else { return nil }
        tokens.append(token)
        recorder.note(.stored(token.name))
        return tokens.count - 1
    }

    func remove(_ recordID: Int) {
        recorder.note(.removed(tokens[recordID]?.name ?? "nothing"))
        tokens[recordID] = nil
    }

    func note(_ recordID: Int, lastUsed: Instant) { recorder.note(.used(tokens[recordID]?.name ?? "nothing")) }

    func stored(_ generation: UInt64) -> Bool {
        defer { recorder.isFull = false }
        return recorder.isFull
    }

    func end() { recorder.note(.ended) }
}

extension PersistedToken {
    /// The last part of the token's text, which names its user and its number.
    fileprivate var name: String {
        let bytes = unsafe token.text.withUnsafeBytes { unsafe Array($0) }
        return String(decoding: bytes[token.tokenRange], as: UTF8.self)
    }
}
