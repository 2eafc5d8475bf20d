# Every sentence of the portal's pages, in English. https://projectfluent.org explains the notation.
# Change the words as you like; "postern check" says if one is missing or names what it is not told.

language-name = English
service-name = Secure messages
skip = Skip to the content
nav = Your pages
nav-messages = Messages
nav-account = Account
sign-out = Sign out
phone = Phone
help-link = Is this genuine?
continue = Continue
optional = (optional)
choose = Choose one
open = Open
download = Download
search = Search
send = Send
new-tab = opens in a new tab
no-subject = Message without a subject
go-messages = Go to your messages
call = If something is not right, call { $practice }:
mail-late = It can take a minute to arrive. Look in your spam folder too.

## Counts, days and sizes

documents = { $count ->
    [one] { $count } document
   *[other] { $count } documents
  }
pictures = { $count ->
    [one] { $count } picture from the text
   *[other] { $count } pictures from the text
  }
month-name = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  }
date = { $day } { month-name } { $year }
moment = { $day } { month-name } { $year }, { $time }
decimal-point = .
size-bytes = { $size } bytes
size-kilobytes = { $size } kB
size-megabytes = { $size } MB

kind-pdf = PDF
kind-word = Word document
kind-spreadsheet = Spreadsheet
kind-presentation = Presentation
kind-image = Image
kind-dicom = Medical image (DICOM)
kind-text = Text
kind-audio = Audio
kind-video = Video
kind-archive = Archive
kind-message = E-mail
kind-other = Document

role-patient = Patient
role-doctor = Doctor in this practice
role-staff = Staff of this practice
role-doctor-elsewhere = Doctor in another practice
role-staff-elsewhere = Staff of another practice
role-payer = Pays or cares for a patient

## The link

link-title = Documents for you
link-heading = { $count ->
    [one] { $practice } has sent you a document
   *[other] { $practice } has sent you { $count } documents
  }
link-pictures = { $count ->
    [one] With { $count } picture from the text.
   *[other] With { $count } pictures from the text.
  }
link-heading-message = { $practice } has sent you a message
facts-from = From
facts-sent = Sent
facts-link = Link works until
facts-kept = Kept until
link-next-register = You register once, free of charge. It takes about two minutes.
link-next-account = You will be asked to sign in.
link-next-code = We will e-mail you a code, to be sure that it is you.
link-next-birthdate = You will be asked for the date of birth.
link-next-magic = We will e-mail you a link that works once.
link-next-none = Nobody else has this link. Please do not pass it on.
link-register = Register and read
link-open = Open
link-over-title = This link has expired
link-over-text = Links stop working after some days, for your safety. What was sent to you is still there.
link-over-next = E-mail me a new link
fresh-title = A new link is on its way
fresh-text = We have sent it to the e-mail address that the first one went to.
fresh-next = It has not arrived
withdrawn-title = This was taken back
withdrawn-text = { $practice } has taken this message back. You do not need to do anything.
unknown-title = There is nothing here
unknown-text = This link leads to nothing that we have.
unknown-copied = If you copied it from an e-mail, check that you copied all of it.
unknown-over = What it led to may have been removed. Ask the sender to send it again.
unknown-next = Sign in to see all your messages

## Is it genuine?

genuine-title = How to check that this is genuine
genuine-text = It is right to be careful with links in e-mails. This is how to be sure.
genuine-address = The address at the top of your browser begins with
genuine-call = Call { $practice } on a number that you already know, or on
genuine-never = Nobody will ever ask you for your password or code, by phone or e-mail.
help-what-title = What this is
help-what-text = Clinics use this service to send documents that are too private for ordinary e-mail. They are kept encrypted, and only for a limited time.
help-lost-title = If you cannot find a message
help-lost-text = Open the link in the e-mail you were sent. If it has expired, you can have a new one e-mailed. If the documents are gone, ask the sender to send them again.
help-work-title = If you work at the practice

## Setting up a mail program, for people of the practice

