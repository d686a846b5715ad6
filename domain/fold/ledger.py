"""The ledger: a balance for each leaf account, and the one ``+`` that changes it."""

from collections.abc import Callable, Iterable
from itertools import compress
from sys import intern

from domain.fold.postings import Account, Amounts, Posting
from domain.measures import MEASURES, WIDTH

Balance = list[int]
"""One integer for each measure, in the order of ``MEASURES``."""


def interned(account: Account) -> Account:
    """The account with interned names.

    Each event brings copies of its names. A fold that keeps many accounts shares them, or takes half as much memory again;
    a fold of some thousand entries saves the time.
    """
    dinas, asn, service, month = account
    return intern(dinas), intern(asn), intern(service), intern(month)


def zero() -> Balance:
    """The balance of an account nobody has posted to."""
    return [0] * WIDTH


def add(balance: Balance, amounts: Amounts) -> None:
    """The one ``+`` that changes a balance: each integer is added in its measure's place."""
    for index, amount in amounts:
        balance[index] += amount


class Ledger:
    """Accounts and their balances. Sums do not depend on order, but each entry must be posted once."""

    def __init__(self) -> None:
        self.accounts: dict[Account, Balance] = {}

    def post(self, postings: Iterable[Posting], key: Callable[[Account], Account] | None = None) -> None:
        """Each posting is added to its account's balance; ``key`` gives the equal tuple that a new account is kept as."""
        accounts = self.accounts
        for posting in postings:
            balance = accounts.get(posting.account)
            if balance is None:
                balance = accounts[posting.account if key is None else key(posting.account)] = zero()
            add(balance, posting.amounts)

    def merge(self, other: "Ledger") -> None:
        """Two ledgers of disjoint entries are one ledger of all of them."""
        accounts = self.accounts
        common: list[tuple[Account, Balance]] = []
        for account, balance in other.accounts.items():
            if account in accounts:
                common.append((account, balance))
            else:
                accounts[account] = balance.copy()
        self.post(Posting(account, amounts_of(balance)) for account, balance in common)


def amounts_of(balance: Balance) -> Amounts:
    """A balance as one posting's amounts."""
    return tuple(zip(compress(range(WIDTH), balance), filter(None, balance), strict=True))


def total(balances: Iterable[Balance]) -> Balance:
    """A dinas is the sum of its leaves, an ASN the sum of theirs."""
    return [sum(column) for column in zip(*balances, strict=True)] or zero()


def months_of(ledger: Ledger) -> Ledger:
    """The months of dinas, each ``(dinas, "", "", month)``: a sum of its leaves."""
    leaves: dict[Account, list[Balance]] = {}
    for (dinas, _, _, month), balance in ledger.accounts.items():
        leaves.setdefault((dinas, "", "", month), []).append(balance)
    sums = Ledger()
    sums.accounts = {account: total(balances) for account, balances in leaves.items()}
    return sums


def amounts_by_measure(balance: Balance) -> dict[str, int]:
    """A balance by the names of its non-zero measures."""
    return {MEASURES[index]: amount for index, amount in enumerate(balance) if amount}
