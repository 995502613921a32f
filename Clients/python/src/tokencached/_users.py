"""Users with the names and groups that the tenant should know, and the memory of those that it knows already."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tokencached._errors import TokenCacheError

# The number of users that a process remembers. Those who came least recently are forgotten first.
MOST_USERS = 10_000
# The time for which a user who is denied a token right after their provision isn't provisioned again, in seconds. The
# daemon forgets a denial at a provision, so otherwise each page view of that user would cost calls to the tenant.
PAUSE_AFTER_DENIAL = 60.0


@dataclass(frozen=True)
class User:
    """Somebody who is signed in to the application, as the identity provider describes them.

    A user with a name, an e-mail address or groups is provisioned: created at the tenant if they aren't there, and put
    into those groups. `groups` without a group removes the user from those that the daemon's configuration covers, and
    without `groups` none is touched. A user who has none of the three must be there already.
    """

    subject: str | None = None
    user_id: str | None = None
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    groups: Sequence[str] | None = None
    tenant: str | None = None
    """The tenant's name in the daemon's configuration. By default it is the default tenant."""
    scope: str | None = None
    """The scopes of the user's tokens. By default they are those of the tenant's configuration."""

    @property
    def is_described(self) -> bool:
        """True if the user is to be created at the tenant if they aren't there."""
        return not (self.name is None and self.email is None and self.groups is None)


class ProvisionedUsers:
    """The users whom this process has provisioned, each with a digest of what the tenant was told.

    Threads may use it at the same time, and a signal may interrupt it, because each step is one operation of a
    dictionary. A user who gets lost is provisioned again.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str | None, str | None], _Known] = OrderedDict()

    def knows(self, user: User) -> bool:
        """True if the user was provisioned with this very content."""
        key = _key(user)
        known = self._known.get(key)
        if known is None or known.digest != digest(user):
            return False
        # Another thread may have removed the user in between.
        with contextlib.suppress(KeyError):
            self._known.move_to_end(key)
        return True

    def forget(self, user: User) -> None:
        """Forgets a user, whatever was provisioned. A provision that fails may have been done in part."""
        self._known.pop(_key(user), None)

    def remember(self, user: User) -> None:
        self._remember(user, _Known(digest(user)))

    def is_to_be_repeated(self, user: User, error: TokenCacheError, was_known: bool, now: float) -> bool:
        """Decides if a user without a token is provisioned again, because somebody may have deleted them at the tenant.

        The tenant may deny the user each time. So this isn't done if they were provisioned just now, nor soon after.
        """
        if error.code != "denied" or not user.is_described:
            return False
        if not was_known:
            self._remember(user, _Known(digest(user), now + PAUSE_AFTER_DENIAL))
            return False
        known = self._known.get(_key(user))
        if known is not None and now < known.pause_end:
            return False
        self.forget(user)
        return True

    def _remember(self, user: User, known: _Known) -> None:
        # In the place that they had, the user would stay the oldest.
        self.forget(user)
        self._known[_key(user)] = known
        while len(self._known) > MOST_USERS:
            self._known.popitem(last=False)


@dataclass(frozen=True)
class _Known:
    digest: bytes
    # Until this time a denial doesn't cause another provision.
    pause_end: float = 0.0


def digest(user: User) -> bytes:
    """A digest of what is provisioned, so that no names are kept."""
    groups = None if user.groups is None else sorted(set(user.groups))
    return hashlib.sha256(json.dumps([user.name, user.email, groups]).encode()).digest()


def _key(user: User) -> tuple[str | None, str | None]:
    return user.tenant, user.subject
