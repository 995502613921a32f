extension String {
    /// The text without the white space that proxies and servers put around a field's value (RFC 9110, section 5.5).
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
