/// The numbers of keys that a prefetch has queued, found cached and rejected.
package struct PrefetchCount: Sendable, Equatable {
    package var queued = 0
    package var cached = 0
    package var refused = 0
}
