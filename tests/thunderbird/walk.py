# Somebody sets up Thunderbird with name, address and password, as its first window asks for them, and reads a reply.
# Arguments: the port of its remote control, a folder for pictures, address, password.
import sys

from marionette import Marionette

port, pictures, address, password = sys.argv[1:]
bird = Marionette(int(port))
count = 0


def picture(name):
    global count
    count += 1
    bird.picture(f"{pictures}/{count:02}-{name}.png")


HUB = "const hub = win?.document.querySelector('account-hub-container')?.shadowRoot;"


# A page of the account hub, once it is shown and nothing is being looked for.
def page(name):
    bird.until(name, HUB + "const page = hub?.querySelector('#' + args[0]); return page && !page.hidden && !hub.querySelector('.busy')", name)


def type_in(field, text):
    bird.run(HUB + "const field = hub.querySelector(args[0]); field.focus(); field.value = args[1];"
             "field.dispatchEvent(new win.Event('input', { bubbles: true }));", field, text)


def go_on():
    bird.until("button to go on", HUB + "const button = hub.querySelector('#forward');"
               "if (button.disabled || button.hidden) return false; button.click(); return true;")


# Name and address; the servers are found; the password; done.
page("emailAutoConfigSubview")
type_in("#realName", "Jane Citizen")
type_in("#email", address)
go_on()
page("emailConfigFoundSubview")
picture("servers-found")
go_on()
page("emailPasswordSubview")
type_in("#password", password)
go_on()
page("emailAddedSuccessSubview")
picture("account-added")
go_on()

# What it has made of the file.
account = bird.run("""
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const account = MailServices.accounts.accounts.find((account) => account.incomingServer.type == "imap");
const { incomingServer: server } = account;
const smtp = MailServices.outgoingServer.defaultServer.QueryInterface(Ci.nsISmtpServer);
return { imap: [server.hostName, server.port, server.socketType, server.authMethod, server.username],
  smtp: [smtp.hostname, smtp.port, smtp.socketType, smtp.authMethod, smtp.username] };""")
assert account["imap"][2:] == account["smtp"][2:] == [3, 3, address], account  # TLS from the first octet, a password

# The folders, with their own icons: Inbox, Drafts, Sent, Junk, Trash.
FOLDERS = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const root = MailServices.accounts.accounts.find((account) => account.incomingServer.type == "imap").incomingServer.rootFolder;
const of = (flag) => root.getFolderWithFlags(Ci.nsMsgFolderFlags[flag])?.name;
"""
uses = bird.until("Sent", FOLDERS + "const uses = ['Inbox', 'Drafts', 'SentMail', 'Junk', 'Trash'].map(of); return uses.every(Boolean) && uses")

# The Inbox, and the reply in it.
bird.run(FOLDERS + "tabs.currentAbout3Pane.displayFolder(root.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox).URI)")
bird.until("message in the Inbox", "return tabs.currentAbout3Pane.gDBView?.rowCount > 0")
picture("folder-list")
bird.run("const pane = tabs.currentAbout3Pane; pane.threadTree.selectedIndex = pane.gDBView.rowCount - 1;")
bird.until("opened message", "const message = tabs.currentAboutMessage; return message?.gMessage && message.msgLoaded")
bird.until("attachment", "return tabs.currentAboutMessage.currentAttachments?.length >= 2")
names = bird.run("return tabs.currentAboutMessage.currentAttachments.map((a) => a.name)")
assert names == ["scan.pdf", "note.txt"], names
bird.run("const message = tabs.currentAboutMessage; if (message.document.getElementById('attachmentView').collapsed !== false || message.document.getElementById('attachmentList').collapsed) message.toggleAttachmentList(true);")
picture("opened-reply")
text = bird.run("return tabs.currentAboutMessage.getMessagePaneBrowser().contentDocument.body.innerText")
assert "Thank you. It is paid." in text, text

# It is answered, in the window that a person gets; Thunderbird puts its own copy of what it sent into Sent.
COMPOSE = "const compose = Services.wm.getMostRecentWindow('msgcompose');"
bird.run("tabs.currentAboutMessage.document.getElementById('hdrReplyButton').click()")
bird.until("window for the answer", COMPOSE + "return compose?.document.readyState == 'complete' && compose.GetCurrentEditor?.()?.document.body.innerText.includes('paid')")
bird.run(COMPOSE + "const editor = compose.GetCurrentEditor(); editor.beginningOfDocument(); editor.insertText('From Thunderbird: received, thank you.');")
bird.run(COMPOSE + "compose.SendMessage()")
bird.until("end of sending", COMPOSE + "return !compose")
bird.until("answer in Sent", FOLDERS + """
const sent = root.getFolderWithFlags(Ci.nsMsgFolderFlags.SentMail);
sent.updateFolder(null);
return sent.getTotalMessages(false) == 2""")
bird.run(FOLDERS + "tabs.currentAbout3Pane.displayFolder(root.getFolderWithFlags(Ci.nsMsgFolderFlags.SentMail).URI)")
bird.until("Sent on the screen", "const view = tabs.currentAbout3Pane.gDBView; view?.doCommand(Ci.nsMsgViewCommandType.expandAll); return view?.rowCount == 2")
bird.run("const pane = tabs.currentAbout3Pane; pane.threadTree.selectedIndex = 1;")
bird.until("opened message", "const message = tabs.currentAboutMessage; return message?.gMessage && message.msgLoaded")
picture("sent")
print("done")
