/// The numbers of a prefetch.
package struct PrefetchCount: Sendable, Equatable {
    package var queued = 0
    package var cached = 0
    package var refused = 0
}
