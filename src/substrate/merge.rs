//! A sort that keeps those which compare the same in their order, and is fast where there are few runs: the library's own
//! weighs the page by ten times as much.

/// Sorts by merging neighbouring runs until one is left; `is_less` is a total order's.
pub fn sort<T: Copy>(items: &mut Vec<T>, is_less: impl Fn(&T, &T) -> bool) {
    let mut merged = Vec::with_capacity(items.len());
    loop {
        let (mut start, mut pairs) = (0, 0);
        while start < items.len() {
            let middle = run_end(items, start, &is_less);
            let end = run_end(items, middle, &is_less);
            let (mut left, mut right) = (start, middle);
            while left < middle && right < end {
                let place = if is_less(&items[right], &items[left]) { &mut right } else { &mut left };
                merged.push(items[*place]);
                *place += 1;
            }
            merged.extend_from_slice(&items[left..middle]);
            merged.extend_from_slice(&items[right..end]);
            (start, pairs) = (end, pairs + 1);
        }
        std::mem::swap(items, &mut merged);
        if pairs <= 1 {
            return;
        }
        merged.clear();
    }
}

/// Sorts numbers, NaN at the ends.
pub fn sort_numbers(numbers: &mut Vec<f64>) {
    sort(numbers, |a, b| a.total_cmp(b).is_lt());
}

/// Where the run that starts at a place ends.
fn run_end<T>(items: &[T], start: usize, is_less: impl Fn(&T, &T) -> bool) -> usize {
    let falls = items[start..].windows(2).position(|pair| is_less(&pair[1], &pair[0]));
    falls.map_or(items.len(), |place| start + place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    #[test]
    fn it_sorts_as_the_library_does() {
        let mut rng = Rng::new(3);
        for count in 0..200 {
            let mut items: Vec<(u64, u64)> =
                (0..count).map(|place| (rng.below(1 + count / 2), place)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            sort(&mut items, |a, b| a.0 < b.0);
            assert_eq!(items, expected);
        }
    }
}
