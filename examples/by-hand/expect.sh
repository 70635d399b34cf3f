# What the scripts beside this one share: each command is shown with what it answers, and that is held against what the
# source document says. They need `glasshive` on the PATH: PATH="$PWD/target/release:$PATH" sh examples/by-hand/oracle-http.sh
set -u
session=${TMPDIR:-/tmp}/glasshive-by-hand-$$.json
trap 'rm -f "$session"' EXIT

step() { printf '\n# %s\n' "$*"; }

# Shows a command and its answer, and keeps the answer.
try() {
    printf '$ %s\n' "$*"
    answer=$("$@" 2>&1)
    printf '%s\n' "$answer"
}

# The same within the script's session: what comes before `--` is about the cluster, what comes after it is curl's.
ask() { try glasshive curl --session "$session" "$@"; }

# Begins another cluster.
fresh() { rm -f "$session"; }

# Fails unless the last answer has all these parts.
has() {
    for part; do
        case $answer in
            *"$part"*) ;;
            *) printf 'not as expected: no "%s"\n' "$part" >&2; exit 1 ;;
        esac
    done
}
