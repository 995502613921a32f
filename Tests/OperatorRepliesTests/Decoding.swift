import Foundation

/// Decodes a reply as the operator's tool does.
func decode<Reply: Decodable>(_ type: Reply.Type, _ text: String) throws -> Reply {
    try decode(type, Data(text.utf8))
}

/// Decodes a reply as the operator's tool does.
func decode<Reply: Decodable>(_ type: Reply.Type, _ data: Data) throws -> Reply {
    try JSONDecoder().decode(type, from: data)
}
