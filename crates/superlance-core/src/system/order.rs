//! Sorting, and maps and sets from what is not in order. Pure.
//!
//! std compiles its sort anew for each type and each key, which is 4 kB of program, and so does
//! whatever collects into a map or set in order, since it sorts first. Here the sort is compiled once.
//! What listeners sort is short, so that the calls through a pointer do not count.
//!
//! Maps of processes are [`LiteMap`]s, sorted vectors, since a `BTreeMap` is 5 kB of program for each
//! type. It is right for a queue, which may be long and loses its first entries.

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
    let order = order(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    for (to, mut from) in order.iter().copied().enumerate() {
        // What was there before `to` has been swapped to where its successor came from.
        while let Some(moved) = order.get(from).filter(|_| from < to) {
            from = *moved;
        }
        items.swap(from, to);
    }
}

/// Where the items of an ordered sequence are now.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<_> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

/// A map of pairs; of two with the same key the last one counts.
pub fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> LiteMap<K, V> {
    let mut map = LiteMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

/// Collects by inserting one after the other.
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

    #[test]
    fn a_text_is_not_copied_for_its_key() {
        let mut words = ["b", "ccc", "a", "bb"].map(str::to_owned);
        sort_by_key(&mut words, |word| std::cmp::Reverse(word.len()));
        assert_eq!(words, ["ccc", "bb", "b", "a"]);
    }
}
