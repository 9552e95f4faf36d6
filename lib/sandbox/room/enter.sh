# Builds the room and runs a program in it. Runs as the first process of fresh mount, pid and ipc namespaces, as root
# (of the machine, or of a user namespace) and by the runner's PATH; the program runs as uid 1000 of a namespace of its own.
#
#   sh enter.sh <mount point> <uid or ""> <scratch size> -- <read-only path>… -- <hidden path>… -- <program> <argument>…
#
# A read-only path is two arguments: the real path, and the name by which it was given. ROOM_ENV has the program's variables, as a script that exports them. At descriptor
# 3 the room says `in` before the program starts and `left <n>` after it ended: how many processes it had not waited for.
set -eu
room=$1 uid=$2 size=$3
shift 4

# The machine's killer of processes takes what runs here first. The value is inherited.
echo 1000 2>/dev/null >/proc/self/oom_score_adj || :

mount -t tmpfs -o mode=755,size=1m,nosuid,nodev room "$room"
cd "$room"
mkdir usr etc proc dev tmp run home home/agent .old
chmod 755 . usr etc proc dev run home
owner=mode=700
if [ -n "$uid" ]; then owner=uid=$uid,gid=$uid,mode=700; fi
mount -t tmpfs -o "$owner,size=$size,nr_inodes=100k,nosuid,nodev" scratch home/agent
mount -t tmpfs -o "mode=1777,size=$size,nr_inodes=100k,nosuid,nodev" scratch tmp

# A user namespace may not take away what a mount was restricted to, so that a second try keeps `noexec`.
show() {
  mount -o bind,ro,nosuid,nodev "$1" "$2" 2>/dev/null ||
    { mount --bind "$1" "$2" && mount -o remount,bind,ro,nosuid,nodev,noexec "$2"; }
}
target() {
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "${2%/*}" && [ -e "$2" ] || : >"$2"; fi
}

# The system's programs.
show /usr usr
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then
    ln -s "$(readlink "/$name")" "$name"
  elif [ -d "/$name" ]; then
    mkdir "$name" && show "/$name" "$name"
  fi
done
if [ -d /nix/store ]; then mkdir -p nix/store && show /nix/store nix/store; fi
for name in alternatives ca-certificates ca-certificates.conf crypto-policies ld.so.cache ld.so.conf ld.so.conf.d localtime \
  mime.types os-release pki protocols services ssl/certs ssl/openssl.cnf timezone; do
  if [ -e "/etc/$name" ]; then target "/etc/$name" "etc/$name" && show "/etc/$name" "etc/$name"; fi
done
printf 'root:x:0:0::/:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >etc/passwd
printf 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n' >etc/group
printf '127.0.0.1 localhost agent\n::1 localhost\n' >etc/hosts
printf 'passwd: files\ngroup: files\nhosts: files\n' >etc/nsswitch.conf
printf 'agent\n' >etc/hostname
hostname agent

# The program's own files.
while [ "$1" != -- ]; do
  target "$1" ".$1"
  show "$1" ".$1"
  # A link and no second mount: what is hidden below has one place.
  if [ ! -e ".$2" ]; then mkdir -p ".${2%/*}" && ln -s "$1" ".$2"; fi
  shift 2
done
shift

# What none of the above may show.
while [ "$1" != -- ]; do
  if [ -d ".$1" ]; then
    mount -t tmpfs -o ro,mode=555,size=4k hidden ".$1"
  elif [ -e ".$1" ]; then
    mount --bind /dev/null ".$1"
  fi
  shift
done
shift

for name in null zero full random urandom; do
  : >"dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
ln -s /tmp dev/shm
# Read-only, or `mount` would leave a folder of its own there.
mount -t tmpfs -o ro,mode=755,size=4k run run
mount -t proc -o nosuid,nodev,noexec proc proc

pivot_root . .old
umount -l .old
rmdir .old
mount -o remount,bind,ro,nosuid,nodev /
cd /home/agent

# The first process of the namespace stays a shell: it is what is left to wait for orphans, and it has no rights either.
run='
eval "$ROOM_ENV"
unset ROOM_ENV
echo in >&3
"$@" 3>&-
code=$?
left=-1
for process in /proc/[0-9]*; do left=$((left + 1)); done
echo "left $left" >&3
exit $code'
# No namespace can be made inside: the kernel has had holes there.
drop='
echo 0 >/proc/sys/user/max_user_namespaces
run=$1
shift
exec prlimit --nproc=2048 --core=0 setpriv --no-new-privs --ambient-caps=-all --bounding-set=-all --inh-caps=-all sh -c "$run" sh "$@"'
set -- unshare --user --map-user=1000 --map-group=1000 --keep-caps sh -c "$drop" sh "$run" "$@"
if [ -n "$uid" ]; then set -- setpriv "--reuid=$uid" "--regid=$uid" --clear-groups "$@"; fi
exec "$@"
