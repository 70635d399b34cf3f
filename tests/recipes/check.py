"""Runs the recipes of `examples/beyond-one-machine`, interrupts them, and compares what they write with one run of the plan.

    check.py GLASSHIVE [--recipes FOLDER] [slurm] [kubernetes] [dask]

All three if none is named. The Slurm script and the commands of the Kubernetes file are run without Slurm and Kubernetes. The Dask
recipe runs on a cluster of this machine, with `dask[distributed]` and psutil in the Python that this runs in; reading the Kubernetes file
takes PyYAML. The last line is JSON: how often each was compared. Exit 1 with the reason if anything differs.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import psutil
    import yaml
except ImportError:
    # The Slurm script's check takes neither.
    psutil = yaml = None

RECIPES = Path(__file__).resolve().parents[2] / "examples" / "beyond-one-machine"
SHARDS = 4
WORKERS = 2
PATIENCE_S = 300
LOOK_S = 0.01
# So long one waits for what must not happen.
STILL_S = 1
# Units of work in each run of the plan: so many that a shard takes seconds, or tenths of one.
LONG, SHORT = 2500, 400
# What stands before the rows of a shard: which one it is, and the names of the columns.
HEAD = 2


def plan(folder, requests):
    """A plan of 20 points, as a file; what one run of it writes."""
    file = Path(folder) / "plan.json"
    said = {
        "version": 1,
        "base": {"preset": "oracle-http", "set": {"fail": 0.3, "timeout": "1.2s"}},
        "axes": [{"key": "workers", "values": list(range(3, 13))}, {"key": "strategy", "values": ["average", "median"]}],
        "requests": requests,
        "seeds": {"first": 1, "count": 20},
        "goals": [{"metric": "error_mean", "below": 0.02}],
    }
    file.write_text(json.dumps(said), encoding="utf-8")
    return file


def check(holds, what):
    if not holds:
        sys.exit(f"check: {what}")


def direct(glasshive, file):
    rows = subprocess.run([glasshive, "sweep", file, "--jobs", str(WORKERS)], capture_output=True, check=True).stdout
    check(rows.count(b"\n") == 21, "a head and a row for each point")
    return rows


def whole_lines(file):
    """The bytes of its whole lines: what no later look may find missing."""
    text = file.read_bytes() if file.exists() else b""
    return text[: text.rfind(b"\n") + 1]


class Watched:
    """A file of rows that may only grow."""

    def __init__(self, file):
        self.file, self.seen = file, b""

    def look(self):
        now = whole_lines(self.file)
        check(now.startswith(self.seen), f"{self.file.name}: rows that were played are gone or were written anew")
        self.seen = now
        return now.count(b"\n")


def until(what, ready):
    """Looks again and again; what was found."""
    end = time.monotonic() + PATIENCE_S
    while not (found := ready()):
        check(time.monotonic() < end, f"waited {PATIENCE_S} s for {what}")
        time.sleep(LOOK_S)
    return found


# --- Slurm and Kubernetes, without them -----------------------------------------------------------------------------


def interrupted(command, env, file):
    """Runs a command, kills it and all that it has started when the file has some rows, and runs it to its end."""
    watched = Watched(file)
    # A session of its own, so that nothing else is killed.
    child = subprocess.Popen(command, env=env, start_new_session=True)
    until("the first rows", lambda: child.poll() is not None or watched.look() >= HEAD + 2)
    check(child.poll() is None, f"{file.name}: it ended before it could be killed")
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    left = watched.look()
    again = subprocess.Popen(command, env=env)
    until("the end", lambda: watched.look() and again.poll() is not None)
    check(again.returncode == 0 and watched.look() > left, f"{file.name}: it goes on, exit {again.returncode}")


def slurm(glasshive, folder, recipes):
    file, out = plan(folder, SHORT), Path(folder) / "rows.csv"
    whole = direct(glasshive, file)
    command = ["sh", recipes / "slurm.sbatch", file, out, str(SHARDS)]
    env = {**os.environ, "GLASSHIVE": glasshive}
    env.pop("SLURM_ARRAY_TASK_ID", None)
    task = lambda shard: {**env, "SLURM_ARRAY_TASK_ID": str(shard), "SLURM_CPUS_PER_TASK": "1"}
    early = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    check(early.returncode == 2 and "shard-1.csv" in early.stderr, f"a merge before its time says what is missing: {early.stderr}")
    interrupted(command, task(3), Path(f"{out}.shards") / "shard-3.csv")
    for shard in (4, 2, 1):
        subprocess.run(command, env=task(shard), check=True)
    subprocess.run(command, env=env, check=True)
    check(out.read_bytes() == whole, "the array's rows are not those of one run")
    return 1


def kubernetes(glasshive, folder, recipes):
    documents = list(yaml.safe_load_all((recipes / "kubernetes.yaml").read_text(encoding="utf-8")))
    kinds = [(document["apiVersion"], document["kind"]) for document in documents]
    check(kinds == [("v1", "PersistentVolumeClaim"), ("batch/v1", "Job"), ("batch/v1", "Job")], f"{kinds}")
    volume, sweep, merge = documents
    check(sweep["spec"]["completionMode"] == "Indexed" and merge["spec"]["suspend"] is True, "what kind of Jobs")
    containers = []
    for job in (sweep, merge):
        pod = job["spec"]["template"]["spec"]
        check(pod["restartPolicy"] == "Never", "a podFailurePolicy asks for it")
        [container] = pod["containers"]
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        check(all(isinstance(value, str) for value in env.values()), "values of the environment are text")
        check(env["SHARDS"] == str(sweep["spec"]["completions"]), "as many shards as completions")
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        volumes = {of["name"]: of for of in pod["volumes"]}
        check(mounted.keys() == volumes.keys() and env["ROWS"] == mounted["rows"], "what is mounted is there")
        claim = volumes["rows"]["persistentVolumeClaim"]["claimName"]
        check(claim == volume["metadata"]["name"], "the claim is that of the file")
        containers.append([*container["command"], *container["args"]])
    rules = sweep["spec"]["podFailurePolicy"]["rules"]
    names = [rule["onExitCodes"]["containerName"] for rule in rules if "onExitCodes" in rule]
    check(names == [sweep["spec"]["template"]["spec"]["containers"][0]["name"]], f"the policy is about {names}")

    file, path = plan(folder, SHORT), Path(folder) / "bin"
    whole = direct(glasshive, file)
    path.mkdir()
    (path / "glasshive").symlink_to(glasshive)
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "SHARDS": str(SHARDS), "PLAN": str(file), "ROWS": str(folder)}
    pod = lambda index: {**env, "JOB_COMPLETION_INDEX": str(index)}
    interrupted(containers[0], pod(1), Path(folder) / "shard-2.csv")
    for index in (3, 0, 2):
        subprocess.run(containers[0], env=pod(index), check=True)
    subprocess.run(containers[1], env=env, check=True)
    check((Path(folder) / "rows.csv").read_bytes() == whole, "the Job's rows are not those of one run")
    return 1


# --- Dask, for real -------------------------------------------------------------------------------------------------


class Cluster:
    """The recipe at work on a cluster of this machine, looked at from outside."""

    def __init__(self, glasshive, recipes, file, out):
        self.glasshive, self.log = Path(glasshive).resolve(), Path(f"{out}.log")
        self.shards = [Watched(Path(f"{out}.shards") / f"shard-{n + 1}.csv") for n in range(SHARDS)]
        command = [sys.executable, "-B", recipes / "dask_sweep.py", file, "--glasshive", glasshive, "--out", out]
        with open(self.log, "w", encoding="utf-8") as log:
            self.script = subprocess.Popen([*command, "--shards", str(SHARDS), "--workers", str(WORKERS)], stderr=log)
        # The worker processes that were seen to have a program at work.
        self.played = set()

    def told(self):
        return self.log.read_text(encoding="utf-8")

    def is_over(self):
        return self.script.poll() is not None

    def rows(self):
        return [max(0, shard.look() - HEAD) for shard in self.shards]

    def below(self):
        """All processes that the script has started, and those have."""
        try:
            return psutil.Process(self.script.pid).children(recursive=True)
        except psutil.Error:
            return []

    def players(self, file=""):
        """What plays, or what plays that shard: each program with the worker process over it."""
        found = []
        for child in self.below():
            try:
                over = child.parent()
                # The script itself merges.
                if Path(child.exe()).resolve() == self.glasshive and over and over.pid != self.script.pid:
                    self.played.add(over.pid)
                    if any(str(file) in word for word in child.cmdline()):
                        found.append((child, over))
            except psutil.Error:
                # It has ended meanwhile.
                pass
        return found

    def opened_by(self, file):
        """Who has a file open."""
        found = set()
        for process in self.below():
            try:
                found |= {process.pid for open_file in process.open_files() if open_file.path == str(file)}
            except psutil.Error:
                pass
        return found

    def end(self):
        for process in [*self.below(), *([] if self.is_over() else [self.script])]:
            process.kill()
        self.script.wait()


def killed(process):
    """Kills a process that the script has started, and waits until that has seen it: until then its children may still be its own."""
    process.kill()
    until("its end", lambda: not process.is_running())


def one_worker_killed(cluster, with_child):
    """Kills a worker process that has played a part of its shard; with what it has started, as when a machine goes down, or alone."""
    until("rows of a shard", lambda: cluster.is_over() or max(cluster.rows()) >= 2)
    check(not cluster.is_over(), f"the cluster ended before a worker could be killed:\n{cluster.told()}")
    rows = cluster.rows()
    ahead = cluster.shards[rows.index(max(rows))].file
    [(child, worker)] = cluster.players(ahead)
    if with_child:
        # First the one over it, which cannot then tell anybody how it ended.
        killed(worker)
        child.kill()
    else:
        # What it has started stands still until somebody else is to play the shard, and has to wait for it.
        child.suspend()
        try:
            killed(worker)
            # It has the lock's file open too.
            until("somebody to play it again", lambda: cluster.opened_by(f"{ahead}.lock") - {child.pid})
            end = time.monotonic() + STILL_S
            while time.monotonic() < end:
                two = [other for other, _ in cluster.players(ahead) if other.pid != child.pid]
                check(not two, f"{ahead.name} is played by two, one of which a dead worker has started")
                time.sleep(LOOK_S)
        finally:
            child.resume()
    cluster.played = set()
    until("the end", lambda: [cluster.rows(), cluster.players()] and cluster.is_over())
    check(cluster.script.returncode == 0, f"the recipe's exit is {cluster.script.returncode}:\n{cluster.told()}")
    check(sum(cluster.rows()) == 20, f"{cluster.rows()} rows in the shards, of 20 points")
    check("Restarting worker" in cluster.told(), f"Dask has seen it:\n{cluster.told()}")
    check(worker.pid not in cluster.played, "it was killed")
    return f"the worker of {ahead.name} was killed {'with what it had started' if with_child else 'alone'} at {rows} rows"


def dask(glasshive, folder, recipes):
    file = plan(folder, LONG)
    whole = direct(glasshive, file)
    for with_child in (False, True):
        out = Path(folder) / f"rows-{with_child}.csv"
        cluster = Cluster(glasshive, recipes, file, out)
        try:
            print(f"dask: {one_worker_killed(cluster, with_child)}")
        finally:
            cluster.end()
        check(out.read_bytes() == whole, f"{out.name}: the cluster's rows are not those of one run")
    return 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("glasshive")
    parser.add_argument("what", nargs="*")
    parser.add_argument("--recipes", type=Path, default=RECIPES)
    args = parser.parse_intermixed_args()
    known = {"slurm": slurm, "kubernetes": kubernetes, "dask": dask}
    if not set(args.what) <= known.keys():
        parser.error(f"recipes are {', '.join(known)}")
    glasshive = os.path.abspath(args.glasshive)
    compared = {}
    for what in args.what or known:
        with tempfile.TemporaryDirectory() as folder:
            compared[what] = known[what](glasshive, folder, args.recipes.resolve())
    print(json.dumps(compared))


if __name__ == "__main__":
    main()
