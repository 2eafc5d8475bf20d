//! Which mailboxes somebody reaches beside their own: those of their workgroups, by the policy in force at that moment.
//!
//! They stand in the namespace of other users (RFC 2342): `Workgroups/Reception/INBOX`. Whoever has no right there is told
//! what is told of a mailbox that does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;

use crate::accounts::StaffAccount;
use crate::gateway::staff_mail::StaffMail;
use crate::gateway::{Gateway, Snapshot, trouble};
use crate::id::{MailboxId, OwnerId};
use crate::mail::Address;
use crate::mailbox::{Listed, MailboxError, MailboxName, Mailboxes, Usage};
use crate::policy::{Workgroup, WorkgroupRight};

/// The name above all workgroups.
const WORKGROUPS: &str = "Workgroups";

/// Whose mailboxes, and whether they may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub owner: OwnerId,
    pub writes: bool,
}

/// What policy knows of who reads. A session ends when its account is changed, so this stays true while it lasts.
pub(super) struct Member {
    address: Address,
    groups: Vec<String>,
}

impl Member {
    pub fn of(account: StaffAccount) -> Self {
        Self { address: account.address, groups: account.groups }
    }

    fn right_in(&self, workgroup: &Workgroup) -> Option<WorkgroupRight> {
        workgroup.right_of(&self.address, &self.groups)
    }
}

/// Where a mailbox of this name is.
enum Spot {
    /// Among one's own.
    Own,
    /// A name above mailboxes of workgroups, which is no mailbox: `Workgroups`, `Workgroups/Reception`.
    Above,
    /// In the workgroup that is called so, this one.
    In(String, MailboxName),
}

impl Spot {
    fn of(name: &MailboxName) -> Self {
        let mut parts = name.as_str().splitn(3, '/');
        match (parts.next(), parts.next(), parts.next().map(MailboxName::parse)) {
            (Some(WORKGROUPS), Some(group), Some(Ok(inner))) => Self::In(group.to_owned(), inner),
            (Some(WORKGROUPS), ..) => Self::Above,
            _ => Self::Own,
        }
    }
}

