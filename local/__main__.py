"""`python -m local up|down postgres|kafka`: a server that stays when the command ends, over `var/local`."""

import argparse
import sys
from pathlib import Path
from typing import Final

from local.local_kafka import LocalKafka, Unfetched
from local.local_postgres import LocalPostgres, Unreachable
from local.local_server import Failed, Missing

KEPT: Final = Path(__file__).parents[1] / "var" / "local"
PORTS: Final = {"postgres": 54329, "kafka": 9092}


def main() -> int:
    """Start a server and print the setting that names it, or stop it; 1 when that failed."""
    words = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    words.add_argument("what", choices=("up", "down"))
    words.add_argument("server", choices=PORTS)
    words.add_argument("--directory", type=Path, help="where it keeps its data (var/local/SERVER)")
    words.add_argument("--port", type=int, help="where it listens: 54329 (postgres), 9092 (kafka)")
    options = words.parse_args()
    directory, port = options.directory or KEPT / options.server, options.port or PORTS[options.server]
    try:
        server = LocalPostgres(directory, port) if options.server == "postgres" else LocalKafka(directory, port)
        if options.what == "down":
            server.stop()
            return 0
        server.start(outlives=True)
    except (Missing, Unfetched, Unreachable, Failed) as error:
        print(error, file=sys.stderr)
        return 1
    if isinstance(server, LocalPostgres):
        print(f"export NERACA_DATABASE_URL={server.url}")
    else:
        print(f"export NERACA_KAFKA={server.bootstrap}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
