/// The quota of a uid for a scarce resource that other uids need, too.
package enum Quota {
    /// Returns the maximum for one of several uids.
    ///
    /// It is at most an even share, however large the configured share is: two uids with a half each would otherwise
    /// exclude a third.
    ///
    /// - Parameters:
    ///   - total: The total amount.
    ///   - share: The configured share, over 0 and up to 1.
    ///   - contenders: The number of uids that have some or want some, including this one.
    package static func bound(_ total: Int, share: Double, contenders: Int) -> Int {
        max(1, Int(Double(total) * min(share, 1 / Double(max(1, contenders)))))
    }
}
