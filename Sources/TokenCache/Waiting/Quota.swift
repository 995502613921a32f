/// How much of something that is scarce one uid may have while another needs it.
package enum Quota {
    /// The most that one of several uids may have.
    ///
    /// However large the configured share is, it is at most an even one: two uids at a half each would otherwise shut a
    /// third one out.
    ///
    /// - Parameters:
    ///   - total: How much there is.
    ///   - share: The configured share, over 0 and up to 1.
    ///   - contenders: How many uids have some or want some, the one that is asked for among them.
    package static func bound(_ total: Int, share: Double, contenders: Int) -> Int {
        max(1, Int(Double(total) * min(share, 1 / Double(max(1, contenders)))))
    }
}
