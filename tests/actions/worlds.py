"""A folder with something of everything, and a picture of it that misses nothing an undo has to put back."""

import hashlib
import os
import stat

OLD = 1_000_000_000_123_456_789  # nanoseconds


def build(root):
    """Files of every mode, links of both kinds, attributes, old times, odd names."""
    os.makedirs(f"{root}/tree/inner/deep")
    os.mkdir(f"{root}/void")
    for path, text, mode in (
        ("a.ini", "# settings\n[server]\nport = 8080 ; the port\n", 0o640),
        ("two", "one file, two names\n", 0o604),
        ("tree/first", "1" * 5000, 0o755),
        ("tree/secret", "s", 0o000 if os.geteuid() == 0 else 0o400),
        ("tree/inner/deep/last", "", 0o444),
        ("tree/li\nne", "odd", 0o644),
        (os.fsdecode(b"tree/caf\xe9"), "name in another encoding", 0o644),
    ):
        with open(f"{root}/{path}", "w") as file:
            file.write(text)
        os.chmod(f"{root}/{path}", mode)
    os.link(f"{root}/two", f"{root}/second")
    os.link(f"{root}/tree/first", f"{root}/tree/inner/twin")
    os.symlink("tree/inner", f"{root}/current")
    os.symlink("nowhere", f"{root}/tree/dangling")
    os.mkfifo(f"{root}/tree/pipe")
    for path in ("a.ini", "tree/first", "tree/inner"):
        _note(f"{root}/{path}", path)
    os.chmod(f"{root}/tree/inner", 0o2750)
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            os.utime(f"{folder}/{name}", ns=(OLD, OLD + len(name)), follow_symlinks=False)


def _note(path, text):
    try:
        os.setxattr(path, "user.note", text.encode())
    except OSError:
        return  # not everywhere


def picture(root, *, folder_times=()):
    """Path -> all there is to it. The times of folders only where named: putting something in changes them."""
    found = {}
    twins = {}
    for folder, folders, files in os.walk(root):
        for name in sorted((*folders, *files)):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            key = os.path.relpath(path, root)
            seen = [stat.filemode(status.st_mode), oct(status.st_mode), status.st_uid, status.st_gid]
            if not stat.S_ISDIR(status.st_mode):
                twins.setdefault(status.st_ino, []).append(key)
                seen += [status.st_mtime_ns, status.st_nlink]
            elif key.split("/")[0] in folder_times:
                seen.append(status.st_mtime_ns)
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    seen.append(hashlib.sha256(file.read()).hexdigest())
            elif stat.S_ISLNK(status.st_mode):
                seen.append(os.readlink(path))
            seen.append({n: os.getxattr(path, n, follow_symlinks=False) for n in _attributes(path)})
            found[key] = seen
    for names in twins.values():
        for key in names:
            found[key].append(names)
    return found


def _attributes(path):
    try:
        return [name for name in os.listxattr(path, follow_symlinks=False) if name.startswith("user.")]
    except OSError:
        return []
