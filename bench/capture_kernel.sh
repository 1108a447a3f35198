#!/bin/bash
# Throughput of nginx (one core) under wrk (the other core) with the kernel part of capture over without it: interleaved
# pairs, median of the ratios. Needs root, nginx, wrk; the machine must be quiet, also of other captures.
# Usage: bench/capture_kernel.sh PATH/TO/kernel_only [PAIRS] [BODY_BYTES] [EVENT_BYTES]
# PATH/TO/kernel_only: cargo build --release --example kernel_only. BODY_BYTES 0 (default): `return 200` of 5 bytes.
set -euo pipefail
program=$1 pairs=${2:-5} body=${3:-0} event=${4:-}
directory=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
head -c "$body" /dev/zero | tr '\0' x > "$directory/body.txt"
answer=$([ "$body" = 0 ] && echo 'location / { return 200 hello; }' || echo "root $directory;")
cat > "$directory/nginx.conf" <<CONF
daemon off; worker_processes 1; worker_cpu_affinity 01; pid $directory/pid; error_log $directory/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile ${SENDFILE:-off};
  client_body_temp_path $directory/a; proxy_temp_path $directory/b; fastcgi_temp_path $directory/c;
  uwsgi_temp_path $directory/d; scgi_temp_path $directory/e;
  server { listen 127.0.0.1:$port; $answer } }
CONF
chmod 755 "$directory"
nginx -c "$directory/nginx.conf" & nginx_pid=$!
trap 'kill $nginx_pid; wait $nginx_pid 2>/dev/null || true; rm -rf "$directory"' EXIT
sleep 0.5
worker=$(pgrep -P $nginx_pid)
# Requests per second, and CPU of nginx per request in microseconds: the second holds on a busy machine as well.
load() {
  before=$(awk '{print $14+$15}' /proc/$worker/stat)
  taskset -c 1 wrk -t1 -c32 -d2s "http://127.0.0.1:$port/body.txt" > "$directory/wrk"
  after=$(awk '{print $14+$15}' /proc/$worker/stat)
  awk -v t=$((after - before)) '/requests in/ {n=$1} /Requests\/sec/ {print $2, t*10000/n}' "$directory/wrk"
}
load > /dev/null
median() { sort -n | awk '{r[NR]=$1} END {printf "%.3f", r[int((NR+1)/2)]}'; }
for method in ${METHODS:-tcp syscall}; do
  : > "$directory/pairs"
  for _ in $(seq "$pairs"); do
    without=$(load)
    "$program" "$method" 4 $event > "$directory/log" & capture=$!
    for _ in $(seq 200); do grep -q started "$directory/log" && break; sleep 0.02; done
    with=$(load)
    wait $capture
    echo "$without $with" | tee -a "$directory/pairs" |
      awk -v m="$method" '{printf "%s: %d -> %d req/s, nginx %.2f -> %.2f us/req\n", m, $1, $3, $2, $4}'
  done
  echo "$method: median throughput ratio $(awk '{print $3/$1}' "$directory/pairs" | median)," \
    "CPU ratio $(awk '{print $2/$4}' "$directory/pairs" | median) of $pairs pairs"
  cat "$directory/log"
done
