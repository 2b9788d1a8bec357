//! How the process keeps its memory.

/// Has the allocator keep large blocks that are freed for the next update, rather than give them back to the
/// system and ask for them again: a seventh of the time of an update went there. Does nothing where the C library is
/// not glibc.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 1 << 30;
        // SAFETY: the call only sets numbers of the allocator; it may be made at any time.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TOP_PAD, 64 << 20);
        }
    }
}