setup-title = Set up your mail program
setup-text = For people who work at the practice. With your e-mail address and your password you read secure replies, and send, in the program that you have.
setup-name = Your user name is your whole e-mail address.
setup-password = Your password is the one that you send with. If you do not have it, ask whoever made your account; they can also give you one for each device, so that a lost phone is shut out and nothing else.
setup-which = Which program do you use?
setup-outlook-1 = Choose File, then Add Account. In the new Outlook: Settings, Accounts, Add account.
setup-outlook-2 = Type your e-mail address and continue.
setup-outlook-3 = If it asks which kind of account, choose IMAP, and copy the servers from below.
setup-outlook-4 = Type your password and finish.
setup-outlook-new = The new Outlook, and Outlook on phones, keep a copy of your mail and your password with Microsoft. Ask your practice before you use one of them.
setup-thunderbird-1 = Open the menu, choose Add Account, then Email.
setup-thunderbird-2 = Type your name and your e-mail address, and continue. It finds the servers by itself; if not, copy them from below.
setup-thunderbird-3 = Type your password and continue.
setup-apple-text = Open this page on the iPhone, iPad or Mac, in Safari. A profile sets everything up.
setup-apple-address = Your e-mail address
setup-apple-button = Get the profile
setup-apple-1 = iPhone or iPad: open Settings, tap Profile Downloaded, then Install. Mac: open the file, then System Settings, General, Device Management.
setup-apple-2 = It says “Not Signed”, since your practice has made it itself. Check that it names your practice.
setup-apple-3 = Type your password when it asks for it.
setup-apple-by-hand = In Settings, Apps, Mail, Mail Accounts, choose Add Account, Other, and copy the server from below.
setup-android-1 = In Gmail open the menu, then Settings, Add account, Other.
setup-android-2 = Type your e-mail address, choose Manual setup, then Personal (IMAP).
setup-android-3 = Type your password, and copy the servers from below: first the one for reading, then the one for sending.
setup-android-thunderbird = Thunderbird for Android needs your address and your password only.
setup-servers = The servers
setup-servers-text = You need these only if your program asks for them. User name and password are the same for both.
setup-reading = For reading (IMAP)
setup-sending = For sending (SMTP)
setup-host = Server
setup-port = Port
setup-security = Security
setup-then = What you will find
setup-inbox = In the Inbox: what patients and others reply to your secure messages, and what we have to ask or tell you.
setup-sent = In Sent: each secure message as you wrote it. When its time is over, its text and a list of its documents stay.
setup-warning = If your program warns you about a certificate, do not go on. Tell whoever looks after the computers of your practice.

## Signing in

sign-in-title = Sign in
sign-in = Sign in
sign-in-again = Sign in
address-label = E-mail address
password-label = Password
password-show = Show
password-hide = Hide
forgot-link = I have forgotten my password
sign-in-no-account = No account yet? Open the link in the e-mail that you were sent: it leads to the registration.
sign-in-after-password = Your password is set. You can sign in now.
sign-in-after-draft = You were signed out after a time without activity. Your text is kept: sign in to go on.
sign-in-after-closed = Your account is closed.
signed-out-title = You are signed out
signed-out-text = On a shared computer, close the browser too.

## Passwords

password-title = Choose a new password
password-first-title = Choose a password
password-for = For your account
password-new-label = New password
password-hint = At least 15 characters. Four or five words that have nothing to do with each other are good and easy to remember.
password-set = Set the password
password-present-label = Present password
forgot-title = Forgotten your password?
forgot-hint = If there is an account with this address, we will e-mail you a link to choose a new password.
forgot-send = E-mail me a link
forgot-sent-title = Check your e-mail
forgot-sent-text = If there is an account with this address, a link to choose a new password is on its way.

## Codes, dates of birth, single-use links

code-title = Enter the code
code-sent = We have e-mailed a code to { $address }.
code-label = 6-digit code
code-hint = Spaces do not matter.
code-again = E-mail the code again
code-mail-title = We will e-mail you a code
code-mail-text = To be sure that it is you, we will send a code to { $address }.
code-mail = E-mail me the code
birthdate-title = Date of birth
birthdate-why = To be sure that these documents reach the right person, enter the date of birth of the patient they are about.
birthdate-label = Date of birth
birthdate-hint = For example, 27 3 1980
birthdate-tries = { $count ->
    [one] You have one try. After that, registration is closed until the sender opens it again.
   *[other] You have { $count } tries. After that, registration is closed until the sender opens it again.
  }
