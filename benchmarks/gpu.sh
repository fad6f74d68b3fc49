#!/usr/bin/env bash
# The consistency family on one GPU, in at most 15 minutes: losses in bfloat16 against float32, memory and speed, and exact
# against sampled OPCT, in the shapes of Qwen2.5 0.5B and Llama 3.1 8B with random weights (about 20 GB of disk).
#     bash benchmarks/gpu.sh [--device cuda|cpu] [--tiny] [--out FILE]
# --device cpu --tiny runs all of it in a toy's shape on a CPU, so that the script is known to run before a GPU is lent.
set -euo pipefail
cd "$(dirname "$0")/.."
device=cuda tiny= out=/dev/null
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --tiny) tiny=1; shift ;;
    --out) out=$2; shift 2 ;;
    *) echo "There is no option $1. Known: --device, --tiny, --out." >&2; exit 2 ;;
  esac
done
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
[ "$device" = cpu ] && export CUDA_VISIBLE_DEVICES=
if [ "$device" = cuda ] && ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "There is no GPU that torch sees. Take --device cpu --tiny, or another machine." >&2; exit 2
fi
shapes="qwen2.5-0.5b llama-3.1-8b" numbers=""
[ -n "$tiny" ] && shapes=toy numbers="--rows 4 --steps 1 --batch 2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ends=$((SECONDS + 880))
for shape in $shapes; do
  "$PYTHON" benchmarks/shapes.py "$shape" "$folder/$shape"
  # shellcheck disable=SC2086  # several words on purpose
  timeout $((ends - SECONDS)) "$PYTHON" benchmarks/consistency_gpu.py "$folder/$shape" $numbers 2>&1 | tee -a "$out"
done
