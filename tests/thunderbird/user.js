// Every host is here; nobody else is asked anything, and no first-day notices cover the pictures.
user_pref("network.dns.forceResolve", "ADDRESS");
user_pref("network.dns.disableIPv6", true);
user_pref("marionette.port", PORT);
user_pref("intl.locale.requested", "en-US");
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mail.rights.version", 1);
user_pref("mailnews.start_page.enabled", false);
user_pref("app.update.auto", false);
user_pref("app.donation.eoy.version.viewed", 999);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("datareporting.healthreport.uploadEnabled", false);
