import CYAML

/// The events of a YAML text, one by one, as LibYAML finds them.
///
/// The text must outlive the parser.
@safe struct YAMLParser: ~Copyable {
    /// An event, with the line at which it begins.
    struct Event {
        /// The kind of an event.
        enum Kind {
            case streamStart
            case streamEnd
            case documentStart
            case documentEnd
            case alias(String)
            case scalar(String, isPlain: Bool, anchor: String?)
            case sequenceStart(anchor: String?)
            case sequenceEnd
            case mappingStart(anchor: String?)
            case mappingEnd
        }

        let kind: Kind
        let line: Int
    }

    /// LibYAML's state, which points into itself and therefore stays where it is.
    private let state: UnsafeMutablePointer<yaml_parser_t>

    /// Creates a parser of a text in UTF-8.
    init(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
        let state = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        unsafe state.initialize(to: yaml_parser_t())
        guard unsafe yaml_parser_initialize(state) == 1 else {
            unsafe state.deallocate()
            throw .syntax(problem: nil, line: nil)
        }
        unsafe self.state = state
        unsafe yaml_parser_set_encoding(state, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(state, text.baseAddress, text.count)
    }

    deinit {
        unsafe yaml_parser_delete(state)
        unsafe state.deallocate()
    }

    /// Reads the next event.
    mutating func next() throws(YAMLError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(state, &event) == 1 else { throw fault }
        defer { unsafe yaml_event_delete(&event) }
        return unsafe Event(kind: Event.Kind(event), line: Int(event.start_mark.line) + 1)
    }

    private var fault: YAMLError {
        switch unsafe state.pointee.error {
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            unsafe .syntax(
                problem: state.pointee.problem.map { unsafe String(cString: $0) },
                line: Int(state.pointee.problem_mark.line) + 1
            )
        default: .syntax(problem: nil, line: nil)
        }
    }
}

extension YAMLParser.Event.Kind {
    /// Copies LibYAML's event.
    fileprivate init(_ event: yaml_event_t) {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: self = .streamStart
        case YAML_DOCUMENT_START_EVENT: self = .documentStart
        case YAML_DOCUMENT_END_EVENT: self = .documentEnd
        case YAML_ALIAS_EVENT: self = unsafe .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT: self = unsafe Self.scalar(event.data.scalar)
        case YAML_SEQUENCE_START_EVENT:
            self = unsafe .sequenceStart(anchor: Self.text(event.data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: self = .sequenceEnd
        case YAML_MAPPING_START_EVENT: self = unsafe .mappingStart(anchor: Self.text(event.data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: self = .mappingEnd
        // LibYAML has one more kind, for no event, with which it answers after the end.
        default: self = .streamEnd
        }
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> Self {
        // A scalar may contain zeros.
        let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return unsafe .scalar(
            String(decoding: bytes, as: UTF8.self),
            isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
            anchor: text(scalar.anchor)
        )
    }

    private static func text(_ text: UnsafePointer<yaml_char_t>?) -> String? {
        unsafe text.map { unsafe String(cString: $0) }
    }
}
