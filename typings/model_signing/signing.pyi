from collections.abc import Iterable
from pathlib import Path
from typing import Self

class Config:
    def use_elliptic_key_signer(self, *, private_key: Path, password: str | None = None) -> Self: ...
    def use_certificate_signer(
        self, *, private_key: Path, signing_certificate: Path, certificate_chain: Iterable[Path]
    ) -> Self: ...
    def sign(self, model_path: Path, signature_path: Path) -> None: ...
