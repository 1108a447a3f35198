#!/bin/bash
# Throughput of nginx (one core) under wrk (the other core) with the kernel part of capture over without it: interleaved
# pairs, median of the ratios. Needs root, nginx, wrk. Usage: bench/capture_kernel.sh PATH/TO/kernel_only [PAIRS] [BODY_BYTES] [EVENT_BYTES]
set -euo pipefail
program=$1 pairs=${2:-5} body=${3:-100} event=${4:-}
directory=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
head -c "$body" /dev/zero | tr '\0' x > "$directory/body.txt"
cat > "$directory/nginx.conf" <<CONF
daemon off; worker_processes 1; worker_cpu_affinity 01; pid $directory/pid; error_log $directory/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile ${SENDFILE:-off};
  client_body_temp_path $directory/a; proxy_temp_path $directory/b; fastcgi_temp_path $directory/c;
  uwsgi_temp_path $directory/d; scgi_temp_path $directory/e;
  server { listen 127.0.0.1:$port; root $directory; } }
CONF
chmod 755 "$directory"
nginx -c "$directory/nginx.conf" & nginx_pid=$!
trap 'kill $nginx_pid; wait $nginx_pid 2>/dev/null || true; rm -rf "$directory"' EXIT
sleep 0.5
load() { taskset -c 1 wrk -t1 -c32 -d2s "http://127.0.0.1:$port/body.txt" | awk '/Requests\/sec/ {print $2}'; }
load > /dev/null
for method in ${METHODS:-tcp syscall}; do
  for _ in $(seq "$pairs"); do
    without=$(load)
    "$program" "$method" 4 $event > "$directory/log" & capture=$!
    for _ in $(seq 100); do grep -q started "$directory/log" && break; sleep 0.02; done
    with=$(load)
    wait $capture
    echo "$method without $without with $with" >> "$directory/pairs"
    awk -v a="$without" -v b="$with" -v m="$method" 'BEGIN {printf "%s: %d -> %d req/s, ratio %.3f\n", m, a, b, b/a}'
  done
  awk -v m="$method" '$1==m {print $5/$3}' "$directory/pairs" | sort -n |
    awk -v m="$method" '{r[NR]=$1} END {printf "%s: median ratio %.3f of %d pairs\n", m, r[int((NR+1)/2)], NR}'
  cat "$directory/log"
done
