//! Browser frames: how machines announce themselves and elect who keeps the list (MS-BRWS 2.2). Little-endian.
//!
//! Every frame that [`Frame::parse`] takes is written back by [`Frame::emit`] byte for byte: fields that receivers
//! ignore are kept. What follows a frame is refused, since a mailslot write says exactly where its message ends.

mod announcement;
mod display;
mod flags;
mod request;

pub use announcement::{Announcement, Comment, DomainAnnouncement, MAX_COMMENT, SIGNATURE, Version};
pub use flags::{Criteria, ResetState, ServerType};
pub use request::{AnnouncementRequest, BackupList, Election, MAX_BACKUPS, ResponseName};

use super::error::InvalidMessage;
use super::reader::Reader;
use super::text::{OemText, PaddedName};
use crate::wire::NetbiosName;

/// The mailslot of browser frames (MS-BRWS 2.1).
pub const SLOT: &[u8] = br"\MAILSLOT\BROWSE";
/// The mailslot that Windows servers send their HostAnnouncement to instead (MS-BRWS 2.2.1, note 9). Section 3.2.5.2
/// says [`SLOT`], where clients always send (note 6); receivers listen on both.
pub const LANMAN_SLOT: &[u8] = br"\MAILSLOT\LANMAN";

/// Suffix of the name that a group's local master browser bears on its segment (MS-BRWS 2.1.1.2).
pub const SUFFIX_LOCAL_MASTER: u8 = 0x1D;
/// Suffix of the name that all browsers of a group bear (MS-BRWS 2.1.1.3).
pub const SUFFIX_BROWSERS: u8 = 0x1E;
/// The name that the master browsers of all groups bear (MS-BRWS 2.1.1): the target of a DomainAnnouncement.
pub const MASTER_BROWSERS: NetbiosName = NetbiosName::from_bytes(*b"\x01\x02__MSBROWSE__\x02\x01");

/// A machine's or group's name with a NUL behind it: at most 16 bytes with the NUL.
pub type HostName = OemText<{ PaddedName::MAX_CHARACTERS }>;

/// A browser frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// 0x01, to the local master browser, group<1D>: I am here (2.2.1).
    HostAnnouncement(Announcement),
    /// 0x02, to group<00> or group<1D>: announce yourselves (2.2.2).
    AnnouncementRequest(AnnouncementRequest),
    /// 0x08, to group<1E>: I want to be, or there must be, a master browser (2.2.3).
    RequestElection(Election),
    /// 0x09, to group<1D> or domain<1B>: which machines have the list? (2.2.4).
    GetBackupListRequest {
        /// How many the client asks for; 4 from Windows.
        count: u8,
        /// What the response is to repeat.
        token: u32,
    },
    /// 0x0A, to the asker, computer<00>: these have (2.2.5).
    GetBackupListResponse(BackupList),
    /// 0x0B, to group<1E>: the named machine is to become a backup browser (2.2.6).
    BecomeBackup(HostName),
    /// 0x0C, to `__MSBROWSE__`<01>: a machine group and its master (2.2.7).
    DomainAnnouncement(DomainAnnouncement),
    /// 0x0D, to the domain master browser, computer<00>: the named machine is a local master browser (2.2.8).
    MasterAnnouncement(HostName),
    /// 0x0E, to a browser server: change your role (2.2.9).
    ResetStateRequest(ResetState),
    /// 0x0F, to group<1E>: I am the local master browser (2.2.10).
    LocalMasterAnnouncement(Announcement),
}

