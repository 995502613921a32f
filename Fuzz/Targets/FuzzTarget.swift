/// A fuzz target: it accepts any bytes, and throws if a promise is broken.
enum FuzzTarget: String, CaseIterable {
    case requests
    case hits
    case connection
    case grants
    case users
    case memory
    case configuration
    case client
    case resp

    /// Runs one input.
    func run(_ input: [UInt8]) throws(BrokenPromise) {
        switch self {
        case .requests: try fuzzRequests(input)
        case .hits: try fuzzHits(input)
        case .connection: try fuzzConnection(input)
        case .grants: try fuzzGrants(input)
        case .users: try fuzzUsers(input)
        case .memory: try fuzzMemory(input)
        case .configuration: try fuzzConfiguration(input)
        case .client: try fuzzClient(input)
        case .resp: try fuzzResp(input)
        }
    }
}
