# Toutes les phrases des pages du portail, en français. https://projectfluent.org explique la notation.
# Changez les mots comme il vous plaît ; « postern check » dit s'il en manque une ou si elle nomme ce qu'elle ignore.

language-name = Français
service-name = Messages sécurisés
skip = Aller au contenu
nav = Vos pages
nav-messages = Messages
nav-account = Compte
sign-out = Se déconnecter
phone = Téléphone
help-link = Est-ce authentique ?
continue = Continuer
optional = (facultatif)
choose = Choisissez
open = Ouvrir
download = Télécharger
search = Rechercher
send = Envoyer
new-tab = s’ouvre dans un nouvel onglet
no-subject = Message sans objet
go-messages = Aller à vos messages
call = Si quelque chose ne va pas, appelez { $practice } :
mail-late = Cela peut prendre une minute. Regardez aussi dans vos courriers indésirables.

## Nombres, jours et tailles

documents = { $count ->
    [one] { $count } document
   *[other] { $count } documents
  }
pictures = { $count ->
    [one] { $count } image du texte
   *[other] { $count } images du texte
  }
month-name = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
  }
date = { $day ->
    [1] 1er
   *[other] { $day }
  } { month-name } { $year }
moment = { $day ->
    [1] 1er
   *[other] { $day }
  } { month-name } { $year } à { $time }
decimal-point = ,
size-bytes = { $size } octets
size-kilobytes = { $size } ko
size-megabytes = { $size } Mo

kind-pdf = PDF
kind-word = Document Word
kind-spreadsheet = Tableur
kind-presentation = Présentation
kind-image = Image
kind-dicom = Image médicale (DICOM)
kind-text = Texte
kind-audio = Audio
kind-video = Vidéo
kind-archive = Archive
kind-message = Courriel
kind-other = Document

role-patient = Patient
role-doctor = Médecin de ce cabinet
role-staff = Personnel de ce cabinet
role-doctor-elsewhere = Médecin d’un autre cabinet
role-staff-elsewhere = Personnel d’un autre cabinet
role-payer = Paie ou s’occupe d’un patient

## Le lien

link-title = Des documents pour vous
link-heading = { $count ->
    [one] { $practice } vous a envoyé un document
   *[other] { $practice } vous a envoyé { $count } documents
  }
link-pictures = { $count ->
    [one] Avec { $count } image du texte.
   *[other] Avec { $count } images du texte.
  }
link-heading-message = { $practice } vous a envoyé un message
facts-from = De
facts-sent = Envoyé le
facts-link = Lien valable jusqu’au
facts-kept = Conservé jusqu’au
link-next-register = Vous vous inscrivez une seule fois, gratuitement. Cela prend environ deux minutes.
link-next-account = Il vous sera demandé de vous connecter.
link-next-code = Nous vous enverrons un code par courriel, pour être sûrs que c’est bien vous.
link-next-birthdate = La date de naissance vous sera demandée.
link-next-magic = Nous vous enverrons par courriel un lien qui ne sert qu’une fois.
link-next-none = Personne d’autre n’a ce lien. Merci de ne pas le transmettre.
link-register = S’inscrire et lire
link-open = Ouvrir
link-over-title = Ce lien a expiré
link-over-text = Pour votre sécurité, les liens cessent de fonctionner après quelques jours. Ce qui vous a été envoyé est toujours là.
link-over-next = M’envoyer un nouveau lien
fresh-title = Un nouveau lien est en route
fresh-text = Nous l’avons envoyé à l’adresse qui avait reçu le premier.
fresh-next = Il n’est pas arrivé
withdrawn-title = Ce message a été repris
withdrawn-text = { $practice } a repris ce message. Vous n’avez rien à faire.
unknown-title = Il n’y a rien ici
unknown-text = Ce lien ne mène à rien de ce que nous avons.
unknown-copied = Si vous l’avez copié d’un courriel, vérifiez que vous l’avez copié en entier.
unknown-over = Ce à quoi il menait a peut-être été supprimé. Demandez à l’expéditeur de le renvoyer.
unknown-next = Se connecter pour voir tous vos messages

## Est-ce authentique ?

