/**
 * What a program inside a bottle may ask of the kernel: one list for every backend on Linux (SECURITY 2). It is an
 * allowlist of names, so that a call which a later kernel adds is refused until somebody reads about it. Refused by
 * absence: mounts of either API, new namespaces, io_uring, bpf, keyrings, userfaultfd, perf, modules, clocks, swap,
 * kexec, file handles, quota, tracing of the kernel's own state.
 *
 * `ptrace` and `process_vm_*` stay: debuggers are an agent's tools, and in a PID namespace of its own every process
 * that can be named belongs to the same bottle and the same identity, so they reach nothing that was out of reach.
 */

/** A condition on one argument of a call. Values are compared in their low 32 bits, as the kernel reads these. */
export interface ArgumentTest {
  index: number
  op: "equal" | "not-equal" | "no-bits"
  value: number
}

/** Tests of one list must all hold; one list of several is enough. */
export interface ConditionalCall {
  name: string
  allowWhen: readonly (readonly ArgumentTest[])[]
}

export interface SeccompProfile {
  allow: readonly string[]
  conditional: readonly ConditionalCall[]
  /** Answered ENOSYS instead of EPERM: the caller then takes the older call that can be looked into. */
  absent: readonly string[]
}

const words = (text: string): string[] => text.trim().split(/\s+/)

const files = words(`
  access cachestat chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
  fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
  fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr getxattrat
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr listxattrat
  llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64
  preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr removexattrat rename
  renameat renameat2 rmdir sendfile setxattr setxattrat splice stat statfs statx symlink symlinkat sync
  sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
  ioprio_get ioprio_set
`)

const memory = words(`
  brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mprotect mremap
  mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_madvise process_mrelease
  remap_file_pages get_mempolicy
`)

const processes = words(`
  alarm arch_prctl capget capset execve execveat exit exit_group fork getcpu getegid geteuid getgid getgroups getpgid
  getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid get_robust_list
  get_thread_area kcmp kill landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pause
  pidfd_getfd pidfd_open pidfd_send_signal prctl prlimit64 process_vm_readv process_vm_writev ptrace restart_syscall
  rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
  sched_yield seccomp setfsgid setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid
  setrlimit setsid setuid set_robust_list set_thread_area set_tid_address sigaltstack sysinfo tgkill times tkill uname
  vfork wait4 waitid
`)

const waiting = words(`
  clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 futex futex_requeue futex_wait futex_waitv futex_wake
  getitimer gettimeofday io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit nanosleep poll ppoll
  pselect6 select setitimer signalfd signalfd4 time timer_create timer_delete timer_getoverrun timer_gettime
  timer_settime timerfd_create timerfd_gettime timerfd_settime getrandom
`)

const talking = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen pipe pipe2 recvfrom recvmmsg recvmsg sendmmsg
  sendmsg sendto setsockopt shutdown mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl
  msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget
`)

const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const
const netlinkRoute = 0
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = 0x7e020000
/** CLONE_NEWTIME lies in the bits that `clone` uses for the exit signal; only `unshare` takes it. */
const newTime = 0x80
const terminalTakers = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCSETD: 0x5423 } as const
/** PER_LINUX and PER_LINUX32, each with and without UNAME26, and the query. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff] as const

const is = (index: number, value: number): ArgumentTest => ({ index, op: "equal", value })

export const profile: SeccompProfile = {
  allow: [...files, ...memory, ...processes, ...waiting, ...talking],
  conditional: [
    {
      name: "socket",
      // Of netlink, the route protocol: what getifaddrs asks. The others are kernel surface without a use in here.
      allowWhen: [
        [is(0, family.unix)],
        [is(0, family.inet)],
        [is(0, family.inet6)],
        [is(0, family.netlink), is(2, netlinkRoute)],
      ],
    },
    { name: "socketpair", allowWhen: [[is(0, family.unix)]] },
    { name: "clone", allowWhen: [[{ index: 0, op: "no-bits", value: newNamespaces }]] },
    { name: "unshare", allowWhen: [[{ index: 0, op: "no-bits", value: newNamespaces | newTime }]] },
    {
      name: "ioctl",
      // TIOCSTI and TIOCLINUX type into a terminal; TIOCSETD loads line disciplines.
      allowWhen: [Object.values(terminalTakers).map((value) => ({ index: 1, op: "not-equal" as const, value }))],
    },
    { name: "personality", allowWhen: personalities.map((value) => [is(0, value)]) },
  ],
  // clone3 keeps its flags in memory, which a filter cannot read.
  absent: ["clone3"],
}

/** What no sidecar has a use for: looking into or at other processes, and making devices. */
const agentsOnly = new Set(
  words(`
  kcmp mknod mknodat modify_ldt pidfd_getfd process_madvise process_mrelease process_vm_readv process_vm_writev ptrace
  `),
)

/** For the sidecars (SECURITY 6): the agent's list without what only its debuggers need. */
export const sidecarProfile: SeccompProfile = {
  ...profile,
  allow: profile.allow.filter((name) => !agentsOnly.has(name)),
}
