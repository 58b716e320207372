"""Before-images: what was there before a task, kept in the run's directory until it is put back.

ledger      the directory of one attempt: what it is about to change, what it has put there, whether it is undone
places      a path, resolved once, then worked on through its open parent directory
inodes      what there is to an inode beside its bytes: kind, mode, owner, times, links, extended attributes
walk        everything below a place, without ever following a link
content     bytes from one file to another: shared where the file system can, copied where not
taking      an image of a file, a link, a tree, or of nothing
restoring   a world made equal to its image, touching only what differs
fingerprint what is there now, in a few words, to tell whether it is still what was put there
pace        limits of time and size, and the wish to stop
"""
