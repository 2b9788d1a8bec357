//! The cache of labelled music: items of one kind and split in one file.

use std::path::{Path, PathBuf};

use super::codec::decode;
use super::labelled::{Kind, LabelledSet};
use crate::data::Split;
use crate::data::cache::{CacheError, Format};

/// The cache of labelled music. Raise the version when the file format or the rules that make items change. 2: facts
/// have `doubtful`.
pub(crate) static ITEMS: Format = Format {
    magic: b"SMGENRE\n",
    version: 2,
    index: "genre.json",
    name: "cache of labelled music",
    command: "genre prepare",
};

/// Path of the file of a kind and split.
pub(crate) fn file(cache: &Path, kind: Kind, split: Split) -> PathBuf {
    cache.join(format!("{}-{split}.items", kind.name()))
}

/// Reads the items of one kind and split, in the order of their ids. A cache without any is an empty set. The
/// test split is read when, and only when, the caller asks for [`Split::Test`].
///
/// # Errors
/// When there is no cache there, or it is damaged, of another version, or cannot be read.
pub fn load(cache: &Path, kind: Kind, split: Split) -> Result<LabelledSet, CacheError> {
    let items = ITEMS.load(file(cache, kind, split), |r| decode(r).filter(|i| i.content.kind() == kind))?;
    Ok(LabelledSet { kind, items })
}
