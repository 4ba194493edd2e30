//! Randomness, passed in.

/// Fills a buffer with random bytes.
pub trait Rng: Send + Sync {
    /// Fills the whole of `buffer`. An implementation that cannot must not return.
    fn fill(&self, buffer: &mut [u8]);
}

/// The cryptographic generator of AWS-LC, seeded by the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    #[expect(
        clippy::panic,
        reason = "without randomness nothing here is safe: the runtime reports it and ends"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            panic!("the operating system gives no randomness");
        }
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut buffer = [0; N];
    rng.fill(&mut buffer);
    buffer
}

/// A number below `bound`, each equally likely: values that would favour the low numbers are thrown away.
pub fn below(rng: &dyn Rng, bound: u32) -> u32 {
    let bound = bound.max(1);
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let candidate = u32::from_be_bytes(bytes(rng));
        if candidate < fair {
            return candidate % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_reach_every_value_and_never_the_bound() {
        let mut seen = [0_u32; 10];
        for _ in 0..2_000 {
            seen[below(&SystemRng, 10) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (100..320).contains(count)), "{seen:?}");
    }
}
