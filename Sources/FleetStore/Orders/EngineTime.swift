import FleetProtocol
import TokenCache

/// The engine's time at the moment at which an answer came.
///
/// By it a machine tells the engine when something ends, without a clock of its own that shows the time of day.
struct EngineTime: Sendable, Equatable {
    /// The engine's time in the answer, which was on its way for a moment.
    let time: Int64
    /// The arrival of the answer.
    let at: Instant

    /// The engine's time at an instant, or a moment earlier, but never a later one.
    func time(at instant: Instant) -> Int64 { time &+ Int64((instant - at).milliseconds) }

    /// The fence, or the latest plausible one if it is too far ahead of the engine's time.
    func bounded(_ fence: Int64, at now: Instant) -> Int64 { min(fence, EngineAnswer.latestFence(at: time(at: now))) }
}
