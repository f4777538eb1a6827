# Two hosts on this machine, node1 and node2, for slow tests; to be sourced with `root` set, behind say.sh.
#
# They are network namespaces on a bridge in a third, each with its own host name, /tmp, /dev/shm and sshd with throw-away keys; they
# share the disk, as hosts with a shared file system do. Needs root.
#
#   work           a directory that both see, removed at the end unless something failed
#   cable up|down  of node2
#   slow_cable RATE   how much goes through node2's cable in each direction, such as 1gbit; of every packet that it sends or gets
#   on1 COMMAND…   on node1, where mpirun is started
[[ $EUID -eq 0 ]] || die 'network namespaces take root'
require_packages sshd:openssh-server ssh:openssh-client nft:nftables ip:iproute2

# Not in /tmp, of which each host has its own.
work=$(mktemp -d /var/tmp/lockstep-hosts.XXXXXXXX)
prefix=lockstep-$$
network=10.231.0.0/24
daemons=()

clean() {
  local process name
  set +e
  for process in $(for name in 1 2; do ip netns pids "$prefix-$name"; done 2>/dev/null); do kill -KILL "$process"; done
  wait "${daemons[@]}" 2>/dev/null
  for name in 1 2 switch; do ip netns delete "$prefix-$name"; done 2>/dev/null
  umount "$work/checkout" 2>/dev/null
  # A run's directory is worth a look when something was wrong.
  if [[ $failures -gt 0 ]]; then say "left for a look: $work"; else rm -rf -- "$work"; fi
}
trap clean EXIT
trap 'exit 1' INT TERM

# A bridge and, for each host, a cable to it.
ip netns add "$prefix-switch"
ip -n "$prefix-switch" link add bridge type bridge
ip -n "$prefix-switch" link set bridge up
for host in 1 2; do
  ip netns add "$prefix-$host"
  ip -n "$prefix-switch" link add "port$host" type veth peer name wire netns "$prefix-$host"
  ip -n "$prefix-switch" link set "port$host" master bridge up
  ip -n "$prefix-$host" address add "10.231.0.$host/24" dev wire
  ip -n "$prefix-$host" link set wire up
  ip -n "$prefix-$host" link set lo up
done

ssh-keygen -q -t ed25519 -N '' -f "$work/user"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
printf '127.0.0.1 localhost\n10.231.0.1 node1\n10.231.0.2 node2\n' >"$work/hosts"
printf 'node1,node2 %s\n' "$(<"$work/host.pub")" >"$work/known_hosts"
cat >"$work/sshd_config" <<END
HostKey $work/host
AuthorizedKeysFile $work/user.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
END
cat >"$work/ssh_config" <<END
Host node1 node2
  IdentityFile $work/user
  UserKnownHostsFile $work/known_hosts
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 10
END
cat >"$work/start-host" <<END
set -e
mount --make-rprivate /
hostname node\$1
mkdir -p $work/checkout && mount --bind $root $work/checkout
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd $root
# A checkout in /tmp has just been hidden.
mountpoint -q $root || [[ -e $root/launch ]] || mount --bind $work/checkout $root
mount --bind $work/hosts /etc/hosts
exec $(command -v sshd || printf /usr/sbin/sshd) -D -e -f $work/sshd_config
END
for host in 1 2; do
  ip netns exec "$prefix-$host" unshare -u -i -m bash "$work/start-host" "$host" >"$work/sshd-$host" 2>&1 &
  daemons+=($!)
done
for host in 1 2; do
  # `ip netns exec` and `unshare` become the shell and then sshd: one process.
  await 10 "an sshd on node$host" grep -q 'Server listening' "$work/sshd-$host"
done

on1() {
  nsenter --target "${daemons[0]}" --net --uts --ipc --mount --wd="$work" -- env \
    OMPI_MCA_btl_tcp_if_include=$network OMPI_MCA_oob_tcp_if_include=$network \
    OMPI_MCA_plm_rsh_args="-F $work/ssh_config" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$@"
}

cable() { ip -n "$prefix-switch" link set port2 "$1"; }

slow_cable() {
  ip netns exec "$prefix-switch" tc qdisc replace dev port2 root tbf rate "$1" burst 256kb latency 100ms
  ip netns exec "$prefix-2" tc qdisc replace dev wire root tbf rate "$1" burst 256kb latency 100ms
}
