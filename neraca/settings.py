"""Every setting the program reads from its environment: name, default and meaning.

The help and the reference repeat this table; a test holds that they do, and that nothing else is read.
"""

import os
from typing import Final, NamedTuple


class Setting(NamedTuple):
    """One environment variable; ``default`` is ``None`` where the program does without it."""

    name: str
    default: str | None
    help: str

    @property
    def from_environment(self) -> str | None:
        """The value in the environment, if there is one."""
        return os.environ.get(self.name)

    @property
    def value(self) -> str | None:
        """The value in the environment, else the default."""
        return os.environ.get(self.name, self.default)


_TABLE: Final = (
    Setting("NERACA_DATA", "./var", "the data directory; also `--data`"),
    Setting(
        "NERACA_ZONE", "Asia/Jakarta", "the time zone whose months count, for the life of a journal; also `--zone`"
    ),
    Setting(
        "NERACA_UNKNOWN",
        None,
        "events of an unregistered dinas, ASN or service: `open` flags them, `strict` refuses them; "
        "without it as the journal was begun",
    ),
    Setting("NERACA_EXTENSIONS", None, "further extension attributes that events may have, separated by commas"),
    Setting("NERACA_ADDRESS_MOST", "64", "connections from one address at most, without a standing token or session"),
    Setting("NERACA_DATABASE_URL", None, "a PostgreSQL database in place of `NERACA_DATA`; also `--database`"),
    Setting("NERACA_DATABASE_PASSWORD_FILE", None, "file with the password of a database URL that has none"),
    Setting("NERACA_KAFKA", None, "addresses of the broker, separated by commas; also `--kafka`"),
    Setting(
        "NERACA_INTAKE_TOPICS",
        None,
        "topics that `neraca intake --kafka` reads: `NAME=TOKEN`, separated by commas, reads `neraca.intake.NAME` under the "
        "grant of a token; without it `neraca.intake` is read, by whoever the broker lets produce there",
    ),
    Setting("NERACA_PARTITIONS", "12", "number of partitions in a journal's first layout; also `--partitions`"),
    Setting(
        "NERACA_KAFKA_SECURITY", "PLAINTEXT", "or `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`, for every client of the broker"
    ),
    Setting("NERACA_KAFKA_CA", None, "file with the certificate authority to trust"),
    Setting("NERACA_KAFKA_CERT", None, "file with the client's own certificate"),
    Setting("NERACA_KAFKA_KEY", None, "file with the key of that certificate"),
    Setting("NERACA_KAFKA_SASL", "SCRAM-SHA-512", "or `SCRAM-SHA-256`, `PLAIN`"),
    Setting("NERACA_KAFKA_USER", None, "the user that signs in to the broker"),
    Setting("NERACA_KAFKA_PASSWORD", None, "the password of that user; it is never printed"),
    Setting("NERACA_KAFKA_PASSWORD_FILE", None, "file with that password, in place of the setting above"),
    Setting(
        "NERACA_SECRET_FILE",
        None,
        "the file of the installation's secret, in place of `NERACA_DATA`/secret: one for all processes, mode 0600; "
        "`neraca database prepare` makes it",
    ),
    Setting(
        "NERACA_INTAKE_URL",
        None,
        "the intake that takes the forms of `neraca api`, such as `http://127.0.0.1:8001`; without it no ratings are taken "
        "there; also `--intake-url`",
    ),
    Setting("NERACA_TICKET_S", "604800", "the seconds for which a citizen's ticket may be used"),
    Setting("NERACA_UNDO_S", "900", "the seconds in which whoever recorded an event may undo it alone"),
    Setting(
        "NERACA_URL",
        None,
        "the city's address of this Neraca, such as `https://neraca.kota.go.id`: all links are made of it",
    ),
    Setting(
        "NERACA_PROXIES",
        None,
        "addresses or networks of the web servers in front, separated by commas: their forwarded headers alone are believed",
    ),
    Setting("NERACA_SESSION_IDLE_S", "1800", "a browser's session ends after so many seconds without a call"),
    Setting("NERACA_TOKEN", None, "the token that `neraca emit` and `neraca import` send with `--url`"),
)
SETTINGS: Final = {setting.name: setting for setting in _TABLE}
