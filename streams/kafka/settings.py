"""The settings of the broker: addresses, TLS and SASL, from the environment, the same for both clients."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
FILES: Final = ("NERACA_KAFKA_CA", "NERACA_KAFKA_CERT", "NERACA_KAFKA_KEY", "NERACA_KAFKA_PASSWORD_FILE")


class KafkaSettings(Struct, frozen=True):
    """Addresses and security of a Kafka cluster. Raises: ``ValueError`` that names the setting."""

    servers: tuple[str, ...]
    protocol: str = "PLAINTEXT"
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    mechanism: str = "SCRAM-SHA-512"
    user: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], servers: str | None = None) -> KafkaSettings:
        """The settings of an environment; ``servers`` wins over ``NERACA_KAFKA``."""
        addresses = (servers or environment.get("NERACA_KAFKA", "")).split(",")
        server_list = tuple(address.strip() for address in addresses if address.strip())
        if not server_list:
            message = "NERACA_KAFKA: name the bootstrap servers, such as localhost:9092"
            raise ValueError(message)
        protocol = (environment.get("NERACA_KAFKA_SECURITY") or "PLAINTEXT").upper()
        mechanism = (environment.get("NERACA_KAFKA_SASL") or "SCRAM-SHA-512").upper()
        for name, value, choices in (
            ("NERACA_KAFKA_SECURITY", protocol, PROTOCOLS),
            ("NERACA_KAFKA_SASL", mechanism, MECHANISMS),
        ):
            if value not in choices:
                message = f"{name}: {value!r} is none of {', '.join(choices)}"
                raise ValueError(message)
        for name in FILES:
            file = environment.get(name)
            if file and not Path(file).is_file():
                message = f"{name}: {file!r} is no file"
                raise ValueError(message)
        user, password = environment.get("NERACA_KAFKA_USER"), environment.get("NERACA_KAFKA_PASSWORD")
        if not password and (file := environment.get("NERACA_KAFKA_PASSWORD_FILE")):
            password = Path(file).read_text(encoding="utf-8").strip()
        if protocol.startswith("SASL") and not (user and password):
            message = f"NERACA_KAFKA_SECURITY={protocol} needs NERACA_KAFKA_USER and NERACA_KAFKA_PASSWORD"
            raise ValueError(message)
        return cls(
            server_list,
            protocol,
            environment.get("NERACA_KAFKA_CA") or None,
            environment.get("NERACA_KAFKA_CERT") or None,
            environment.get("NERACA_KAFKA_KEY") or None,
            mechanism,
            user,
            password,
        )

    def __repr__(self) -> str:
        """The addresses and the protocol, without any secret, since this may be printed."""
        return f"KafkaSettings({self.label}, {self.protocol})"

    @property
    def label(self) -> str:
        """The addresses for people; no secret."""
        return ",".join(self.servers)

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context, if the protocol has one. Raises: ``OSError`` for a file that cannot be read."""
        if "SSL" not in self.protocol:
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def client(self) -> dict[str, Any]:
        """The settings as ``kafka-python`` takes them."""
        settings: dict[str, Any] = {"bootstrap_servers": list(self.servers), "security_protocol": self.protocol}
        if "SSL" in self.protocol:
            settings["ssl_context"] = self.tls()
        if self.protocol.startswith("SASL"):
            settings |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return settings
