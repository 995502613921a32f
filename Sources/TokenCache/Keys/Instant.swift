/// A time on the clock that keeps running during suspend.
///
/// Expiry and refresh depend on this clock alone.
package typealias Instant = ContinuousClock.Instant
