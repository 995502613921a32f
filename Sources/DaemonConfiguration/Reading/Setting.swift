/// A key of the configuration file: how its value is read, and what the reference says about it.
///
/// The reader knows no other keys than these, so the reference has all of them.
struct Setting<Root>: Sendable {
    /// A place in the settings.
    typealias Path<Value> = any WritableKeyPath<Root, Value> & Sendable

    /// The key, without the keys that enclose it.
    let key: String
    /// True if the key has to be there.
    var isRequired = false
    /// Reads the value into the settings, or is nil for a key that is read together with others.
    let read: (@Sendable (inout ConfigurationReader, Item, inout Root) -> Void)?
    /// Describes the key for the reference, with the default that the settings contain.
    let describe: @Sendable (Root) -> ConfigurationKey
}

extension Setting {
    /// A value of any kind.
    ///
    /// - Parameters:
    ///   - path: The setting that takes the value.
    ///   - form: The form of the value, for the reference.
    ///   - summary: The purpose, for the reference.
    ///   - stated: Returns a default as the file would have it, or nil for no default.
    ///   - read: Reads the value, or records a fault and returns nil.
    static func value<Value>(
        _ key: String,
        _ path: Path<Value>,
        form: String,
        _ summary: String,
        stated: @escaping @Sendable (Value) -> String?,
        read: @escaping @Sendable (inout ConfigurationReader, Item) -> Value?
    ) -> Setting {
        Setting(
            key: key,
            read: { reader, item, root in
                if let value = read(&reader, item) { root[keyPath: path] = value }
            },
            describe: { root in
                ConfigurationKey(name: key, form: form, defaultValue: stated(root[keyPath: path]), summary: summary)
            }
        )
    }

    /// A key that needs more than its value to be read.
    static func special(
        _ key: String,
        form: String,
        default defaultValue: String? = nil,
        _ summary: String,
        keys: [ConfigurationKey] = [],
        read: (@Sendable (inout ConfigurationReader, Item, inout Root) -> Void)? = nil
    ) -> Setting {
        Setting(
            key: key,
            read: read,
            describe: { _ in
                ConfigurationKey(name: key, form: form, defaultValue: defaultValue, summary: summary, keys: keys)
            }
        )
    }

    /// A mapping of further keys.
    ///
    /// - Parameter check: Checks the values together. It is called if each one is right.
    static func section<Part>(
        _ key: String,
        _ path: Path<Part>,
        _ summary: String,
        _ settings: [Setting<Part>],
        check: @escaping @Sendable (inout ConfigurationReader, Section, Part) -> Void = { _, _, _ in }
    ) -> Setting {
        Setting(
            key: key,
            read: { reader, item, root in reader.section(item, settings, &root[keyPath: path], check: check) },
            describe: { root in
                ConfigurationKey(
                    name: key,
                    form: "a mapping",
                    summary: summary,
                    keys: settings.map { $0.describe(root[keyPath: path]) }
                )
            }
        )
    }

    /// The same key, which has to be there.
    var required: Setting {
        let describe = describe
        return Setting(key: key, isRequired: true, read: read) { root in
            var key = describe(root)
            (key.isRequired, key.defaultValue) = (true, nil)
            return key
        }
    }
}