genuine-title = Comment vérifier que c’est authentique
genuine-text = Vous avez raison de vous méfier des liens dans les courriels. Voici comment être sûr.
genuine-address = L’adresse en haut de votre navigateur commence par
genuine-call = Appelez { $practice } à un numéro que vous connaissez déjà, ou au
genuine-never = Personne ne vous demandera jamais votre mot de passe ni un code, ni par téléphone ni par courriel.
help-what-title = De quoi s’agit-il ?
help-what-text = Les cabinets utilisent ce service pour envoyer des documents trop personnels pour un courriel ordinaire. Ils sont conservés chiffrés, et pour un temps limité seulement.
help-lost-title = Si vous ne trouvez pas un message
help-lost-text = Ouvrez le lien du courriel que vous avez reçu. S’il a expiré, vous pouvez en recevoir un nouveau. Si les documents ne sont plus là, demandez à l’expéditeur de les renvoyer.
help-work-title = Si vous travaillez au cabinet

## Configurer un logiciel de messagerie, pour les personnes du cabinet

setup-title = Configurer votre messagerie
setup-text = Pour les personnes qui travaillent au cabinet. Avec votre adresse électronique et votre mot de passe, vous lisez les réponses sécurisées et vous écrivez, dans le logiciel que vous avez déjà.
setup-name = Votre nom d’utilisateur est votre adresse électronique entière.
setup-password = Votre mot de passe est celui de vos envois. Si vous ne l’avez pas, demandez à la personne qui a créé votre compte ; elle peut aussi vous en donner un par appareil, pour qu’un appareil perdu soit écarté, et lui seul.
setup-which = Quel logiciel utilisez-vous ?
setup-outlook-1 = Choisissez Fichier, puis Ajouter un compte. Dans le nouvel Outlook : Paramètres, Comptes, Ajouter un compte.
setup-outlook-2 = Tapez votre adresse électronique et continuez.
setup-outlook-3 = S’il demande le type de compte, choisissez IMAP et copiez les serveurs ci-dessous.
setup-outlook-4 = Tapez votre mot de passe et terminez.
setup-outlook-new = Le nouvel Outlook, et Outlook sur téléphone, gardent une copie de vos messages et de votre mot de passe chez Microsoft. Demandez à votre cabinet avant de les utiliser.
setup-thunderbird-1 = Ouvrez le menu, choisissez Ajouter un compte, puis une adresse électronique.
setup-thunderbird-2 = Tapez votre nom et votre adresse électronique, et continuez. Il trouve les serveurs lui-même ; sinon, copiez-les ci-dessous.
setup-thunderbird-3 = Tapez votre mot de passe et continuez.
setup-apple-text = Ouvrez cette page sur l’iPhone, l’iPad ou le Mac, dans Safari. Un profil configure tout.
setup-apple-address = Votre adresse électronique
setup-apple-button = Obtenir le profil
setup-apple-1 = iPhone ou iPad : ouvrez Réglages, touchez Profil téléchargé, puis Installer. Mac : ouvrez le fichier, puis Réglages Système, Général, Gestion des appareils.
setup-apple-2 = Il affiche « Non signé », car votre cabinet l’a fait lui-même. Vérifiez qu’il porte le nom de votre cabinet.
setup-apple-3 = Tapez votre mot de passe quand il le demande.
setup-apple-by-hand = Dans Réglages, Apps, Mail, Comptes Mail, choisissez Ajouter un compte, Autre, et copiez le serveur ci-dessous.
setup-android-1 = Dans Gmail, ouvrez le menu, puis Paramètres, Ajouter un compte, Autre.
setup-android-2 = Tapez votre adresse électronique, choisissez Configuration manuelle, puis Personnel (IMAP).
setup-android-3 = Tapez votre mot de passe et copiez les serveurs ci-dessous : d’abord celui de la lecture, puis celui de l’envoi.
setup-android-thunderbird = Thunderbird pour Android ne demande que votre adresse et votre mot de passe.
setup-servers = Les serveurs
setup-servers-text = Vous n’en avez besoin que si votre logiciel les demande. Le nom d’utilisateur et le mot de passe sont les mêmes pour les deux.
setup-reading = Pour lire (IMAP)
setup-sending = Pour envoyer (SMTP)
setup-host = Serveur
setup-port = Port
setup-security = Sécurité
setup-then = Ce que vous y trouverez
setup-inbox = Dans la boîte de réception : ce que des patients et d’autres répondent à vos messages sécurisés, et ce que nous avons à vous demander ou à vous dire.
setup-sent = Dans les messages envoyés : chaque message sécurisé tel que vous l’avez écrit. Quand son délai est passé, son texte et la liste de ses documents restent.
setup-warning = Si votre logiciel vous avertit d’un certificat, n’allez pas plus loin. Prévenez la personne qui s’occupe des ordinateurs de votre cabinet.

## Connexion

