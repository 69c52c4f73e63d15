//! Sorting, and maps and sets from what is not in order. Pure.
//!
//! std compiles its sort anew for each type and each key, which is 4 kB of program. To collect into a map
//! or set in order, or to extend a [`LiteMap`], does the same, since it sorts first. [`sort`] and
//! [`sort_by_key`] share one sort, and [`map`] and [`gather`] need none. What listeners sort is short, so
//! that calls through a pointer do not count.
//!
//! A map of processes is a [`LiteMap`], a sorted vector, since a `BTreeMap` is 5 kB of program for each
//! type. A queue, which may be long and loses its first entries, is a `BTreeMap`.

use std::cmp::Ordering;

use litemap::LiteMap;

/// Sorts; equal items keep their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts by a key; items with equal keys keep their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let swaps = swaps(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    for (to, from) in swaps {
        items.swap(to, from);
    }
}

/// The swaps that put items into order, one after the other.
fn swaps(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    // The place that each item comes from.
    let mut origins: Vec<_> = (0..count).collect();
    origins.sort_by(|one, other| compare(*one, *other));
    let mut swaps = Vec::new();
    for start in 0..count {
        let mut to = start;
        // Along a cycle of places; one that has been passed is its own origin.
        while let Some(origin) = origins.get_mut(to) {
            let from = std::mem::replace(origin, to);
            if from == start {
                break;
            }
            swaps.push((to, from));
            to = from;
        }
    }
    swaps
}

/// A map of pairs; of two with the same key the last one counts.
pub fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> LiteMap<K, V> {
    let mut map = LiteMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

/// A set, or a map of another kind, by inserting one after the other.
pub fn gather<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn does_what_std_does(items: Vec<(u8, u16)>) {
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            sort_by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(&ours, &theirs);
            sort(&mut ours);
            theirs.sort();
            prop_assert_eq!(ours, theirs);
            let all: BTreeMap<_, _> = items.iter().copied().collect();
            prop_assert_eq!(&gather::<_, BTreeMap<_, _>>(items.clone()), &all);
            prop_assert_eq!(map(items).into_tuple_vec(), Vec::from_iter(all));
        }
    }
}
