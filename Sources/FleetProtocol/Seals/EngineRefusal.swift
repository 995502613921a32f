/// A tenant's denial of a user, as it is sealed in the engine.
package struct EngineRefusal: Sendable, Equatable {
    /// The HTTP status.
    package var status: Int
    /// The tenant's own code.
    package var code: String?
    /// The tenant's own title.
    package var title: String?

    /// Creates a denial.
    package init(status: Int, code: String?, title: String?) {
        self.status = status
        self.code = code
        self.title = title
    }
}

extension TenantKeys {
    /// Seals a denial.
    package func seal(_ refusal: EngineRefusal, _ context: SealContext) -> [UInt8]? {
        let lengths = (refusal.code?.utf8.count ?? 0) + (refusal.title?.utf8.count ?? 0)
        var plain = PlainWriter(capacity: 32 + lengths)
        plain.append(Self.plainVersion)
        plain.append(Int32(truncatingIfNeeded: refusal.status))
        plain.append(refusal.code)
        plain.append(refusal.title)
        return seal(plain, context)
    }

    /// Opens a denial, or returns nil if it isn't one of this fleet's, or not one for this place.
    ///
    /// - Parameter number: The number of the key under whose names it was found, or nil to try all.
    package func openRefusal(_ sealed: [UInt8], _ context: SealContext, key number: Int? = nil) -> EngineRefusal? {
        guard
            var plain = open(sealed, context, key: number, in: nil),
            plain.number() == Self.plainVersion,
            let status = plain.number(Int32.self),
            let code = plain.optionalText(),
            let title = plain.optionalText(),
            plain.isAtEnd
        else { return nil }
        return EngineRefusal(status: Int(status), code: code, title: title)
    }
}