sign-in-title = Connexion
sign-in = Se connecter
sign-in-again = Se connecter
address-label = Adresse électronique
password-label = Mot de passe
password-show = Afficher
password-hide = Masquer
forgot-link = J’ai oublié mon mot de passe
sign-in-no-account = Pas encore de compte ? Ouvrez le lien du courriel que vous avez reçu : il mène à l’inscription.
sign-in-after-password = Votre mot de passe est enregistré. Vous pouvez vous connecter.
sign-in-after-draft = Vous avez été déconnecté après un temps d’inactivité. Votre texte est conservé : connectez-vous pour continuer.
sign-in-after-closed = Votre compte est fermé.
signed-out-title = Vous êtes déconnecté
signed-out-text = Sur un ordinateur partagé, fermez aussi le navigateur.

## Mots de passe

password-title = Choisissez un nouveau mot de passe
password-first-title = Choisissez un mot de passe
password-for = Pour votre compte
password-new-label = Nouveau mot de passe
password-hint = Au moins 15 caractères. Quatre ou cinq mots sans rapport entre eux conviennent bien et se retiennent facilement.
password-set = Enregistrer le mot de passe
password-present-label = Mot de passe actuel
forgot-title = Mot de passe oublié ?
forgot-hint = S’il existe un compte avec cette adresse, nous y enverrons un lien pour choisir un nouveau mot de passe.
forgot-send = M’envoyer un lien
forgot-sent-title = Consultez votre messagerie
forgot-sent-text = S’il existe un compte avec cette adresse, un lien pour choisir un nouveau mot de passe est en route.

## Codes, dates de naissance, liens à usage unique

code-title = Saisissez le code
code-sent = Nous avons envoyé un code à { $address }.
code-label = Code à 6 chiffres
code-hint = Les espaces ne comptent pas.
code-again = Renvoyer le code
code-mail-title = Nous allons vous envoyer un code
code-mail-text = Pour être sûrs que c’est bien vous, nous enverrons un code à { $address }.
code-mail = M’envoyer le code
birthdate-title = Date de naissance
birthdate-why = Pour que ces documents parviennent à la bonne personne, saisissez la date de naissance du patient concerné.
birthdate-label = Date de naissance
birthdate-hint = Par exemple, 27 3 1980
birthdate-tries = { $count ->
    [one] Vous avez un essai. Ensuite, l’inscription est fermée jusqu’à ce que l’expéditeur la rouvre.
   *[other] Vous avez { $count } essais. Ensuite, l’inscription est fermée jusqu’à ce que l’expéditeur la rouvre.
  }
day = Jour
month = Mois
year = Année
magic-title = Nous allons vous envoyer un lien
magic-text = Pour être sûrs que c’est bien vous, nous enverrons un lien à { $address }. Il sert une seule fois, pendant 15 minutes.
magic-mail = M’envoyer le lien
magic-sent-title = Consultez votre messagerie
magic-sent-text = Nous avons envoyé un lien à { $address }. Il sert une seule fois, pendant 15 minutes.
magic-again = Envoyer un autre lien
magic-link-title = Ouvrir vos documents
magic-link-text = Ce lien ne sert qu’une fois.

## Inscription

register-title = Inscription
register-text = { $sender }, { $practice }, vous a envoyé quelque chose. Inscrivez-vous une seule fois pour lire ce message et tous les suivants.
register-sent-title = Consultez votre messagerie
register-sent-to = Nous avons envoyé un lien à { $address }. Ouvrez-le pour choisir votre mot de passe.
register-sent-text = Nous vous avons envoyé un lien. Ouvrez-le pour choisir votre mot de passe.
register-sent-next = Il n’est pas arrivé
register-waiting-title = Merci. Il manque encore une chose
register-waiting-text = Un administrateur de { $practice } doit accepter votre inscription. Vous recevrez alors un courriel ; vous n’avez rien d’autre à faire.
register-closed-title = L’inscription est fermée
register-closed-text = Veuillez contacter { $practice }. L’invitation peut vous être renvoyée.
register-over-title = Cette invitation a expiré
register-over-text = Demandez à { $practice } de la renvoyer. Un mot suffit.
procedures-title = Que pratiquez-vous ?
procedures-text = Ces actes font partie de la spécialité { $specialty }. Retirez ceux que vous ne pratiquez pas.
procedures-others = Actes d’autres spécialités
confirm-practice = Oui, je travaille à { $practice }

field-email = Adresse électronique
field-name = Nom complet
field-phone = Téléphone
help-phone = Un mobile ou un fixe. Nous n’y envoyons jamais de SMS.
field-mobile = Téléphone mobile
field-specialty = Spécialité
field-procedures = Actes
field-practice = Votre cabinet
field-practice_name = Nom de votre cabinet
field-practice_website = Site web de votre cabinet
field-practice_phone = Téléphone de votre cabinet
field-practice_address = Adresse de votre cabinet

