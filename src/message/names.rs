//! Which NetBIOS names the messages of a well-known mailslot are sent to.

use super::{browser, messenger, netlogon};
use crate::wire::NetbiosName;

/// The names beside `computer` and `domain` themselves (suffix 00) that messages to the mailslot `slot` are sent to,
/// `\MAILSLOT\` included, in any case: what a program must hear to see all of them. None for other mailslots.
///
/// Their owners are a master browser, a domain controller and so on. A program that only listens must not claim them.
///
/// | mailslot | name | what is sent there |
/// |---|---|---|
/// | `BROWSE` | domain<1D> | HostAnnouncement, AnnouncementRequest, GetBackupListRequest (MS-BRWS 2.2.1, 2.2.2, 2.2.4) |
/// | | domain<1E> | RequestElection, BecomeBackup, LocalMasterAnnouncement (2.2.3, 2.2.6, 2.2.10); from Samba also AnnouncementRequest |
/// | | domain<1B> | GetBackupListRequest (2.2.4) |
/// | | [`browser::MASTER_BROWSERS`] | DomainAnnouncement (2.2.7) |
/// | `LANMAN` | domain<1D> | HostAnnouncement of Windows servers (2.2.1, note 9) |
/// | `NET\NETLOGON` | domain<1C> | all requests: domain controllers bear it (MS-ADTS 6.3.5, MS-MAIL 3.2.3) |
/// | | domain<1B> | a request for the primary controller, which bears it (the same) |
/// | `MESSNGR` | computer<03> | texts to the computer (MS-MSRP 1.9, 3.2.4.4); those to a user go to user<03> |
///
/// Everything else goes to computer<00> or domain<00>: GetBackupListResponse, MasterAnnouncement, AnnouncementRequest of
/// Windows (MS-BRWS 2.2.5, 2.2.8, 2.2.2), and the responses of domain controllers.
///
/// ```
/// use mailslot_sim::message::{browser, names_heard};
///
/// let heard = names_heard(browser::SLOT, "HOST2<00>".parse()?, "FARMDOM<00>".parse()?);
/// let heard: Vec<_> = heard.iter().map(ToString::to_string).collect();
/// assert_eq!(heard, ["FARMDOM<1D>", "FARMDOM<1E>", "FARMDOM<1B>", "<01><02>__MSBROWSE__<02><01>"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn names_heard(slot: &[u8], computer: NetbiosName, domain: NetbiosName) -> Vec<NetbiosName> {
    let is = |known: &[u8]| slot.eq_ignore_ascii_case(known);
    if is(browser::SLOT) {
        let group = [browser::SUFFIX_LOCAL_MASTER, browser::SUFFIX_BROWSERS, SUFFIX_PRIMARY]
            .map(|suffix| domain.with_suffix(suffix));
        group.into_iter().chain([browser::MASTER_BROWSERS]).collect()
    } else if is(browser::LANMAN_SLOT) {
        vec![domain.with_suffix(browser::SUFFIX_LOCAL_MASTER)]
    } else if is(netlogon::SLOT) {
        [SUFFIX_CONTROLLERS, SUFFIX_PRIMARY].map(|suffix| domain.with_suffix(suffix)).to_vec()
    } else if is(messenger::SLOT) {
        vec![computer.with_suffix(SUFFIX_MESSENGER)]
    } else {
        Vec::new()
    }
}

// Suffixes, MS-MAIL 3.2.3, MS-MSRP 1.9.
const SUFFIX_MESSENGER: u8 = 0x03;
const SUFFIX_PRIMARY: u8 = 0x1B;
const SUFFIX_CONTROLLERS: u8 = 0x1C;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_known_in_any_case() {
        let heard = |slot: &str| {
            let names = names_heard(slot.as_bytes(), "HOST2<00>".parse().unwrap(), "FARMDOM<00>".parse().unwrap());
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        for (slot, names) in [
            (r"\mailslot\browse", r"FARMDOM<1D> FARMDOM<1E> FARMDOM<1B> <01><02>__MSBROWSE__<02><01>"),
            (r"\MAILSLOT\LANMAN", "FARMDOM<1D>"),
            (r"\MAILSLOT\NET\NETLOGON", "FARMDOM<1C> FARMDOM<1B>"),
            (r"\MAILSLOT\MESSNGR", "HOST2<03>"),
            (r"\MAILSLOT\NET\GETDC5", ""),
            (r"\MAILSLOT\alarm", ""),
        ] {
            assert_eq!(heard(slot), names, "{slot}");
        }
    }
}
