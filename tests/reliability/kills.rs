//! Listeners that are killed at any moment.
