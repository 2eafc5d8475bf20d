//! Reports of failure, in the words of the sender's practice.

use std::sync::Arc;

use crate::gateway::deliver::{Failure, FailureReports};
use crate::gateway::{Gateway, Policies};
use crate::mail::Domain;
use crate::pack::{PackError, ReportParts, failure_report};

struct Reports {
    policies: Arc<Policies>,
    hostname: Domain,
}

impl FailureReports for Reports {
    fn compose(&self, failure: &Failure<'_>) -> Result<Vec<u8>, PackError> {
        let snapshot = self.policies.snapshot();
        let own = snapshot.policy.practice_of(failure.to.domain());
        failure_report(
            &snapshot.templates,
            &ReportParts {
                practice: own.unwrap_or_else(|| snapshot.policy.first_practice()),
                to: failure.to,
                recipient: failure.recipient,
                hostname: self.hostname.as_str(),
                transaction: &failure.transaction.to_string(),
                accepted: failure.accepted,
                enhanced: &failure.enhanced,
                sentence: failure.sentence,
                attempts: failure.attempts,
                unique: &failure.report.to_string(),
                now: failure.now,
            },
        )
    }
}

impl Gateway {
    /// Writes reports with the policies that are in force when one is written.
    pub fn failure_reports(&self) -> Arc<dyn FailureReports> {
        Arc::new(Reports { policies: self.stations.policies.clone(), hostname: self.settings.hostname.clone() })
    }
}
