#!/bin/bash
# What the HTTP poster alone reaches beside wrk, against one nginx, in alternating rounds.
#
#     bench/post.sh [rounds=5] [post_bench=build/release/bench/post_bench]
set -euo pipefail

rounds=${1:-5}
here=$(cd "$(dirname "$0")" && pwd)
program=${2:-$here/../build/release/bench/post_bench}
directory=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port/hook

cat >"$directory/nginx.conf" <<CONFIGURATION
worker_processes 1;
daemon off;
pid $directory/nginx.pid;
error_log $directory/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  server {
    listen 127.0.0.1:$port;
    location / { return 200; }
  }
}
CONFIGURATION
cat >"$directory/post.lua" <<'SCRIPT'
wrk.method = "POST"
wrk.body = string.rep("x", 1200)
wrk.headers["Content-Type"] = "application/json"
SCRIPT

nginx -p "$directory" -c "$directory/nginx.conf" 2>/dev/null &
nginx=$!
trap 'kill "$nginx"; wait "$nginx" 2>/dev/null || true; rm -rf "$directory"' EXIT
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.05
done

median() { sort -n | awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'; }

for _ in $(seq "$rounds"); do
  wrk -t1 -c64 -d2s -s "$directory/post.lua" "$url" |
    awk '/Requests\/sec/ { printf "%d\n", $2 }' | tee -a "$directory/wrk" | sed 's/^/wrk  /'
  "$program" "$url" | tee "$directory/last" | sed 's/^/post /'
  awk '{ print $1 }' "$directory/last" >>"$directory/post"
done
wrk=$(median <"$directory/wrk")
post=$(median <"$directory/post")
awk -v wrk="$wrk" -v post="$post" \
  'BEGIN { printf "medians: wrk %d/s, post %d/s, ratio %.2f\n", wrk, post, post / wrk }'
