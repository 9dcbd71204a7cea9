//! Randomness as a parameter: every draw is a pure function of what it decides.
//!
//! The root is a seed and the index of a replication. ChaCha8 (one stream for each label, of 2^64 that do not overlap)
//! turns the root and a *name* into a key or a workload stream; Philox4x64-10, a counter-based generator, turns the key
//! of a link and the identity of a datagram into the draws for that datagram on that link. Nothing depends on the order
//! of tables or events, so adding a host or switching on another impairment moves no other outcome.
//!
//! Sources: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC11) for Philox; its published
//! known answers are tests of this file.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::id::DatagramId;

/// What all draws of one run derive from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// The scenario's seed.
    pub seed: u64,
    /// Index of the replication; 0 in a plain run.
    pub replication: u32,
}

impl Root {
    /// The draws of the link called `link`.
    #[must_use]
    pub fn link(self, link: &str) -> LinkDraws {
        let mut stream = self.labelled(&["link", link]);
        LinkDraws { key: [stream.next_u64(), stream.next_u64()] }
    }

    /// The part of a datagram's identity that stands for its flow and sender.
    #[must_use]
    pub fn stream_key(self, flow: &str, sender: &str) -> u64 {
        self.labelled(&["stream", flow, sender]).next_u64()
    }

    /// The part of a datagram's identity that stands for the answers of the machine `from` to one datagram of a stream, which
    /// came from and to these segments.
    #[must_use]
    pub fn answer_key(self, question: &DatagramId, segments: [&str; 2], from: &str) -> u64 {
        let [stream, message] = [question.stream_key, question.message].map(|number| number.to_string());
        let [copy, duplicate] = [question.copy.into(), question.duplicate].map(|number: u32| number.to_string());
        let [origin, arrival] = segments;
        self.labelled(&["answer", &stream, &message, &copy, &duplicate, origin, arrival, from]).next_u64()
    }

    /// The part of a datagram's identity that stands for what a program on the machine `from` replies when it has read one
    /// instance of a datagram of a stream, which came from and to these segments.
    #[must_use]
    pub fn reply_key(self, read: &DatagramId, segments: [&str; 2], from: &str) -> u64 {
        let [stream, message] = [read.stream_key, read.message].map(|number| number.to_string());
        let [copy, packet, duplicate] =
            [read.copy.into(), read.packet.into(), read.duplicate].map(|number: u32| number.to_string());
        let [origin, arrival] = segments;
        self.labelled(&["reply", &stream, &message, &copy, &packet, &duplicate, origin, arrival, from]).next_u64()
    }

    /// The part of a datagram's identity that stands for what a stream sends to one member of a list: each is sent a
    /// datagram of its own.
    #[must_use]
    pub fn member_key(self, stream_key: u64, member: &str) -> u64 {
        self.labelled(&["member", &stream_key.to_string(), member]).next_u64()
    }

    /// The part of a datagram's identity that stands for what `asker` asks about a NetBIOS name.
    #[must_use]
    pub fn question_key(self, asker: &str, name: &str) -> u64 {
        self.labelled(&["question", asker, name]).next_u64()
    }

    /// The part of a datagram's identity that stands for a program of this kind on a host.
    #[must_use]
    pub fn program_key(self, kind: &str, host: &str) -> u64 {
        self.labelled(&["program", kind, host]).next_u64()
    }

    /// A generator for what a program of this kind draws after it was started on a host for the `start`th time.
    #[must_use]
    pub fn program(self, kind: &str, host: &str, start: u32) -> ChaCha8Rng {
        self.labelled(&["program start", kind, host, &start.to_string()])
    }

    /// A generator for one side (`aspect`) of what `sender` writes for `flow`: its gaps, say. Each aspect has a
    /// generator of its own, so that changing one does not shift the others.
    #[must_use]
    pub fn workload(self, flow: &str, sender: &str, aspect: &str) -> ChaCha8Rng {
        self.labelled(&["workload", flow, sender, aspect])
    }

    /// A generator for the moments at which something happens by itself again and again: the `number`th event of the
    /// scenario that does `what` to `whom`.
    #[must_use]
    pub fn fault(self, what: &str, whom: &str, number: u32) -> ChaCha8Rng {
        self.labelled(&["fault", what, whom, &number.to_string()])
    }

    /// The ChaCha8 stream of a label. The stream number is a hash of the label, so that it does not depend on what
    /// other labels exist.
    fn labelled(self, label: &[&str]) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        for part in label {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&self.replication.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator
            .set_stream(u64::from_le_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]));
        generator
    }
}

/// What a draw decides. Each purpose has its own place in the generator's output, whether the link uses it or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// Whether the loss model takes the datagram.
    Loss = 0,
    /// Whether a bit is flipped.
    Corrupt = 1,
    /// Whether the link makes a second copy.
    Duplicate = 2,
    /// How long the link takes.
    Delay = 3,
    /// Where the state of a loss model with memory goes next.
    LossState = 4,
    /// Which bit is flipped.
    CorruptBit = 5,
    /// Whether the datagram is sent on without delay.
    Reorder = 6,
}

/// The draws of one link, in one replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkDraws {
    key: [u64; 2],
}

impl LinkDraws {
    /// The draw for one datagram and purpose.
    #[must_use]
    pub fn draw(&self, id: &DatagramId, purpose: Purpose) -> u64 {
        let (block, lane) = (purpose as u64 / 4, purpose as usize % 4);
        philox4x64(self.counter(id, block), self.key)[lane]
    }

