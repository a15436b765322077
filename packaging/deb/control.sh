#!/bin/sh
# Makes a Debian package's root of an installed one: control.sh ROOT. DEBFULLNAME and DEBEMAIL say
# who builds it.
set -eu
umask 022
root=$1
here=$(dirname "$0")
version=$("$root/usr/bin/kvorum" version | sed -n 's/^kvorum version: //p')
maintainer="${DEBFULLNAME:-kvorum} <${DEBEMAIL:-kvorum@localhost}>"
doc=$root/usr/share/doc/kvorum

# Debian's place for what its packages complete.
mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
gzip -9n "$root/usr/share/man/man1/kvorum.1"
install -d "$doc"
{
  printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n'
  printf 'Files: *\nCopyright: the kvorum authors\nLicense: Apache-2.0\n'
  printf ' See /usr/share/common-licenses/Apache-2.0.\n'
} >"$doc/copyright"
printf 'kvorum (%s) unstable; urgency=medium\n\n  * Release.\n\n -- %s  %s\n' \
  "$version" "$maintainer" "$(date -uR)" | gzip -9n >"$doc/changelog.gz"

install -d "$root/DEBIAN"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN"
(cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
installed_kib=$(du -sk --exclude=DEBIAN "$root" | cut -f 1)
sed -e "s|@VERSION@|$version|" -e "s|@MAINTAINER@|$maintainer|" \
  -e "s|@INSTALLED_KIB@|$installed_kib|" "$here/control" >"$root/DEBIAN/control"
