//! The messages of the name service, one by one (RFC 1002 4.2.2 to 4.2.16).

use std::net::Ipv4Addr;

use super::{
    CLASS_IN, Entry, FLAG_AUTHORITATIVE, FLAG_BROADCAST, FLAG_RECURSION_AVAILABLE, FLAG_RECURSION_DESIRED,
    FLAG_RESPONSE, HEADER, Malformed, OPCODE_QUERY, OPCODE_REGISTRATION, OPCODE_RELEASE, OPCODE_SHIFT, OPCODE_WAIT,
    Packet, Sections, TYPE_NB, TYPE_NULL, require_nb,
};
use crate::wire::datagram::NodeType;
use crate::wire::{Name, Profile};

/// A message, in a form that cannot hold nonsense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repr {
    /// NAME_TRN_ID.
    pub id: u16,
    /// The name that it is about.
    pub name: Name,
    /// What it says of the name.
    pub message: Message,
}

/// What is said of a name. TTLs are in seconds; [`INFINITE_TTL`](super::INFINITE_TTL) never ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// NAME QUERY REQUEST: who bears it?
    Query {
        /// B: everybody is asked, not one machine.
        broadcast: bool,
    },
    /// POSITIVE NAME QUERY RESPONSE.
    Found {
        /// RA: a name server says so, not an owner.
        by_server: bool,
        /// How long the answer may be kept.
        ttl: u32,
        /// The owners: one of a unique name, some or all of a group, perhaps none.
        owners: Vec<Entry>,
    },
    /// NEGATIVE NAME QUERY RESPONSE.
    NotFound {
        /// RA: a name server says so.
        by_server: bool,
        /// Why.
        code: ErrorCode,
    },
    /// NAME REGISTRATION REQUEST: the owner wants the name, unless somebody objects.
    Register {
        /// B: everybody is asked, not one machine.
        broadcast: bool,
        /// How long the claim is to hold.
        ttl: u32,
        /// Who wants it.
        owner: Entry,
    },
    /// NAME OVERWRITE REQUEST or DEMAND, called update in RFC 1002 5: the owner has the name now.
    Overwrite {
        /// B: everybody is told, not one machine.
        broadcast: bool,
        /// How long the claim is to hold.
        ttl: u32,
        /// Who has it.
        owner: Entry,
    },
    /// POSITIVE NAME REGISTRATION RESPONSE of a name server.
    Registered {
        /// How long the claim holds without a refresh.
        ttl: u32,
        /// Who has it.
        owner: Entry,
    },
    /// END-NODE CHALLENGE REGISTRATION RESPONSE: the claimant is to ask the owner itself.
    Challenge {
        /// TTL of the record.
        ttl: u32,
        /// Who has it, perhaps.
        owner: Entry,
    },
    /// NEGATIVE NAME REGISTRATION RESPONSE; with [`ErrorCode::Conflict`] also NAME CONFLICT DEMAND.
    Refused {
        /// Why.
        code: ErrorCode,
        /// TTL of the record.
        ttl: u32,
        /// Who has it.
        owner: Entry,
    },
    /// NAME RELEASE REQUEST or DEMAND: the owner has it no more.
    Release {
        /// B: everybody is told, not one machine.
        broadcast: bool,
        /// Who had it.
        owner: Entry,
    },
    /// POSITIVE NAME RELEASE RESPONSE.
    Released {
        /// TTL of the record.
        ttl: u32,
        /// Who had it.
        owner: Entry,
    },
    /// NEGATIVE NAME RELEASE RESPONSE.
    NotReleased {
        /// Why.
        code: ErrorCode,
        /// TTL of the record.
        ttl: u32,
        /// Who has it.
        owner: Entry,
    },
    /// WAIT FOR ACKNOWLEDGEMENT RESPONSE.
    Wait {
        /// How long, in seconds; 0 if the name server cannot say.
        seconds: u32,
        /// OPCODE and NM_FLAGS of the request, as its flags word had them.
        request_flags: u16,
    },
}

/// RCODE of a negative response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// FMT_ERR: the request was malformed.
    Format = 1,
    /// SRV_ERR: the name server cannot process the name.
    Server = 2,
    /// NAM_ERR: there is no such name.
    Name = 3,
    /// IMP_ERR: the request is not supported.
    Unsupported = 4,
    /// RFS_ERR: refused for policy.
    Refused = 5,
    /// ACT_ERR: another node owns the name.
    Active = 6,
    /// CFT_ERR: a unique name has more than one owner.
    Conflict = 7,
}

