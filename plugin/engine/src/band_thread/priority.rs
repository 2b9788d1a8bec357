//! How urgent the band's thread is.
//!
//! It sleeps most of the time and then has to answer within milliseconds, like the audio thread that asks it,
//! but after it: so it asks for the lowest of the real-time priorities. Where the system does not give them
//! (desktops give them to members of an audio group), it stays an ordinary thread. While the host renders faster
//! than real time nothing is urgent: several bands that look often would keep the host itself from its work.

#[cfg(unix)]
use thread_priority::unix::{
    NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// The priority of the band's thread.
pub(super) struct Priority {
    /// Whether it was asked for, and whether the system gave it.
    urgent: bool,
    raised: bool,
}

impl Priority {
    /// Asks for this thread to go before ordinary work. Not for the audio thread.
    pub(super) fn raise() -> Self {
        #[cfg(unix)]
        let raised = set_thread_priority_and_policy(
            thread_native_id(),
            ThreadPriority::Min,
            ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
        );
        #[cfg(not(unix))]
        let raised = thread_priority::set_current_thread_priority(ThreadPriority::Max);
        // When it is refused nothing is lost but a margin.
        Self { urgent: true, raised: raised.is_ok() }
    }

    /// Goes before ordinary work again, or no longer.
    pub(super) fn set_urgent(&mut self, urgent: bool) {
        if urgent != self.urgent {
            if urgent {
                *self = Self::raise();
            } else {
                self.lower();
                self.urgent = false;
            }
        }
    }

    /// Does work that takes long as an ordinary thread does.
    pub(super) fn relaxed<R>(&mut self, work: impl FnOnce() -> R) -> R {
        if !self.raised {
            return work();
        }
        self.lower();
        let done = work();
        *self = Self::raise();
        done
    }

    fn lower(&mut self) {
        if !std::mem::take(&mut self.raised) {
            return;
        }
        let middle = ThreadPriority::Crossplatform(ThreadPriorityValue::try_from(50u8).unwrap_or_default());
        #[cfg(unix)]
        let _ = set_thread_priority_and_policy(
            thread_native_id(),
            middle,
            ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other),
        );
        #[cfg(not(unix))]
        let _ = thread_priority::set_current_thread_priority(middle);
    }
}
