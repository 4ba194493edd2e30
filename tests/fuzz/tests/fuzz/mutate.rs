//! Changes of inputs, the same ones in every run.

/// What parsers trip over.
const PIECES: [&[u8]; 24] = [
    b"{KEY}",
    b"{TOKEN}",
    b"{REFRESH}",
    b"\"",
    b"\\u0000",
    b"null",
    b"-1",
    b"1e400",
    b"9223372036854775808",
    b"{}",
    b"[]",
    b",",
    b":",
    b".",
    b"=",
    b" ",
    b"*",
    b"/",
    b"\xef\xbf\xbd",
    b"\xff",
    b"\xe2\x80\xae",
    b"\r\n",
    b"true",
    b"\0",
];

/// Makes changes.
pub struct Mutator(u64);

impl Mutator {
    /// The changes that follow from this number.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }

    /// One of the inputs with one to four changes.
    pub fn change(&mut self, inputs: &[&[u8]]) -> Vec<u8> {
        let mut data = inputs[self.below(inputs.len())].to_vec();
        for _ in 0..=self.below(4) {
            self.once(&mut data, inputs);
        }
        data
    }

    fn once(&mut self, data: &mut Vec<u8>, inputs: &[&[u8]]) {
        let at = self.below(data.len() + 1);
        let to = at + self.below((data.len() - at).min(12) + 1);
        match self.below(7) {
            0 => {
                data.drain(at..to);
            }
            1 => {
                let piece = PIECES[self.below(PIECES.len())];
                data.splice(at..at, piece.iter().copied());
            }
            2 => {
                let piece = PIECES[self.below(PIECES.len())];
                data.splice(at..to, piece.iter().copied());
            }
            3 => {
                let again = data[at..to].to_vec();
                data.splice(at..at, again);
            }
            4 => data.truncate(at),
            5 => {
                let other = inputs[self.below(inputs.len())];
                let from = self.below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                let change = 1 << self.below(8);
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= change;
                }
            }
        }
    }
}
