#!/usr/bin/perl
# Which folders Apache would refuse to visitors, by their `.htaccess`. Reads the files' paths from standard input (each ends with a
# NUL, below the folder that is the argument) and prints, each with a NUL at its end: folder, `all`, `except` or `only`, words.
# A word is a file's name, or `.` and an ending; there are words for the latter two. Run as the site's user.
use strict;
use warnings;
use Fcntl qw(O_RDONLY O_NOFOLLOW O_NONBLOCK);

# What pages are made of: stays where an exception is one that is not understood.
my @ASSETS = map { ".$_" } qw(css js mjs json map png jpg jpeg gif webp avif svg ico woff woff2 ttf otf eot);
# Folders that are WordPress's own, or of which pages are made: nothing that a file there says closes them as a whole.
my $NEVER = qr{^(?:|/wp-content|/wp-content/(?:uploads(?:/sites(?:/\d+)?)?|plugins|themes|mu-plugins|languages)|/wp-admin(?:/.*)?|/wp-includes(?:/.*)?)$};
# What holds both for the versions that say it and for those that do not, see below.
my $TRANSPARENT = qr/^(?:ifmodule|ifversion|ifdefine|limit|requireall)$/;

my $root = shift @ARGV;
$/ = "\0";
while (my $path = <STDIN>) {
    chomp $path;
    next unless $path =~ m{^\Q$root\E(/.*)?/\.htaccess\z}s;
    my $folder = $1 // '';
    my ($kind, @words) = verdict($folder, content($path));
    print join("\0", $folder, $kind, join(' ', @words)), "\0" if $kind;
}

sub content {
    my ($path) = @_;
    sysopen(my $file, $path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) or return '';
    return '' unless -f $file;
    sysread($file, my $text, 65536);
    $text =~ s/\\\r?\n/ /g;
    return $text;
}

sub verdict {
    my ($folder, $text) = @_;
    my ($whole, $condition, @sections, %denied, %allowed) = (0, 0);
    for my $line (split /\r?\n/, $text) {
        $line =~ s/^\s+|\s+$//g;
        if ($line =~ m{^</}) { pop @sections; next }
        if ($line =~ /^<\s*(\w+)\s*(.*?)\s*>$/) {
            my ($section, $pattern) = (lc($1), $2);
            push @sections, $section =~ /^files(?:match)?$/ ? [files($section, $pattern)] : $section =~ $TRANSPARENT ? 'same' : 'other';
            next;
        }
        $condition = 1 if $line =~ /^RewriteCond\s/i;
        my $says = says($line, $condition);
        $condition = 0 if $line =~ /^RewriteRule\s/i;
        next if !$says || grep { $_ eq 'other' } @sections;
        my ($scope) = grep { ref } reverse @sections;
        if (!$scope) { $whole = $says eq 'deny' ? 1 : 0 }
        elsif ("@$scope" eq '*') { $whole = 1 if $says eq 'deny' }
        elsif ($says eq 'deny') { $denied{$_} = 1 for @$scope }
        else { $allowed{$_} = 1 for @$scope ? @$scope : @ASSETS }
    }
    if ($whole && $folder !~ $NEVER) { return %allowed ? ('except', sort keys %allowed) : 'all' }
    # PHP has rules of its own there, and what lies in between must be reached.
    my @only = grep { !$allowed{$_} && !/^\.ph/ } sort keys %denied;
    return @only ? ('only', @only) : ();
}

# The two ways of saying it, and the third with mod_rewrite. Addresses that are let in in spite of it are no visitors.
sub says {
    my ($line, $condition) = @_;
    return 'deny' if $line =~ /^(?:deny\s+from\s+all|require\s+all\s+denied)\b/i;
    return 'allow' if $line =~ /^(?:allow\s+from\s+all|require\s+all\s+granted)\b/i;
    return 'deny' if !$condition && $line =~ /^RewriteRule\s+"?(?:\^|\.\*|\^\.\*\$|\^\(\.\*\)\$|\.)"?\s+"?-"?\s+\[(?:[^\]]*,)?F\b/i;
    return '';
}

# Words of a section's pattern; `*`: every file; none: not understood.
sub files {
    my ($section, $pattern) = @_;
    my $regular = $section eq 'filesmatch' || $pattern =~ s/^~\s*//;
    $pattern =~ s/^["']|["']$//g;
    if (!$regular) {
        return '*' if $pattern eq '*' || $pattern eq '*.*';
        return $pattern =~ /^\*?(\.?[A-Za-z0-9_-][A-Za-z0-9._-]{0,60})$/ ? $1 : ();
    }
    return '*' if $pattern =~ /^\^?(?:\.|\(?\.[*+]\)?)\$?$/;
    $pattern =~ s/^\(\?i\)//;
    if ($pattern =~ /^(?:\^?\.[*+])?\\\.\(?(?:\?:|\?i:)?([A-Za-z0-9|?]{1,300})\)?\$?$/) {
        my @words = map { my $word = lc $_; $word =~ /^(.*)(.)\?(.*)$/ ? (".$1$2$3", ".$1$3") : ".$word" } split /\|/, $1;
        return grep { /^\.[a-z0-9]{1,12}$/ } @words;
    }
    return $pattern =~ /^\^?([A-Za-z0-9_-]+)\\?\.([A-Za-z0-9]+)\$?$/ ? "$1.$2" : ();
}
