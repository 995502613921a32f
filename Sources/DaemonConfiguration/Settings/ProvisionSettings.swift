import TokenCache

/// The keys of a tenant's section `provision`, which the reader reads together.
enum ProvisionSettings {
    static let all: [Setting<ProvisioningPolicy>] = [
        .special(
            "client",
            form: "the name of one of the tenant's `clients`",
            """
            The client that finds, creates and changes users. It needs the scope `admin.users` or `admin_classic`.
            """
        ).required,
        .special(
            "groups",
            form: "a list of patterns for names of groups",
            """
            The groups that an app may assign and remove: `*` is any text, `?` is one character. A user's other groups \
            are never touched. Without it, none.
            """
        ),
        .special(
            "revoke_client",
            form: "the name of one of the tenant's `clients`",
            """
            The client that revokes all of a user's tokens, for `revoke` with `everywhere`. It needs the scope \
            `admin_classic`. Without it, nobody may ask for that.
            """
        ),
    ]
}