    /// The draws of a datagram for the purposes that nearly every link needs: loss, corrupt, duplicate, delay.
    #[must_use]
    pub fn common(&self, id: &DatagramId) -> CommonDraws {
        let [loss, corrupt, duplicate, delay] = philox4x64(self.counter(id, 0), self.key);
        CommonDraws { loss, corrupt, duplicate, delay }
    }

    /// The draws for the states in which models with memory start: they belong to the link, not to a datagram. Loss,
    /// delay, and two for reordering.
    #[must_use]
    pub fn initial(&self) -> [u64; 4] {
        philox4x64([0, 0, 0, u64::MAX], self.key)
    }

    fn counter(&self, id: &DatagramId, block: u64) -> [u64; 4] {
        let instance = u64::from(id.copy) << 48 | u64::from(id.packet) << 32 | u64::from(id.duplicate);
        let part = u64::from(id.origin) << 24 | u64::from(id.fragment) << 8;
        [id.stream_key, id.message, instance, part | block]
    }
}

/// [`LinkDraws::common`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommonDraws {
    /// The draw for [`Purpose::Loss`].
    pub loss: u64,
    /// The draw for [`Purpose::Corrupt`].
    pub corrupt: u64,
    /// The draw for [`Purpose::Duplicate`].
    pub duplicate: u64,
    /// The draw for [`Purpose::Delay`].
    pub delay: u64,
}

/// Philox4x64-10: four 64-bit words for each counter and key.
#[must_use]
pub fn philox4x64(mut counter: [u64; 4], mut key: [u64; 2]) -> [u64; 4] {
    for _ in 0..PHILOX_ROUNDS {
        let a = u128::from(PHILOX_M[0]) * u128::from(counter[0]);
        let b = u128::from(PHILOX_M[1]) * u128::from(counter[2]);
        counter = [(b >> 64) as u64 ^ counter[1] ^ key[0], b as u64, (a >> 64) as u64 ^ counter[3] ^ key[1], a as u64];
        key = [key[0].wrapping_add(PHILOX_WEYL[0]), key[1].wrapping_add(PHILOX_WEYL[1])];
    }
    counter
}

const PHILOX_ROUNDS: u32 = 10;
const PHILOX_M: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const PHILOX_WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers published with the generator (Random123, `kat_vectors`, philox4x64 with 10 rounds).
    #[test]
    fn philox_gives_its_published_known_answers() {
        assert_eq!(
            philox4x64([0; 4], [0; 2]),
            [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b]
        );
        assert_eq!(
            philox4x64([u64::MAX; 4], [u64::MAX; 2]),
            [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0]
        );
        assert_eq!(
            philox4x64(
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89],
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c]
            ),
            [0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5, 0x57bd_43b5_e52b_7fe6]
        );
    }

    /// ChaCha with 8 rounds, key and nonce zero: the first words of the keystream as published for the cipher
    /// (draft-strombergson-chacha-test-vectors-01, TC1, 256-bit key).
    #[test]
    fn chacha8_gives_its_published_known_answer() {
        let mut generator = ChaCha8Rng::from_seed([0; 32]);
        assert_eq!(generator.next_u64().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn a_draw_depends_on_every_part_of_its_identity() {
        let id = DatagramId { copy: 3, packet: 4, duplicate: 5, ..DatagramId::new(1, 2) };
        let root = Root { seed: 42, replication: 0 };
        let reference = root.link("a").draw(&id, Purpose::Loss);
        let others = [
            Root { seed: 43, ..root }.link("a").draw(&id, Purpose::Loss),
            Root { replication: 1, ..root }.link("a").draw(&id, Purpose::Loss),
            root.link("b").draw(&id, Purpose::Loss),
            root.link("a").draw(&id, Purpose::Delay),
            root.link("a").draw(&id, Purpose::LossState),
            root.link("a").draw(&DatagramId { stream_key: 9, ..id }, Purpose::Loss),
            root.link("a").draw(&DatagramId { message: 9, ..id }, Purpose::Loss),
            root.link("a").draw(&DatagramId { copy: 9, ..id }, Purpose::Loss),
            root.link("a").draw(&DatagramId { packet: 9, ..id }, Purpose::Loss),
            root.link("a").draw(&id.duplicated_at(1), Purpose::Loss),
            root.link("a").draw(&DatagramId { fragment: 9, ..id }, Purpose::Loss),
            root.link("a").draw(&DatagramId { origin: 9, ..id }, Purpose::Loss),
        ];
        for (position, other) in others.iter().enumerate() {
            assert_ne!(*other, reference, "part {position} of the identity does not matter");
        }
        assert_eq!(root.link("a").draw(&id, Purpose::Loss), reference);
    }

    #[test]
    fn common_draws_are_those_of_their_purposes() {
        let id = DatagramId { copy: 3, packet: 4, duplicate: 5, ..DatagramId::new(1, 2) };
        let draws = Root { seed: 42, replication: 0 }.link("a");
        let CommonDraws { loss, corrupt, duplicate, delay } = draws.common(&id);
        let by_purpose =
            [Purpose::Loss, Purpose::Corrupt, Purpose::Duplicate, Purpose::Delay].map(|it| draws.draw(&id, it));
        assert_eq!([loss, corrupt, duplicate, delay], by_purpose);
    }

    #[test]
    fn labels_do_not_run_together() {
        let root = Root { seed: 0, replication: 0 };
        assert_ne!(root.stream_key("ab", "c"), root.stream_key("a", "bc"));
        assert_ne!(root.program_key("a", "b"), root.stream_key("a", "b"));
        let [first, second] = [0, 1].map(|start| root.program("a", "b", start).next_u64());
        assert_ne!(first, second);
    }
}