impl Frame {
    /// Reads the data of a write to [`SLOT`] or [`LANMAN_SLOT`].
    ///
    /// # Errors
    ///
    /// If the opcode is unknown, the frame ends inside a field or goes on after the last one, a string has no NUL or
    /// is too long, the signature of an announcement is wrong, or a list does not hold as many names as it says.
    pub fn parse(data: &[u8]) -> Result<Self, InvalidMessage> {
        let mut reader = Reader::new(data);
        let frame = match reader.u8("opcode")? {
            opcode::HOST_ANNOUNCEMENT => Frame::HostAnnouncement(Announcement::parse(&mut reader)?),
            opcode::ANNOUNCEMENT_REQUEST => Frame::AnnouncementRequest(AnnouncementRequest::parse(&mut reader)?),
            opcode::REQUEST_ELECTION => Frame::RequestElection(Election::parse(&mut reader)?),
            opcode::GET_BACKUP_LIST_REQUEST => {
                let (count, token) = (reader.u8("RequestedCount")?, reader.u32("Token")?);
                Frame::GetBackupListRequest { count, token }
            }
            opcode::GET_BACKUP_LIST_RESPONSE => Frame::GetBackupListResponse(BackupList::parse(&mut reader)?),
            opcode::BECOME_BACKUP => Frame::BecomeBackup(reader.oem("BrowserToPromote")?),
            opcode::DOMAIN_ANNOUNCEMENT => Frame::DomainAnnouncement(DomainAnnouncement::parse(&mut reader)?),
            opcode::MASTER_ANNOUNCEMENT => Frame::MasterAnnouncement(reader.oem("MasterBrowserServerName")?),
            opcode::RESET_STATE_REQUEST => Frame::ResetStateRequest(ResetState(reader.u8("Type")?)),
            opcode::LOCAL_MASTER_ANNOUNCEMENT => Frame::LocalMasterAnnouncement(Announcement::parse(&mut reader)?),
            other => return Err(InvalidMessage::UnknownOpcode { protocol: "browser", opcode: other.into() }),
        };
        reader.end()?;
        Ok(frame)
    }

    /// Appends the frame.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.opcode());
        match self {
            Frame::HostAnnouncement(announcement) | Frame::LocalMasterAnnouncement(announcement) => {
                announcement.emit(out);
            }
            Frame::AnnouncementRequest(request) => request.emit(out),
            Frame::RequestElection(election) => election.emit(out),
            Frame::GetBackupListRequest { count, token } => {
                out.push(*count);
                out.extend_from_slice(&token.to_le_bytes());
            }
            Frame::GetBackupListResponse(list) => list.emit(out),
            Frame::BecomeBackup(name) | Frame::MasterAnnouncement(name) => name.emit(out),
            Frame::DomainAnnouncement(announcement) => announcement.emit(out),
            Frame::ResetStateRequest(state) => out.push(state.0),
        }
    }

    /// The first byte of the frame.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        match self {
            Frame::HostAnnouncement(_) => opcode::HOST_ANNOUNCEMENT,
            Frame::AnnouncementRequest(_) => opcode::ANNOUNCEMENT_REQUEST,
            Frame::RequestElection(_) => opcode::REQUEST_ELECTION,
            Frame::GetBackupListRequest { .. } => opcode::GET_BACKUP_LIST_REQUEST,
            Frame::GetBackupListResponse(_) => opcode::GET_BACKUP_LIST_RESPONSE,
            Frame::BecomeBackup(_) => opcode::BECOME_BACKUP,
            Frame::DomainAnnouncement(_) => opcode::DOMAIN_ANNOUNCEMENT,
            Frame::MasterAnnouncement(_) => opcode::MASTER_ANNOUNCEMENT,
            Frame::ResetStateRequest(_) => opcode::RESET_STATE_REQUEST,
            Frame::LocalMasterAnnouncement(_) => opcode::LOCAL_MASTER_ANNOUNCEMENT,
        }
    }
}

/// First bytes of frames, MS-BRWS 2.2.
mod opcode {
    pub(super) const HOST_ANNOUNCEMENT: u8 = 0x01;
    pub(super) const ANNOUNCEMENT_REQUEST: u8 = 0x02;
    pub(super) const REQUEST_ELECTION: u8 = 0x08;
    pub(super) const GET_BACKUP_LIST_REQUEST: u8 = 0x09;
    pub(super) const GET_BACKUP_LIST_RESPONSE: u8 = 0x0A;
    pub(super) const BECOME_BACKUP: u8 = 0x0B;
    pub(super) const DOMAIN_ANNOUNCEMENT: u8 = 0x0C;
    pub(super) const MASTER_ANNOUNCEMENT: u8 = 0x0D;
    pub(super) const RESET_STATE_REQUEST: u8 = 0x0E;
    pub(super) const LOCAL_MASTER_ANNOUNCEMENT: u8 = 0x0F;
}