## La liste

list-title = Vos messages
list-empty = Il n’y a pas de message pour vous en ce moment. Les documents sont supprimés après un certain temps ; demandez à l’expéditeur s’il vous en faut un de nouveau.
list-found = { $count ->
    [0] Rien trouvé.
    [one] { $count } message trouvé.
   *[other] { $count } messages trouvés.
  }
list-all = Afficher tous les messages
list-more = { $count ->
    [one] Un autre message n’est pas affiché. Cherchez-le pour le trouver.
   *[other] { $count } autres messages ne sont pas affichés. Cherchez-les pour les trouver.
  }
list-new = Nouveau
list-locked = Message soumis à une autre vérification
list-until = Conservé jusqu’au { $date }
search-label = Rechercher
kind-label = Type de document
kind-any = Tous
sort-label = Ordre
sort-newest = Les plus récents d’abord
sort-kind = Par type
sort-sender = Par expéditeur

## Un message

message-from = De { $sender }, { $practice }
message-text = Message
patient-of = Au sujet de { $name }
kept-until = Vous pouvez télécharger jusqu’au { $date }. Ensuite, les documents sont supprimés définitivement.
download-all = Tout télécharger en un fichier zip
your-reply = Votre réponse
reply = Répondre
reply-go-on = Continuer votre réponse
reply-closed = Ce message n’accepte pas de réponse.
replied = Votre réponse a été envoyée à { $sender }.

## Une réponse

reply-title = Répondre
reply-back = Retour au message
reply-to = À { $sender }, { $practice }
reply-draft = Vous avez été déconnecté avant l’envoi. Rien n’a été perdu.
reply-label = Votre message
files-label = Fichiers
files-hint = { $count ->
    [one] Un fichier de { $size } au plus.
   *[other] Jusqu’à { $count } fichiers de { $size } au plus chacun.
  }
files-again = Veuillez choisir vos fichiers de nouveau.
files-remove = Retirer
files-drop = Vous pouvez aussi déposer des fichiers ici.
files-large = Ce fichier est trop volumineux.
files-many = Trop de fichiers.
sending = Envoi en cours
sending-broken = La connexion a été interrompue. Rien n’a été envoyé ; votre texte et vos fichiers sont toujours là. Réessayez.

## Le compte

account-title = Votre compte
account-name = Nom
account-role = Inscrit comme
account-since = Depuis le
account-back = Retour à votre compte
account-password = Changer le mot de passe
account-password-text = Toutes vos autres connexions prennent alors fin.
account-password-changed = Votre mot de passe est changé.
account-visits-ended = Vous êtes déconnecté partout ailleurs.
visits-title = Où vous êtes connecté
visits-none = Ici seulement.
visits-one = Depuis le { $began }, dernière activité le { $seen }
visits-end = Se déconnecter partout ailleurs
close-title = Fermer le compte
close-text = Vous pouvez fermer votre compte à tout moment.
close-next = Fermer le compte
close-what = Vous ne pourrez plus lire ce qui vous a été envoyé, et vos réponses à l’inscription seront effacées. Si quelqu’un vous écrit de nouveau, vous pourrez vous réinscrire.
close-do = Fermer mon compte définitivement

## Ce qui ne va pas dans la saisie

faults-title = Il y a un problème
fault-prefix = Erreur :
fault-of = { $label } : { $fault }
fault-sign-in = L’adresse électronique ou le mot de passe n’est pas correct.
fault-missing = Remplissez ce champ.
fault-too-long = C’est trop long.
fault-not-a-phone = Saisissez un numéro de téléphone, tel que +33 1 99 00 12 34.
fault-not-a-mobile = Saisissez un numéro de mobile, tel que +33 6 39 98 12 34.
fault-not-a-date = Saisissez une date de naissance, telle que 27 3 1980.
fault-not-a-website = Saisissez une adresse web, telle que www.cabinet.example.
fault-not-offered = Choisissez dans la liste.
fault-not-confirmed = Cochez la case pour confirmer.
fault-too-short = Votre mot de passe doit avoir au moins 15 caractères.
fault-too-long-password = Votre mot de passe peut avoir au plus 1 024 caractères.
fault-known = Ce mot de passe est connu de ceux qui cherchent à s’introduire. Choisissez-en un autre.
fault-wrong-present = Votre mot de passe actuel n’est pas correct.
fault-code = { $count ->
    [0] Ce code n’est pas correct, et il ne reste pas d’essai.
    [one] Ce code n’est pas correct. Il vous reste un essai.
   *[other] Ce code n’est pas correct. Il vous reste { $count } essais.
  }
