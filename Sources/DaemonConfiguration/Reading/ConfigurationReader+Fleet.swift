/// The section `fleet`.
extension ConfigurationReader {
    private static var maxPrefix: Int { 64 }

    mutating func readFleet(_ item: Item) -> DaemonConfiguration.Fleet {
        var fleet = FleetSettings.defaults
        section(item, FleetSettings.all, &fleet) { reader, section, fleet in
            reader.readEngine(&section, &fleet)
            let key = section.take("key")
            fleet.lines.key = key?.line
            if key == nil { reader.noteMissing("key", of: section) }
            if let source = reader.secret(key) { fleet.key = source }
            reader.readUser(&section, &fleet)
        }
        return fleet
    }

    /// Reads the keys that are about the way to the engine.
    private mutating func readEngine(_ section: inout Section, _ fleet: inout DaemonConfiguration.Fleet) {
        let (url, cluster, plain) = (section.take("url"), section.take("cluster"), section.take("allow_plain"))
        let authorities = section.take("ca_file")
        fleet.isCluster = flag(cluster) ?? false
        fleet.allowsPlain = flag(plain) ?? false
        fleet.caFile = path(authorities)
        fleet.lines.caFile = authorities?.line
        guard let url else { return noteMissing("url", of: section) }
        guard let address = engine(url, allowsPlain: fleet.allowsPlain) else { return }
        fleet.engine = address
        if let authorities, !address.usesTLS { note(authorities, "is for rediss:// only") }
        guard let cluster, fleet.isCluster else { return }
        if case .unix = address {
            note(cluster, "needs redis:// or rediss://, as a cluster's nodes have no Unix sockets")
        }
        if address.database != 0 { note(cluster, "has only the database 0") }
    }

    /// Reads the engine's URL.
    ///
    /// No fault shows any of it, as it may hold a password by mistake.
    private mutating func engine(_ item: Item, allowsPlain: Bool) -> DaemonConfiguration.EngineAddress? {
        if item.text?.contains("@") == true {
            note(item, "should be without user and password: they are keys of their own, the password's a file")
            return nil
        }
        guard let url = item.text.flatMap(EngineURL.init) else {
            note(item, "should be redis://host:port/0, rediss://host:port/0 or unix:///path")
            return nil
        }
        guard allowsPlain || !url.isPlainToOthers else {
            note(
                item,
                """
                would send passwords without encryption to another machine: should be rediss://, an address such as \
                127.0.0.1 or localhost, unless fleet.allow_plain is true
                """
            )
            return nil
        }
        return url.address
    }

    private mutating func readUser(_ section: inout Section, _ fleet: inout DaemonConfiguration.Fleet) {
        let (name, password) = (section.take("username"), section.take("password"))
        fleet.lines.password = password?.line
        fleet.password = secret(password)
        guard let name else { return }
        fleet.username = text(name, "should be the name of a user of the engine")
        if password == nil { note(name, "should come with a password") }
    }

    /// Reads the beginning of the names in the engine.
    ///
    /// A brace in it could become a cluster's hash tag.
    mutating func prefix(_ item: Item) -> String? {
        guard let text = item.text, (1...Self.maxPrefix).contains(text.utf8.count),
            text.utf8.allSatisfy(Self.isNameCharacter)
        else {
            note(item, "should be 1 to \(Self.maxPrefix) letters, digits, dots, hyphens or underscores")
            return nil
        }
        return text
    }
}