impl ErrorCode {
    fn parse(code: u8) -> Result<Self, Malformed> {
        Ok(match code {
            1 => ErrorCode::Format,
            2 => ErrorCode::Server,
            3 => ErrorCode::Name,
            4 => ErrorCode::Unsupported,
            5 => ErrorCode::Refused,
            6 => ErrorCode::Active,
            7 => ErrorCode::Conflict,
            _ => return Err(Malformed::UnknownCode(code)),
        })
    }
}

impl Repr {
    /// Reads a packet. [`Profile::Windows`] ignores what the message does not need, such as unused flags, further
    /// questions and records, and bytes after them.
    ///
    /// # Errors
    ///
    /// If the packet is malformed or none of the messages; under [`Profile::Strict`] also if it is not, byte for byte,
    /// what [`Repr::emit`] writes.
    pub fn parse(packet: &Packet<'_>, profile: Profile) -> Result<Self, Malformed> {
        let sections = packet.sections()?;
        let (name, message) =
            if packet.is_response() { response(packet, &sections)? } else { request(packet, &sections)? };
        let repr = Repr { id: packet.id(), name, message };
        if profile == Profile::Strict {
            let mut canonical = Vec::new();
            repr.emit(&mut canonical);
            let same = canonical.iter().zip(packet.0).take_while(|(a, b)| a == b).count();
            if same < canonical.len().max(packet.0.len()) {
                return Err(Malformed::SenderRule { at: same });
            }
        }
        Ok(repr)
    }

    /// Appends the packet to `out`.
    ///
    /// # Panics
    ///
    /// If there are more than 10,922 owners, which RDLENGTH cannot say.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let counts: [u16; 4] = match &self.message {
            Message::Query { .. } => [1, 0, 0, 0],
            Message::Register { .. } | Message::Overwrite { .. } | Message::Release { .. } => [1, 0, 0, 1],
            _ => [0, 1, 0, 0],
        };
        for word in [self.id, self.message.flags()].into_iter().chain(counts) {
            out.extend_from_slice(&word.to_be_bytes());
        }
        self.name.emit(out);
        match &self.message {
            Message::Query { .. } => emit_type(TYPE_NB, out),
            Message::Register { ttl, owner, .. } | Message::Overwrite { ttl, owner, .. } => {
                emit_claim(*ttl, *owner, out);
            }
            Message::Release { owner, .. } => emit_claim(0, *owner, out),
            Message::Found { ttl, owners, .. } => emit_owners(*ttl, owners, out),
            Message::Registered { ttl, owner }
            | Message::Challenge { ttl, owner }
            | Message::Refused { ttl, owner, .. }
            | Message::Released { ttl, owner }
            | Message::NotReleased { ttl, owner, .. } => emit_owners(*ttl, &[*owner], out),
            Message::NotFound { .. } => emit_record(TYPE_NULL, 0, &[], out),
            // RFC 1002 4.2.16 calls the type NULL and writes the value of NB.
            Message::Wait { seconds, request_flags } => {
                emit_record(TYPE_NB, *seconds, &request_flags.to_be_bytes(), out);
            }
        }
    }
}

impl Message {
    /// NAME CONFLICT DEMAND (RFC 1002 4.2.8): tells a node that its name is another's too. Neither TTL nor address.
    #[must_use]
    pub fn conflict_demand() -> Self {
        let owner = Entry { group: false, node: NodeType::B, address: Ipv4Addr::UNSPECIFIED };
        Message::Refused { code: ErrorCode::Conflict, ttl: 0, owner }
    }

    /// The flags word of the header, as RFC 1002 4.2.2 to 4.2.16 draw it.
    fn flags(&self) -> u16 {
        let request = |opcode: u8, broadcast: bool| {
            u16::from(opcode) << OPCODE_SHIFT | if broadcast { FLAG_BROADCAST } else { 0 }
        };
        let response = |opcode: u8| FLAG_RESPONSE | u16::from(opcode) << OPCODE_SHIFT | FLAG_AUTHORITATIVE;
        let server = |by_server: bool| if by_server { FLAG_RECURSION_AVAILABLE } else { 0 };
        match self {
            Message::Query { broadcast } => request(OPCODE_QUERY, *broadcast) | FLAG_RECURSION_DESIRED,
            Message::Register { broadcast, .. } => request(OPCODE_REGISTRATION, *broadcast) | FLAG_RECURSION_DESIRED,
            Message::Overwrite { broadcast, .. } => request(OPCODE_REGISTRATION, *broadcast),
            Message::Release { broadcast, .. } => request(OPCODE_RELEASE, *broadcast),
            Message::Found { by_server, .. } => response(OPCODE_QUERY) | FLAG_RECURSION_DESIRED | server(*by_server),
            Message::NotFound { by_server, code } => {
                response(OPCODE_QUERY) | FLAG_RECURSION_DESIRED | server(*by_server) | *code as u16
            }
            Message::Registered { .. } => response(OPCODE_REGISTRATION) | FLAG_RECURSION_DESIRED | server(true),
            Message::Challenge { .. } => response(OPCODE_REGISTRATION) | FLAG_RECURSION_DESIRED,
            Message::Refused { code, .. } => {
                response(OPCODE_REGISTRATION) | FLAG_RECURSION_DESIRED | server(true) | *code as u16
            }
            Message::Released { .. } => response(OPCODE_RELEASE),
            Message::NotReleased { code, .. } => response(OPCODE_RELEASE) | *code as u16,
            Message::Wait { .. } => response(OPCODE_WAIT),
        }
    }
}

