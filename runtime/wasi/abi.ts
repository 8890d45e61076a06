// The numbers and layouts of WASI preview 1 (snapshot_preview1, the witx files of WebAssembly/WASI), each once.
//
// All structures are little-endian; offsets and sizes are in bytes. Rights are 64-bit in the interface, but only the lower
// 30 bits have a meaning, so here they are numbers. The two versions of the interface differ in what `Abi` lists.

export const enum Errno {
  success = 0,
  toobig = 1,
  acces = 2,
  again = 6,
  badf = 8,
  busy = 10,
  exist = 20,
  fault = 21,
  fbig = 22,
  ilseq = 25,
  inval = 28,
  io = 29,
  isdir = 31,
  loop = 32,
  nametoolong = 37,
  noent = 44,
  nosys = 52,
  notdir = 54,
  notsock = 57,
  notsup = 58,
  perm = 63,
  pipe = 64,
  spipe = 70,
  notcapable = 76,
}

/** The host's name of an error => errno. The order is WASI's; what is not listed becomes `io`. */
export const errnoOfName: Readonly<Record<string, number>> = Object.fromEntries(
  [
    "SUCCESS", "E2BIG", "EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EAGAIN", "EALREADY", "EBADF", "EBADMSG",
    "EBUSY", "ECANCELED", "ECHILD", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EDEADLK", "EDESTADDRREQ", "EDOM",
    "EDQUOT", "EEXIST", "EFAULT", "EFBIG", "EHOSTUNREACH", "EIDRM", "EILSEQ", "EINPROGRESS", "EINTR", "EINVAL", "EIO",
    "EISCONN", "EISDIR", "ELOOP", "EMFILE", "EMLINK", "EMSGSIZE", "EMULTIHOP", "ENAMETOOLONG", "ENETDOWN", "ENETRESET",
    "ENETUNREACH", "ENFILE", "ENOBUFS", "ENODEV", "ENOENT", "ENOEXEC", "ENOLCK", "ENOLINK", "ENOMEM", "ENOMSG",
    "ENOPROTOOPT", "ENOSPC", "ENOSYS", "ENOTCONN", "ENOTDIR", "ENOTEMPTY", "ENOTRECOVERABLE", "ENOTSOCK", "ENOTSUP",
    "ENOTTY", "ENXIO", "EOVERFLOW", "EOWNERDEAD", "EPERM", "EPIPE", "EPROTO", "EPROTONOSUPPORT", "EPROTOTYPE", "ERANGE",
    "EROFS", "ESPIPE", "ESRCH", "ESTALE", "ETIMEDOUT", "ETXTBSY", "EXDEV", "ENOTCAPABLE",
  ].map((name, errno) => [name, errno]),
);

export const enum Filetype {
  unknown = 0,
  block_device = 1,
  character_device = 2,
  directory = 3,
  regular_file = 4,
  socket_dgram = 5,
  socket_stream = 6,
  symbolic_link = 7,
}

export const enum Rights {
  fd_datasync = 1 << 0,
  fd_read = 1 << 1,
  fd_seek = 1 << 2,
  fd_fdstat_set_flags = 1 << 3,
  fd_sync = 1 << 4,
  fd_tell = 1 << 5,
  fd_write = 1 << 6,
  fd_advise = 1 << 7,
  fd_allocate = 1 << 8,
  path_create_directory = 1 << 9,
  path_create_file = 1 << 10,
  path_link_source = 1 << 11,
  path_link_target = 1 << 12,
  path_open = 1 << 13,
  fd_readdir = 1 << 14,
  path_readlink = 1 << 15,
  path_rename_source = 1 << 16,
  path_rename_target = 1 << 17,
  path_filestat_get = 1 << 18,
  path_filestat_set_size = 1 << 19,
  path_filestat_set_times = 1 << 20,
  fd_filestat_get = 1 << 21,
  fd_filestat_set_size = 1 << 22,
  fd_filestat_set_times = 1 << 23,
  path_symlink = 1 << 24,
  path_remove_directory = 1 << 25,
  path_unlink_file = 1 << 26,
  poll_fd_readwrite = 1 << 27,
  sock_shutdown = 1 << 28,
  sock_accept = 1 << 29,

  none = 0,
  /** What any descriptor but a directory may have. */
  file = fd_datasync | fd_read | fd_seek | fd_fdstat_set_flags | fd_sync | fd_tell | fd_write | fd_advise | fd_allocate |
    fd_filestat_get | fd_filestat_set_size | fd_filestat_set_times | poll_fd_readwrite,
  /** What only a directory may have. */
  path = path_create_directory | path_create_file | path_link_source | path_link_target | path_open | fd_readdir |
    path_readlink | path_rename_source | path_rename_target | path_filestat_get | path_filestat_set_size |
    path_filestat_set_times | path_symlink | path_remove_directory | path_unlink_file,
  directory = path | fd_fdstat_set_flags | fd_datasync | fd_sync | fd_advise | fd_filestat_get | fd_filestat_set_times,
}

