@testable import TokenCache

/// The calls of a cache: the new ones, and all.
struct CallSurvey {
    var new: [Call] = []
    /// All calls, or nil if nothing has changed.
    var present: Set<UInt64>?
}
