# What two parsers of Perl see in each delivered file: MIME-tools (MIMEDefang, RT, Amavis) and Email::MIME.
#
# usage: perl.pl FOLDER    prints one JSON object: file name -> list of attachments they see
use strict;
use warnings;
use Email::MIME;
use File::Temp ();
use JSON::PP ();
use MIME::Parser;

my $folder = shift;
my $scratch = File::Temp->newdir;

sub is_document {
    my ($kind, $name, $disposition) = @_;
    return ($name // '') ne '' || lc($disposition // '') eq 'attachment' || $kind !~ m{^text/(?:plain|html)$}i;
}

sub mime_tools {
    my ($file) = @_;
    my $parser = MIME::Parser->new;
    $parser->output_under($scratch);
    $parser->extract_nested_messages(1);
    $parser->extract_uuencode(1);
    my @seen;
    my $entity = $parser->parse_open($file);
    for my $part (grep { !$_->parts } $entity->parts_DFS) {
        my $head = $part->head;
        my ($kind, $name) = ($part->mime_type, $head->recommended_filename);
        push @seen, "MIME-tools: $kind " . ($name // '')
            if is_document($kind, $name, $head->mime_attr('content-disposition'));
    }
    $parser->filer->purge;
    return @seen;
}

sub email_mime {
    my ($octets) = @_;
    my @seen;
    Email::MIME->new($octets)->walk_parts(sub {
        my ($part) = @_;
        return if $part->subparts;
        my $kind = lc(($part->content_type // 'text/plain') =~ s/\s*;.*//sr);
        my $name = $part->filename;
        my ($disposition) = ($part->header('Content-Disposition') // '') =~ /^\s*([^;\s]+)/;
        push @seen, "Email::MIME: $kind " . ($name // '') if is_document($kind, $name, $disposition);
    });
    return @seen;
}

my %report;
for my $file (sort glob "$folder/*.eml") {
    open my $in, '<:raw', $file or die "$file: $!";
    my $octets = do { local $/; <$in> };
    my $name = $file =~ s{.*/}{}r;
    $report{$name} = [mime_tools($file), email_mime($octets)];
}
print JSON::PP->new->utf8->encode(\%report);
