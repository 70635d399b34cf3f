"""Plays a plan's shards as tasks of a Dask cluster, and merges them into what one run of the plan writes.

    pip install 'dask[distributed]'
    python dask_sweep.py PLAN.json --glasshive target/release/glasshive --shards 16 --out rows.csv
    python dask_sweep.py PLAN.json --glasshive glasshive --shards 256 --out rows.csv --scheduler tcp://head:8786

Without --scheduler the cluster is this machine's: as many worker processes as --workers says, or as there are cores. With it,
plan, program and the folder of the shards have to be at the same paths on every machine, as on a shared file system.

A task may be played twice, or be broken off anywhere, and nothing is lost or doubled: its rows are in its shard's file as soon
as they are known, and the next to play it goes on behind them. When a worker process dies Dask plays its task again.
"""

import argparse
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import dask
from dask.distributed import Client, KilledWorker, LocalCluster, as_completed

# So many workers may die under a task before Dask takes the task itself for the reason.
DEATHS_MAX = 10
# So many times a task is played again after its program has failed; the machine may have been short of memory.
RETRIES = 2
# What the program exits with then.
WRONG_INPUT = 2


def play(glasshive, plan, shard, shards, folder):
    """Plays what is still missing of a shard. Runs in a worker process."""
    file = Path(folder) / f"shard-{shard}.csv"
    with open(f"{file}.lock", "w", encoding="utf-8") as lock:
        # What a dead worker has started plays on without it. The program inherits the lock, so that nobody else writes to the
        # file before it has ended, and then there is nothing left to play.
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [glasshive, "sweep", plan, "--shard", f"{shard}/{shards}", "--out", file, "--resume", "--jobs", "1"]
        done = subprocess.run(command, pass_fds=[lock.fileno()], capture_output=True, text=True, check=False)
    # Wrong input stays wrong. Anything else is tried again.
    if done.returncode not in (0, WRONG_INPUT):
        raise RuntimeError(f"shard {shard}/{shards}: exit {done.returncode}: {done.stderr.strip()}")
    return done.returncode, done.stderr


def cluster(args):
    """Where the tasks are played."""
    if args.scheduler:
        return Client(args.scheduler)
    # A process each: one that dies takes no other's task along.
    local = LocalCluster(n_workers=args.workers, threads_per_worker=1, processes=True, dashboard_address=None)
    return Client(local)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", metavar="PLAN.json")
    parser.add_argument("--glasshive", metavar="PATH", required=True, help="the program")
    parser.add_argument("--shards", metavar="N", type=int, required=True, help="into how many tasks the plan is divided")
    parser.add_argument("--out", metavar="FILE", required=True, help="where the merged rows go, as CSV")
    parser.add_argument("--dir", metavar="DIR", help="where the shards are; FILE.shards if absent")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="K", type=int, default=os.cpu_count(), help="worker processes on this machine")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a cluster that is already there, such as tcp://head:8786")
    args = parser.parse_args()
    if args.shards < 1 or args.workers < 1:
        parser.error("there is at least one shard, and one worker")
    return args


def main():
    args = arguments()
    # A name without a folder is looked for on the workers' PATH.
    glasshive = os.path.abspath(args.glasshive) if os.sep in args.glasshive else args.glasshive
    plan, folder = os.path.abspath(args.plan), os.path.abspath(args.dir or f"{args.out}.shards")
    os.makedirs(folder, exist_ok=True)
    with dask.config.set({"distributed.scheduler.allowed-failures": DEATHS_MAX}), cluster(args) as client:
        tasks = {
            client.submit(play, glasshive, plan, shard, args.shards, folder, pure=False, retries=RETRIES): shard
            for shard in range(1, args.shards + 1)
        }
        for count, task in enumerate(as_completed(tasks), 1):
            try:
                code, said = task.result()
            except (RuntimeError, KilledWorker, OSError) as error:
                sys.exit(f"dask_sweep: {error}")
            sys.stderr.write(said)
            if code != 0:
                return code
            print(f"shard {tasks[task]} is done, {count} of {args.shards}", file=sys.stderr, flush=True)
    files = [f"{folder}/shard-{shard}.csv" for shard in range(1, args.shards + 1)]
    return subprocess.run([glasshive, "merge", *files, "--out", args.out], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
