//! Where the framework's messages go: nowhere in a host, to the console in the standalone program.

/// Sets up what there is to set up, once a process.
pub(crate) fn install() {
    crate::guard::install();
    #[cfg(feature = "standalone")]
    {
        // It fails when there is one already, which is as good.
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .with_target(false)
            .without_time()
            .with_ansi(false)
            .with_writer(std::io::stderr)
            .try_init();
    }
}