export const enum Fdflags {
  append = 1,
  dsync = 2,
  nonblock = 4,
  rsync = 8,
  sync = 16,
  all = 31,
}

export const enum Oflags {
  creat = 1,
  directory = 2,
  excl = 4,
  trunc = 8,
  all = 15,
}

export const enum Lookupflags {
  symlink_follow = 1,
}

export const enum Fstflags {
  atim = 1,
  atim_now = 2,
  mtim = 4,
  mtim_now = 8,
  all = 15,
}

export const enum Eventtype {
  clock = 0,
  fd_read = 1,
  fd_write = 2,
}

/** By WASI's clockid. */
export const clockNames = ["realtime", "monotonic", "process_cputime", "thread_cputime"] as const;

/** A `ciovec` or `iovec`: address and length. */
export const enum Iovec {
  bytes = 8,
  length = 4,
}

export const enum Prestat {
  tag = 0,
  nameLength = 4,
  /** The only tag there is: a directory. */
  directory = 0,
}

export const enum Fdstat {
  filetype = 0,
  flags = 2,
  rightsBase = 8,
  rightsInheriting = 16,
  bytes = 24,
}

export const enum Dirent {
  next = 0,
  ino = 8,
  nameLength = 16,
  type = 20,
  bytes = 24,
}

/** Where the fields of a `filestat` are; `nlinkBytes` is the width of that field. */
export interface FilestatLayout {
  readonly bytes: number;
  readonly dev: number;
  readonly ino: number;
  readonly filetype: number;
  readonly nlink: number;
  readonly nlinkBytes: 4 | 8;
  readonly size: number;
  readonly atim: number;
  readonly mtim: number;
  readonly ctim: number;
}

/** Where the fields of a `subscription` are; `clock` is the offset of `subscription_clock.id`. */
export interface SubscriptionLayout {
  readonly bytes: number;
  readonly userdata: number;
  readonly tag: number;
  readonly fd: number;
  readonly clockId: number;
  readonly timeout: number;
  readonly clockFlags: number;
}

/** What may differ between versions of the interface. */
export interface Abi {
  /** The module whose functions a program imports. */
  readonly module: string;
  readonly filestat: FilestatLayout;
  readonly subscription: SubscriptionLayout;
  /** WASI's whence => lseek's (SEEK_SET 0, SEEK_CUR 1, SEEK_END 2 everywhere). */
  readonly whence: readonly number[];
}

export const preview1: Abi = {
  module: "wasi_snapshot_preview1",
  filestat: { bytes: 64, dev: 0, ino: 8, filetype: 16, nlink: 24, nlinkBytes: 8, size: 32, atim: 40, mtim: 48, ctim: 56 },
  subscription: { bytes: 48, userdata: 0, tag: 8, fd: 16, clockId: 16, timeout: 24, clockFlags: 40 },
  whence: [0, 1, 2],
};

/** `wasi_unstable`, the interface before preview 1. */
export const preview0: Abi = {
  module: "wasi_unstable",
  filestat: { bytes: 56, dev: 0, ino: 8, filetype: 16, nlink: 20, nlinkBytes: 4, size: 24, atim: 32, mtim: 40, ctim: 48 },
  subscription: { bytes: 56, userdata: 0, tag: 8, fd: 16, clockId: 24, timeout: 32, clockFlags: 48 },
  whence: [1, 2, 0],
};

export const enum Event {
  userdata = 0,
  error = 8,
  type = 10,
  nbytes = 16,
  flags = 24,
  bytes = 32,
  /** In `flags`: the peer has closed. */
  hangup = 1,
}

export const enum Subclockflags {
  abstime = 1,
}
