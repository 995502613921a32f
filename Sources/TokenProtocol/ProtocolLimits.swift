/// The numbers that both sides of the socket go by.
package enum ProtocolLimits {
    /// The protocol's version: a changed meaning raises it, a new member or operation does not.
    package static let version = 1
    /// The longest line of a request in bytes, its end not counted: room for a prefetch of a thousand subjects.
    package static let longestLine = 65_536
    /// The most requests of one connection that wait for an answer: past it the connection is not read.
    package static let mostWaiting = 1_024
}
