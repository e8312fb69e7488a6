"""The certificate that the edge shows: whether its files can be used, and taking up new ones while it serves.

HAProxy reads a file of the node's own, for its owner only; the files of `[gateway.tls]` are copied there.
"""

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from gateway.config import GatewayConfig, Tls
from gateway.server.edge.metrics import read
from gateway.server.run_dir import certificate_file, stats_socket

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, ...], ...]

LOOK_S = 5.0
"""How often the files are looked at. One is written after the other, so a change is taken once it rests."""


def check(home: Path, tls: Tls) -> bytes:
    """Certificate and key in one, as HAProxy reads them. `home` is what their paths are relative to.

    Raises RuntimeError, naming the file, for one that cannot be read or used.
    """
    certificate, key = home / tls.certificate, home / tls.key
    try:
        parts = [path.read_bytes() for path in (certificate, key)]
        trusted = (home / tls.client_ca).read_bytes() if tls.client_ca else None
    except OSError as error:
        raise RuntimeError(f"a file of [gateway.tls] cannot be read: {error}") from None
    try:
        x509.load_pem_x509_certificates(parts[0] if trusted is None else trusted)
    except ValueError:
        message = f"{tls.client_ca or certificate} of [gateway.tls] holds no certificate in PEM"
        raise RuntimeError(message) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f"{key} is not the key of {certificate}; give both of one request in [gateway.tls]"
        else:
            message = f"{certificate} and {key} of [gateway.tls] have to be PEM, the key without a password"
        raise RuntimeError(message) from None
    # No empty lines: to HAProxy, told while it runs, one is the end.
    return b"\n".join(line for part in parts for line in part.splitlines() if line.strip()) + b"\n"


def has_ended(home: Path, tls: Tls) -> datetime | None:
    """When the certificate has ended, which clients refuse; None while it lasts. Raises as `check` does."""
    ends = x509.load_pem_x509_certificates(check(home, tls))[0].not_valid_after_utc
    return ends if ends < datetime.now(UTC) else None


def write(config: GatewayConfig) -> Path | None:
    """Copy the files to where HAProxy reads them. None without TLS. Raises as `check` does."""
    if config.tls is None:
        return None
    text, path = check(config.home, config.tls), certificate_file(config.run_dir)
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_bytes(text)
    if ended := has_ended(config.home, config.tls):
        log.warning("the certificate of [gateway.tls] has ended on %s: clients refuse it", ended.date())
    return beside.replace(path)


async def follow(config: GatewayConfig, taken: Stamp) -> None:
    """Take up a new certificate when its files have changed, until cancelled; without TLS there is none.

    One that cannot be used is told of in the log, and the one before stays.

    Args:
        taken: the files' stamp before HAProxy read them.
    """
    seen = taken
    while taken:
        await asyncio.sleep(LOOK_S)
        before, seen = seen, stamp(config)
        if seen == taken or seen != before:
            continue
        taken = seen
        try:
            await asyncio.to_thread(_renew, config)
        except (RuntimeError, OSError) as error:
            log.error("the new certificate is not taken, and the one before stays: %s", error)
        else:
            log.info("the new certificate is in force")


def _renew(config: GatewayConfig) -> None:
    path = write(config)  # first: an HAProxy that has to be started anew reads it
    assert path is not None
    stats = stats_socket(config.run_dir)
    read(stats, f"set ssl cert {path} <<\n{path.read_text()}\n")
    if "Success" not in (said := read(stats, f"commit ssl cert {path}\n")):
        raise RuntimeError(f"HAProxy says: {' '.join(said.split()) or 'nothing'}")


def stamp(config: GatewayConfig) -> Stamp:
    """Differs once a file was written, put in another's place or linked to another. Empty without TLS."""
    if config.tls is None:
        return ()
    return tuple(_mark(config.home / path) for path in (config.tls.certificate, config.tls.key))


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