day = Day
month = Month
year = Year
magic-title = We will e-mail you a link
magic-text = To be sure that it is you, we will send a link to { $address }. It works once, for 15 minutes.
magic-mail = E-mail me the link
magic-sent-title = Check your e-mail
magic-sent-text = We have e-mailed a link to { $address }. It works once, for 15 minutes.
magic-again = E-mail another link
magic-link-title = Open your documents
magic-link-text = This link works once.

## Registering

register-title = Register
register-text = { $sender } at { $practice } has sent you something. Register once to read this message and every later one.
register-sent-title = Check your e-mail
register-sent-to = We have sent a link to { $address }. Open it to choose your password.
register-sent-text = We have sent you a link. Open it to choose your password.
register-sent-next = It has not arrived
register-waiting-title = Thank you. One thing is missing
register-waiting-text = An administrator of { $practice } has to agree to your registration. You will get an e-mail then; there is nothing else to do.
register-closed-title = Registration is closed
register-closed-text = Please contact { $practice }. They can send you the invitation again.
register-over-title = This invitation has expired
register-over-text = Please ask { $practice } to send it again. It takes them one word.
procedures-title = What do you do?
procedures-text = These belong to { $specialty }. Take out what you do not do.
procedures-others = Procedures of other specialties
confirm-practice = Yes, I work at { $practice }

field-email = E-mail address
field-name = Full name
field-phone = Phone
help-phone = A mobile or a landline. We never send text messages to it.
field-mobile = Mobile phone
field-specialty = Specialty
field-procedures = Procedures
field-practice = Your practice
field-practice_name = Name of your practice
field-practice_website = Website of your practice
field-practice_phone = Phone of your practice
field-practice_address = Address of your practice

## The list

list-title = Your messages
list-empty = There are no messages for you at the moment. Documents are removed after some time; ask the sender if you need one again.
list-found = { $count ->
    [0] Nothing found.
    [one] { $count } message found.
   *[other] { $count } messages found.
  }
list-all = Show all messages
list-more = { $count ->
    [one] One more message is not shown. Search to find it.
   *[other] { $count } more messages are not shown. Search to find them.
  }
list-new = New
list-locked = Message for another check
list-until = Kept until { $date }
search-label = Search
kind-label = Kind of document
kind-any = All
sort-label = Order
sort-newest = Newest first
sort-kind = By kind
sort-sender = By sender

## A message

message-from = From { $sender }, { $practice }
message-text = Message
patient-of = About { $name }
kept-until = You can download until { $date }. After that they are removed for good.
download-all = Download all as a zip file
your-reply = Your reply
reply = Reply
reply-go-on = Go on with your reply
reply-closed = This message takes no replies.
replied = Your reply was sent to { $sender }.

## A reply

reply-title = Reply
reply-back = Back to the message
reply-to = To { $sender }, { $practice }
reply-draft = You were signed out before you sent this. Nothing was lost.
reply-label = Your message
files-label = Files
files-hint = { $count ->
    [one] One file of at most { $size }.
   *[other] Up to { $count } files of at most { $size } each.
  }
files-again = Please choose your files again.
files-remove = Remove
files-drop = You can also drop files here.
files-large = This file is too large.
files-many = Too many files.
sending = Sending
sending-broken = The connection broke off. Nothing was sent; your text and files are still here. Try again.

## The account

account-title = Your account
account-name = Name
account-role = Registered as
account-since = Since
account-back = Back to your account
account-password = Change the password
account-password-text = All your other sign-ins end then.
account-password-changed = Your password is changed.
account-visits-ended = You are signed out everywhere else.
visits-title = Where you are signed in
visits-none = Only here.
visits-one = Since { $began }, last active { $seen }
visits-end = Sign out everywhere else
close-title = Close the account
close-text = You can close your account at any time.
close-next = Close the account
close-what = You will no longer be able to read what was sent to you, and your answers in the registration are deleted. If somebody writes to you again, you can register again.
close-do = Close my account for good

## What is wrong with what was typed

