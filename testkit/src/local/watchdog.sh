# Removes a cluster whose test process is gone. Standard input is a pipe that only that process
# holds open: it ends when the process does, however it does. $1 is the cluster's directory.
trap '' HUP INT QUIT TERM
while read -r _; do :; done

# A number of a process can be in use again by another one: ours has the directory among its
# arguments.
is_ours() {
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
    else
        ps -p "$1" -o command= 2>/dev/null | grep -qF -- "$2"
    fi
}

# 15 seconds: a server whose children hang kills these after 5 by itself.
round=0
while [ -d "$1" ] && [ "$round" -lt 150 ]; do
    running=
    for lock in "$1"/*/data/postmaster.pid; do
        [ -r "$lock" ] && read -r pid <"$lock" && is_ours "$pid" "$1" || continue
        running=1
        # QUIT lets it remove its shared memory. It can be paused, hence CONT.
        if [ "$round" -lt 120 ]; then kill -QUIT "$pid"; else kill -KILL "$pid"; fi
        kill -CONT "$pid"
    done
    [ -n "$running" ] || rm -rf -- "$1"
    round=$((round + 1))
    sleep 0.1 || sleep 1
done
