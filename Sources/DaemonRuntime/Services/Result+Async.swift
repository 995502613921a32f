extension Result where Failure == any Error, Success: Sendable {
    /// Catches the result of an asynchronous function.
    static func of(_ body: () async throws -> Success) async -> Result {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
