#!/bin/sh
# What belongs beside the binary: install.sh BINARY DESTDIR PREFIX. Configuration that is there stays.
set -eu
umask 022
binary=$1
destdir=$2
prefix=$3
here=$(dirname "$0")
share=$destdir$prefix/share
etc=$destdir/etc

put() { install -D -m 644 "$1" "$2"; }
put_once() { test -e "$2" || put "$1" "$2"; }

put_once "$here/nodes.conf" "$etc/kvorum/nodes.conf"
put_once "$here/kvorum.env" "$etc/kvorum/kvorum.env"
put_once "$here/kvorum.logrotate" "$etc/logrotate.d/kvorum"

put "$here/kvorum.sysusers" "$destdir$prefix/lib/sysusers.d/kvorum.conf"
put "$here/kvorum.1" "$share/man/man1/kvorum.1"
unit=$destdir$prefix/lib/systemd/system/kvorum@.service
put "$here/kvorum@.service" "$unit"
sed -i "s|@PREFIX@|$prefix|" "$unit"

completion() {
  install -d "$(dirname "$2")"
  "$binary" completion "$1" >"$2"
}
case $binary in /*) ;; *) binary=./$binary ;; esac
completion bash "$share/bash-completion/completions/kvorum"
completion zsh "$share/zsh/site-functions/_kvorum"
completion fish "$share/fish/vendor_completions.d/kvorum.fish"