impl StaffMail {
    /// The name above the workgroups' mailboxes, where there are any to read.
    pub fn workgroups(&self) -> Option<&'static str> {
        let snapshot = self.policies.snapshot();
        self.memberships(&snapshot).next().map(|_| WORKGROUPS)
    }

    fn memberships<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = (&'a Workgroup, WorkgroupRight)> {
        snapshot.policy.workgroups().filter_map(|(_, group)| Some((group, self.member.right_in(group)?)))
    }

    /// Whose these mailboxes are, if they can be read at all.
    pub(super) fn reach(&self, owner: OwnerId) -> Option<Reach> {
        if owner == self.owner {
            return Some(Reach { owner, writes: true });
        }
        let snapshot = self.policies.snapshot();
        let (_, right) =
            self.memberships(&snapshot).find(|(group, _)| self.mailboxes.workgroup(&group.address) == owner)?;
        Some(Reach { owner, writes: right >= WorkgroupRight::Write })
    }

    /// Whether mailboxes of this owner may be read now.
    pub fn may_read(&self, owner: OwnerId) -> bool {
        self.reach(owner).is_some()
    }

    /// Whether mailboxes of this owner may be changed now.
    pub fn may_write(&self, owner: OwnerId) -> bool {
        self.reach(owner).is_some_and(|reach| reach.writes)
    }

    /// Changes when the policies do, and with them perhaps what may be read.
    pub fn policy_changes(&self) -> watch::Receiver<u64> {
        self.policies.changes()
    }

    /// Whose this mailbox is.
    ///
    /// # Errors
    /// [`MailboxError::Missing`], also for one that may not be read.
    pub(super) async fn reach_of(&self, id: MailboxId) -> Result<Reach, MailboxError> {
        self.reach(self.mailboxes.owner_of(id).await?).ok_or(MailboxError::Missing)
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// [`MailboxError::Denied`] for one that may only be read.
    pub(super) async fn writer_of(&self, id: MailboxId) -> Result<OwnerId, MailboxError> {
        let Reach { owner, writes } = self.reach_of(id).await?;
        if writes { Ok(owner) } else { Err(MailboxError::Denied) }
    }

    /// Whose a mailbox of this name is, and what it is called there.
    ///
    /// # Errors
    /// [`MailboxError::Missing`]; it tells nothing of workgroups that there are.
    pub(super) async fn locate(&self, name: &MailboxName) -> Result<(Reach, MailboxName), MailboxError> {
        match Spot::of(name) {
            Spot::Own => Ok((Reach { owner: self.owner, writes: true }, name.clone())),
            Spot::Above => Err(MailboxError::Missing),
            Spot::In(group, inner) => {
                let snapshot = self.policies.snapshot();
                let mut found = self.memberships(&snapshot).filter(|(known, _)| known.name == group);
                let (group, right) = found.next().ok_or(MailboxError::Missing)?;
                let owner = self.mailboxes.workgroup(&group.address);
                self.mailboxes.prepare_workgroup(owner).await?;
                Ok((Reach { owner, writes: right >= WorkgroupRight::Write }, inner))
            }
        }
    }

    /// The same for a name that is to be made: only the policy makes workgroups.
    ///
    /// # Errors
    /// [`MailboxError::Denied`]; it is the same whether there is such a workgroup or not.
    pub(super) async fn locate_new(&self, name: &MailboxName) -> Result<(OwnerId, MailboxName), MailboxError> {
        match self.locate(name).await {
            Ok((Reach { owner, writes: true }, inner)) => Ok((owner, inner)),
            Ok(_) | Err(MailboxError::Missing) => Err(MailboxError::Denied),
            Err(error) => Err(error),
        }
    }

    /// The same for one that is to be changed as a whole.
    ///
    /// # Errors
    /// [`MailboxError::Missing`], [`MailboxError::Denied`].
    pub(super) async fn locate_writable(&self, name: &MailboxName) -> Result<(OwnerId, MailboxName), MailboxError> {
        let (reach, inner) = self.locate(name).await?;
        if reach.writes { Ok((reach.owner, inner)) } else { Err(MailboxError::Denied) }
    }

    /// One's own lines of LIST, and those of workgroups. Those have no special use: a program would take a group's Sent for one's
    /// own. They are subscribed unless one has ended that, since most programs show no others.
    pub(super) async fn listed(&self) -> Result<Vec<Listed>, MailboxError> {
        let mut own = self.mailboxes.list(self.owner).await?;
        for line in own.iter_mut().filter(|line| !matches!(Spot::of(&line.name), Spot::Own)) {
            // One may subscribe to what is not there; a mailbox of one's own cannot have such a name.
            (line.id, line.special, line.has_children) = (None, None, false);
        }
        own.retain(|line| line.id.is_some() || line.subscribed || line.has_children);
        let snapshot = self.policies.snapshot();
        if self.memberships(&snapshot).next().is_none() {
            return Ok(own);
        }
        let declined = self.mailboxes.declined(self.owner).await?;
        let mut lines: BTreeMap<MailboxName, Listed> = own.into_iter().map(|line| (line.name.clone(), line)).collect();
        for (group, _) in self.memberships(&snapshot) {
            self.add_lines(&mut lines, group, &declined).await?;
        }
        Ok(lines.into_values().collect())
    }

    async fn add_lines(
        &self,
        lines: &mut BTreeMap<MailboxName, Listed>,
        group: &Workgroup,
        declined: &BTreeSet<MailboxName>,
    ) -> Result<(), MailboxError> {
        let owner = self.mailboxes.workgroup(&group.address);
        let of_group = match self.mailboxes.prepare_workgroup(owner).await {
            Ok(()) => self.mailboxes.list(owner).await,
            Err(error) => Err(error),
        };
        // Where those of a group cannot be read, people still read their own.
        let of_group = of_group.unwrap_or_else(|error| {
            trouble("workgroup", &error);
            Vec::new()
        });
        for line in of_group {
            // One that would be longer than a name may be cannot be named by a client either.
            let Ok(name) = MailboxName::parse(&format!("{WORKGROUPS}/{}/{}", group.name, line.name.as_str())) else {
                continue;
            };
            if line.id.is_none() && !line.has_children {
                continue;
            }
            for above in name.ancestors() {
                entry(lines, above).has_children = true;
            }
            let offered = line.id.is_some() && !declined.contains(&name);
            let shown = entry(lines, name);
            shown.id = line.id;
            shown.has_children |= line.has_children;
            shown.subscribed |= offered;
        }
        Ok(())
    }

    /// Subscribes a name, or ends that.
    pub(super) async fn subscribe_to(&self, name: &MailboxName, subscribed: bool) -> Result<(), MailboxError> {
        match Spot::of(name) {
            Spot::Own => self.mailboxes.subscribe(self.owner, name, subscribed).await,
            _ => self.mailboxes.subscribe_shared(self.owner, name, subscribed).await,
        }
    }

    /// What the quota root of a mailbox's name is called; `None` is one's own. A name that is no mailbox's yet counts where it
    /// would be.
    ///
    /// # Errors
    /// [`MailboxError::Missing`] where one reads nothing of it.
    pub async fn quota_root(&self, name: &MailboxName) -> Result<Option<MailboxName>, MailboxError> {
        self.locate(name).await?;
        Ok(match Spot::of(name) {
            Spot::In(..) => name.ancestors().nth(1),
            Spot::Own | Spot::Above => None,
        })
    }

    /// What a quota root holds.
    ///
    /// # Errors
    /// [`MailboxError::Missing`] where there is no such root.
    pub async fn usage(&self, root: Option<&MailboxName>) -> Result<Usage, MailboxError> {
        let Some(root) = root else { return self.mailboxes.usage(self.owner).await };
        let snapshot = self.policies.snapshot();
        let is_root = |group: &Workgroup| root.as_str().strip_prefix(WORKGROUPS) == Some(&format!("/{}", group.name));
        let found = self.memberships(&snapshot).find(|(group, _)| is_root(group));
        let owner = self.mailboxes.workgroup(&found.ok_or(MailboxError::Missing)?.0.address);
        self.mailboxes.prepare_workgroup(owner).await?;
        self.mailboxes.usage(owner).await
    }
}