faults-title = There is a problem
fault-prefix = Error:
fault-of = { $label }: { $fault }
fault-sign-in = The e-mail address or the password is not right.
fault-missing = Fill this in.
fault-too-long = This is too long.
fault-not-a-phone = Enter a phone number, such as +61 2 5550 1234.
fault-not-a-mobile = Enter a mobile number, such as +61 491 570 006.
fault-not-a-date = Enter a date of birth, such as 27 3 1980.
fault-not-a-website = Enter a web address, such as www.practice.example.
fault-not-offered = Choose one from the list.
fault-not-confirmed = Tick the box to confirm this.
fault-too-short = Your password needs at least 15 characters.
fault-too-long-password = Your password can have at most 1,024 characters.
fault-known = This password is known to people who try to break in. Choose another one.
fault-wrong-present = Your present password is not right.
fault-code = { $count ->
    [0] This code is not right, and there are no tries left.
    [one] This code is not right. You have one more try.
   *[other] This code is not right. You have { $count } more tries.
  }
fault-birthdate = { $count ->
    [0] This is not the date of birth we have, and there are no tries left.
    [one] This is not the date of birth we have. You have one more try.
   *[other] This is not the date of birth we have. You have { $count } more tries.
  }
fault-birthdate-register = { $count ->
    [one] This is not the date of birth that the sender gave. You have one more try; after that, registration is closed.
   *[other] This is not the date of birth that the sender gave. You have { $count } more tries.
  }
fault-empty-reply = Write something, or choose a file.
fault-long-reply = Your message is too long. It can have about { $count } characters.
fault-too-many = { $count ->
    [one] Choose one file only.
   *[other] Choose at most { $count } files.
  }
fault-file-too-large = { $name } is larger than { $size }.
fault-restricted = { $name } cannot be sent: this kind of file ({ $group }) is not accepted.

## Pages of errors: what happened, and what to do

error-id = If you call, this number helps to find what happened:
error-not-found-title = There is nothing here
error-not-found-text = It may have been removed, or taken back by the sender. If you need it, ask the sender to send it again.
error-not-found-next = Go to your messages
error-link-used-title = This link was used, or has expired
error-link-used-text = Links like this work once, and only for a short time. You can have a new one e-mailed.
error-link-used-next = E-mail me a new link
error-locked-title = Too many tries
error-locked-text = For your safety, this is locked until { $time }. After that it works again by itself.
error-locked-next = Get help
error-codes-closed-title = Too many wrong codes
error-codes-closed-text = For your safety, no more codes are accepted here. Open the link in the newest e-mail about this message again: it lets you in, or lets you have a new link e-mailed.
error-codes-closed-next = Get help
error-busy-title = Please try again in a moment
error-busy-text = Very many people are signing in just now.
error-busy-next = Try again
error-full-title = This cannot be stored at the moment
error-full-text = Nothing was sent. Please call the practice, or try again later.
error-full-next = Get help
error-unavailable-title = This does not work at the moment
error-unavailable-text = The fault is ours, and it has been noted. Please try again in a few minutes.
error-unavailable-next = Try again
error-foreign-title = This did not come from our pages
error-foreign-text = Another website tried to send something in your name. Nothing was done.
error-foreign-next = Go to your messages
error-stale-form-title = This page was open for too long
error-stale-form-text = Nothing was sent. Open the page again, and send once more.
error-stale-form-next = Open the page again
error-malformed-title = This could not be read
error-malformed-text = Something went wrong on the way, and nothing was done. Go back, and try again.
error-malformed-next = Get help
error-too-large-title = This is too large
error-too-large-text = Nothing was sent. Send fewer or smaller files.
error-too-large-next = Try again
error-too-slow-title = This took too long
error-too-slow-text = The connection was too slow, and nothing was sent. Try again where the reception is better.
error-too-slow-next = Try again
error-wrong-host-title = This is not our address
error-wrong-host-text = Our pages are at { $address }, and nowhere else.
error-wrong-host-next = Go there
error-method-title = There is nothing to see here
error-method-text = This address only takes forms.
error-method-next = Go to your messages
error-range-title = There is no such part
error-range-text = The part of the document that was asked for is not there. Download it from the beginning.
error-range-next = Download again
