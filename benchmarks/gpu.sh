#!/usr/bin/env bash
# One GPU in at most 15 minutes, in the shapes of Qwen2.5 0.5B and Llama 3.1 8B with random weights (about 20 GB of disk):
# sampling by Inspect's hf provider, our torch engine, transformers' continuous batching and vLLM where it is installed;
# training against TRL, with and without activations computed again; the consistency family: losses in bfloat16 against
# float32, memory and speed, exact against sampled OPCT. What fails or runs out of time is said, and the next one goes on.
#     bash benchmarks/gpu.sh [--device cuda|cpu] [--tiny] [--only small|large] [--out FILE]
# --only takes one of the two shapes, in at most 9 minutes, for machines that end a command before 15.
# --device cpu --tiny runs all of it in a toy's shape on a CPU, so that the script is known to run before a GPU is lent.
set -euo pipefail
cd "$(dirname "$0")/.."
device=cuda tiny='' only='' out=/dev/null
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --tiny) tiny=1; shift ;;
    --only) only=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    *) echo "There is no option $1. Known: --device, --tiny, --only, --out." >&2; exit 2 ;;
  esac
done
case $only in ''|small|large) ;; *) echo "--only takes small or large, not $only." >&2; exit 2 ;; esac
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
[ "$device" = cpu ] && export CUDA_VISIBLE_DEVICES=
if [ "$device" = cuda ] && ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "There is no GPU that torch sees. Take --device cpu --tiny, or another machine." >&2; exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ends=$((SECONDS + 880)) failed=0
[ -n "$only" ] && ends=$((SECONDS + 540))

step() {  # SECONDS FILE ARGUMENTS: a benchmark with a limit of its own, in what is left
  local most=$1 left=$((ends - SECONDS)); shift
  if [ "$left" -lt 20 ]; then echo "no time left for: $*" | tee -a "$out"; failed=1; return; fi
  echo "== $*" | tee -a "$out"
  timeout $((most < left ? most : left)) "$PYTHON" "benchmarks/$1" "${@:2}" 2>&1 | tee -a "$out" ||
    { echo "failed or out of time: $*" | tee -a "$out"; failed=1; }
}

sides=hf,torch type=float32
if [ "$device" = cuda ]; then
  sides=hf,torch,continuous type=bfloat16
  "$PYTHON" -c 'import vllm' 2>/dev/null && sides=$sides,vllm
fi
if [ -n "$tiny" ]; then
  "$PYTHON" benchmarks/shapes.py toy "$folder/toy"
  ends=$((SECONDS + 2700))  # a CPU may be shared
  step 900 sampling.py --model "$folder/toy" --dtype "$type" --prompts 4 --sides "$sides"
  step 900 training.py --model "$folder/toy" --steps 2 --rows 2 --sides trl,ours,again
  step 900 consistency_gpu.py "$folder/toy" --rows 4 --steps 1 --batch 2
  exit $failed
fi
if [ "$only" != large ]; then
  step 60 shapes.py qwen2.5-0.5b "$folder/small"
  step 150 training.py --model "$folder/small" --steps 5 --rows 32 --sides trl,ours,again,eight
  step 150 sampling.py --model "$folder/small" --dtype "$type" --prompts 192 --sides "$sides"
  step 120 consistency_gpu.py "$folder/small"
fi
if [ "$only" != small ]; then
  step 90 shapes.py llama-3.1-8b "$folder/large"
  step 200 training.py --model "$folder/large" --steps 3 --rows 16 --sides trl,ours,again
  step 150 sampling.py --model "$folder/large" --dtype "$type" --prompts 64 --sides "${sides#hf,}"
  step 150 consistency_gpu.py "$folder/large" --rows 4 --steps 1 --batch 4
fi
exit $failed
