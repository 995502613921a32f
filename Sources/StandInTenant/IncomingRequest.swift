/// A request as the stand-in received it, complete.
package struct IncomingRequest: Sendable, Equatable {
    /// A header field.
    package struct Field: Sendable, Equatable {
        /// The name in lower case.
        package var name: String
        /// The value without white space around it.
        package var value: String

        /// A field.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The method.
    package var method: String
    /// The request's target: the path, with its query if there is one.
    package var target: String
    /// The header fields in their order.
    package var fields: [Field]
    /// The body, cut off where it is longer than the stand-in takes.
    package var body: [UInt8]
    /// Whether the body was cut off.
    package var isTooLong = false
    /// Whether the connection may serve another request after it.
    package var keepsAlive = true

    /// A request.
    package init(method: String, target: String, fields: KeyValuePairs<String, String>, body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.fields = fields.map { field in Field(name: field.key.lowercased(), value: field.value) }
        self.body = body
    }

    /// All values of the fields of a name, which is given in lower case.
    package func values(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }
}
