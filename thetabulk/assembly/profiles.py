"""The store's vendor profile, and what each part of a run makes of it."""

from thetabulk.assembly.contact import Held
from thetabulk.assembly.stores import Store
from thetabulk.fetch.client import Client
from thetabulk.fetch.learned import Learned
from thetabulk.model import Dataset
from thetabulk.plan.profile import Profile, grids_of
from thetabulk.store.habits import Habits


def profile_in(store: Store) -> Profile:
    """The profile that `doctor --probe` has left in the store; an empty one, and a note in the store's notes, if what
    is there cannot be read."""
    try:
        return Profile.from_fields(store.ledger.profile)
    except ValueError as error:
        note = f"the vendor profile in the ledger is left aside ({error}): thetabulk doctor --probe makes a new one"
        if note not in store.notes:
            store.notes.append(note)
        return Profile()


def habits_of(profile: Profile, kind: Dataset, *, half_day: bool) -> Habits:
    """What the checks of a day may expect of this vendor."""
    listed = profile.contract_list
    return Habits(
        grids_of(profile, kind, half_day),
        unquoted=listed.unquoted if listed else 0.0,
        unlisted=listed.unlisted if listed else 0.0,
        final_newline=profile.final_newline is not False,
    )


def follow(client: Client, profile: Profile) -> None:
    """The client understands this vendor's own words, and has the patience that its first byte needs."""
    learned = Learned.of(profile.meaning("empty"), profile.meaning("refused"))
    client.follow(learned, first_byte_s=profile.first_byte_s or 0.0)


def held_by(held: Held, profile: Profile) -> Held:
    """The subscription: what was configured stands; else what the profile says; else what was assumed."""
    tier = profile.tier("option")
    if not held.assumed or tier is None:
        return held
    return Held(tier, assumed=False, at_once=profile.requests)
