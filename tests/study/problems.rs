//! What is wrong with a study is said with its place.