fn entry(lines: &mut BTreeMap<MailboxName, Listed>, name: MailboxName) -> &mut Listed {
    let blank = || Listed { name: name.clone(), id: None, special: None, subscribed: false, has_children: false };
    lines.entry(name.clone()).or_insert_with(blank)
}

/// Makes the mailboxes of an account's workgroups, so that what comes for them lies there from now on.
pub(super) async fn prepare_workgroups(
    mailboxes: &Mailboxes,
    snapshot: &Snapshot,
    member: &Member,
) -> Result<(), MailboxError> {
    for (_, group) in snapshot.policy.workgroups().filter(|(_, group)| member.right_in(group).is_some()) {
        mailboxes.prepare_workgroup(mailboxes.workgroup(&group.address)).await?;
    }
    Ok(())
}

impl Gateway {
    /// What the workgroups are called that this account belongs to, and what it may do there: `Reception (send)`.
    pub fn workgroups_of(&self, account: &StaffAccount) -> Vec<String> {
        let snapshot: Arc<Snapshot> = self.stations.policies.snapshot();
        let right = |group: &Workgroup| group.right_of(&account.address, &account.groups);
        let groups = snapshot.policy.workgroups().filter_map(|(_, group)| Some((group, right(group)?)));
        groups.map(|(group, right)| format!("{} ({})", group.name, right.name())).collect()
    }
}