fn request(packet: &Packet<'_>, sections: &Sections<'_>) -> Result<(Name, Message), Malformed> {
    let question = sections.questions.first().ok_or(Malformed::Missing("question"))?;
    require_nb(question.kind, question.class)?;
    let broadcast = packet.flags() & FLAG_BROADCAST != 0;
    let claim = || {
        let record = sections.additional.first().ok_or(Malformed::Missing("additional record"))?;
        let same =
            record.name.netbios == question.name.netbios && record.name.scope.matches(question.name.scope.as_labels());
        if !same {
            return Err(Malformed::NamesDiffer);
        }
        let owner = *record.owners()?.first().ok_or(Malformed::Missing("owner"))?;
        Ok((record.ttl, owner))
    };
    let message = match packet.opcode() {
        OPCODE_QUERY => Message::Query { broadcast },
        OPCODE_REGISTRATION => {
            let (ttl, owner) = claim()?;
            if packet.flags() & FLAG_RECURSION_DESIRED != 0 {
                Message::Register { broadcast, ttl, owner }
            } else {
                Message::Overwrite { broadcast, ttl, owner }
            }
        }
        OPCODE_RELEASE => Message::Release { broadcast, owner: claim()?.1 },
        opcode => return Err(Malformed::UnknownOperation { opcode, response: false }),
    };
    Ok((question.name.clone(), message))
}

fn response(packet: &Packet<'_>, sections: &Sections<'_>) -> Result<(Name, Message), Malformed> {
    let answer = sections.answers.first().ok_or(Malformed::Missing("answer"))?;
    let by_server = packet.flags() & FLAG_RECURSION_AVAILABLE != 0;
    let ttl = answer.ttl;
    let owner = || answer.owners()?.first().copied().ok_or(Malformed::Missing("owner"));
    let message = match (packet.opcode(), packet.code()) {
        (OPCODE_QUERY, 0) => Message::Found { by_server, ttl, owners: answer.owners()? },
        (OPCODE_QUERY, code) => Message::NotFound { by_server, code: ErrorCode::parse(code)? },
        (OPCODE_REGISTRATION, 0) if by_server => Message::Registered { ttl, owner: owner()? },
        (OPCODE_REGISTRATION, 0) => Message::Challenge { ttl, owner: owner()? },
        (OPCODE_REGISTRATION, code) => Message::Refused { code: ErrorCode::parse(code)?, ttl, owner: owner()? },
        (OPCODE_RELEASE, 0) => Message::Released { ttl, owner: owner()? },
        (OPCODE_RELEASE, code) => Message::NotReleased { code: ErrorCode::parse(code)?, ttl, owner: owner()? },
        (OPCODE_WAIT, _) => {
            let bytes = answer.data.first_chunk().ok_or(Malformed::Missing("flags of the request"))?;
            Message::Wait { seconds: ttl, request_flags: u16::from_be_bytes(*bytes) }
        }
        (opcode, _) => return Err(Malformed::UnknownOperation { opcode, response: true }),
    };
    Ok((answer.name.clone(), message))
}

fn emit_type(kind: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());
}

/// The rest of a question, and the record that is about the same name.
fn emit_claim(ttl: u32, owner: Entry, out: &mut Vec<u8>) {
    emit_type(TYPE_NB, out);
    out.extend_from_slice(&QUESTION_NAME);
    emit_owners(ttl, &[owner], out);
}

fn emit_owners(ttl: u32, owners: &[Entry], out: &mut Vec<u8>) {
    let mut data = Vec::with_capacity(owners.len() * Entry::LENGTH);
    for owner in owners {
        owner.emit(&mut data);
    }
    emit_record(TYPE_NB, ttl, &data, out);
}

fn emit_record(kind: u16, ttl: u32, data: &[u8], out: &mut Vec<u8>) {
    emit_type(kind, out);
    out.extend_from_slice(&ttl.to_be_bytes());
    let length = u16::try_from(data.len()).expect("the owners of a name fit RDLENGTH");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data);
}

/// The label pointer to the name of the question, the first thing after the header (RFC 1002 4.2.2).
const QUESTION_NAME: [u8; 2] = [0xC0, HEADER as u8];
