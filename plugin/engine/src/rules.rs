//! tmp
/// tmp
pub struct RuleBand;