fault-birthdate = { $count ->
    [0] Ce n’est pas la date de naissance que nous avons, et il ne reste pas d’essai.
    [one] Ce n’est pas la date de naissance que nous avons. Il vous reste un essai.
   *[other] Ce n’est pas la date de naissance que nous avons. Il vous reste { $count } essais.
  }
fault-birthdate-register = { $count ->
    [one] Ce n’est pas la date de naissance que l’expéditeur a donnée. Il vous reste un essai ; ensuite, l’inscription est fermée.
   *[other] Ce n’est pas la date de naissance que l’expéditeur a donnée. Il vous reste { $count } essais.
  }
fault-empty-reply = Écrivez quelque chose, ou choisissez un fichier.
fault-long-reply = Votre message est trop long. Il peut avoir environ { $count } caractères.
fault-too-many = { $count ->
    [one] Choisissez un seul fichier.
   *[other] Choisissez au plus { $count } fichiers.
  }
fault-file-too-large = { $name } dépasse { $size }.
fault-restricted = { $name } ne peut pas être envoyé : ce type de fichier ({ $group }) n’est pas accepté.

## Pages d’erreur : ce qui s’est passé, et que faire

error-id = Si vous appelez, ce numéro aide à retrouver ce qui s’est passé :
error-not-found-title = Il n’y a rien ici
error-not-found-text = Cela a peut-être été supprimé, ou repris par l’expéditeur. S’il vous le faut, demandez-lui de le renvoyer.
error-not-found-next = Aller à vos messages
error-link-used-title = Ce lien a servi, ou a expiré
error-link-used-text = Ces liens servent une seule fois, et peu de temps. Vous pouvez en recevoir un nouveau.
error-link-used-next = M’envoyer un nouveau lien
error-locked-title = Trop d’essais
error-locked-text = Pour votre sécurité, c’est bloqué jusqu’au { $time }. Ensuite, cela fonctionne de nouveau, sans rien faire.
error-locked-next = Obtenir de l’aide
error-codes-closed-title = Trop de codes erronés
error-codes-closed-text = Pour votre sécurité, aucun code n’est plus accepté ici. Ouvrez de nouveau le lien du dernier e-mail au sujet de ce message : il vous laisse entrer, ou permet de vous faire envoyer un nouveau lien.
error-codes-closed-next = Obtenir de l’aide
error-busy-title = Réessayez dans un instant
error-busy-text = Beaucoup de personnes se connectent en ce moment.
error-busy-next = Réessayer
error-full-title = Ceci ne peut pas être enregistré pour le moment
error-full-text = Rien n’a été envoyé. Appelez le cabinet, ou réessayez plus tard.
error-full-next = Obtenir de l’aide
error-unavailable-title = Cela ne fonctionne pas pour le moment
error-unavailable-text = La panne est de notre côté, et elle a été notée. Réessayez dans quelques minutes.
error-unavailable-next = Réessayer
error-foreign-title = Ceci ne venait pas de nos pages
error-foreign-text = Un autre site a essayé d’envoyer quelque chose en votre nom. Rien n’a été fait.
error-foreign-next = Aller à vos messages
error-stale-form-title = Cette page est restée ouverte trop longtemps
error-stale-form-text = Rien n’a été envoyé. Rouvrez la page, et envoyez de nouveau.
error-stale-form-next = Rouvrir la page
error-malformed-title = Ceci n’a pas pu être lu
error-malformed-text = Quelque chose s’est mal passé en route, et rien n’a été fait. Revenez en arrière, et réessayez.
error-malformed-next = Obtenir de l’aide
error-too-large-title = C’est trop volumineux
error-too-large-text = Rien n’a été envoyé. Envoyez moins de fichiers, ou de plus petits.
error-too-large-next = Réessayer
error-too-slow-title = Cela a pris trop de temps
error-too-slow-text = La connexion était trop lente, et rien n’a été envoyé. Réessayez là où la réception est meilleure.
error-too-slow-next = Réessayer
error-wrong-host-title = Ce n’est pas notre adresse
error-wrong-host-text = Nos pages sont à { $address }, et nulle part ailleurs.
error-wrong-host-next = Y aller
error-method-title = Il n’y a rien à voir ici
error-method-text = Cette adresse ne reçoit que des formulaires.
error-method-next = Aller à vos messages
error-range-title = Cette partie n’existe pas
error-range-text = La partie du document qui était demandée n’existe pas. Téléchargez-le depuis le début.
error-range-next = Télécharger de nouveau
