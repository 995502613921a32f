extension StandInTenant {
    /// What the stand-in speaks below HTTP.
    package enum TransportSecurity: String, Sendable, CaseIterable {
        /// Plain HTTP.
        case none
        /// HTTPS with a certificate that is right for every loopback name, signed by the stand-in's own authority.
        case valid
        /// HTTPS with a certificate that ran out yesterday.
        case expired
        /// HTTPS with a certificate that will be valid from tomorrow on.
        case notYetValid = "not-yet-valid"
        /// HTTPS with a certificate for another host.
        case wrongName = "wrong-name"
    }
}
